"""Data files, estimates, failures, results: the small rules."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import NOON
from cloudmr.compute.base import Cause
from cloudmr.errors import InvalidRequest
from cloudmr.model.data_files import DataFile, DataState, clean_filename
from cloudmr.model.estimates import BASE_MEMORY_BYTES, estimate, most_memory_bytes
from cloudmr.model.failures import RETRIED_CAUSES, JobFailure, failure_by_cause
from cloudmr.model.results import Manifest, Output
from mroptimum.errors import Explanation


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("meas.dat", "meas.dat"),
        ("/home/ada/meas.dat", "meas.dat"),
        ("C:\\data\\meas.dat", "meas.dat"),
        (" knee\n3T\x00.dat ", "knee3T.dat"),
        ("Schädel 頭.dat", "Schädel 頭.dat"),
    ],
)
def test_a_name_is_the_last_part_of_a_path(text: str, name: str) -> None:
    assert clean_filename(text) == name


@pytest.mark.parametrize("text", ["", " ", "/", "a/", "..", "a/..", "\x00", "x" * 256])
def test_what_cannot_be_a_name(text: str) -> None:
    with pytest.raises(InvalidRequest):
        clean_filename(text)


@given(text=st.text(max_size=300))
def test_a_name_has_no_folder_and_nothing_invisible(text: str) -> None:
    try:
        name = clean_filename(text)
    except InvalidRequest:
        return
    assert not set(name) & set("/\\\x00\n\r\t")
    assert clean_filename(name) == name


@pytest.mark.parametrize(("size_bytes", "n_parts"), [(1, 1), (10, 1), (11, 2), (20, 2), (21, 3)])
def test_a_file_has_so_many_parts(size_bytes: int, n_parts: int) -> None:
    data_file = DataFile(
        id="data_1",
        owner_id="user_1",
        unit_id="unit_1",
        filename="meas.dat",
        size_bytes=size_bytes,
        upload_id="u",
        state=DataState.UPLOADING,
        created_at=NOON,
    )
    assert data_file.n_parts(10) == n_parts
    assert data_file.key == "uploads/data_1"


@given(sizes=st.lists(st.integers(min_value=0, max_value=10**11), max_size=5), more=st.integers(1, 10**9))
def test_more_data_never_need_less(sizes: list[int], more: int) -> None:
    small, large = estimate(sizes), estimate([*sizes, more])
    assert large.memory_bytes > small.memory_bytes > 0
    assert large.disk_bytes > small.disk_bytes >= 3 * sum(sizes)
    assert small.with_more_memory().memory_bytes == 2 * small.memory_bytes


@given(size=st.integers(0, 10**11), n_slots=st.integers(1, 100), machine_bytes=st.integers(2**30, 2**40))
def test_no_job_gets_more_memory_than_its_slots_share(size: int, n_slots: int, machine_bytes: int) -> None:
    most = most_memory_bytes(machine_bytes, n_slots)
    assert most in {machine_bytes // n_slots, BASE_MEMORY_BYTES}
    first = estimate([size], most_bytes=most)
    assert first.memory_bytes == min(estimate([size]).memory_bytes, most)
    second = first.with_more_memory(most)
    assert second.memory_bytes == min(2 * first.memory_bytes, most)
    assert (second == first) == (first.memory_bytes == most)


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_a_unit_can_name_is_told_in_words_of_its_own(cause: Cause) -> None:
    failure = failure_by_cause(cause, "Figures.")
    assert failure.code == cause
    assert failure.message.endswith(" Figures.")
    assert failure.next_step


def test_an_unknown_cause_is_a_worker_that_ended_without_a_word() -> None:
    assert failure_by_cause("struck_by_lightning").code == Cause.CRASHED


def test_what_is_tried_again_has_words_too() -> None:
    assert {failure_by_cause(cause).code for cause in RETRIED_CAUSES} == RETRIED_CAUSES


@given(
    explanation=st.builds(
        lambda code, message, next_step: Explanation(code=code, message=message, next_step=next_step),
        *(st.text(alphabet=string.printable, max_size=3000),) * 3,
    )
)
def test_a_failure_fits_into_its_row(explanation: Explanation) -> None:
    failure = JobFailure.of(explanation)
    assert len(failure.code) <= 64
    assert len(failure.message) <= 2000
    assert failure.message[:1999] == explanation["message"][:1999]


def test_a_result_is_complete_with_every_file_in_its_size_and_the_package() -> None:
    manifest = Manifest(outputs=(Output(path="a", size_bytes=1), Output(path="data/b", size_bytes=2)))
    whole = {"a": 1, "data/b": 2, "package.zip": 9, "manifest.json": 5}
    assert manifest.is_complete(whole)
    for missing in ("a", "data/b", "package.zip"):
        assert not manifest.is_complete({name: size for name, size in whole.items() if name != missing})
    assert not manifest.is_complete(whole | {"a": 2})
