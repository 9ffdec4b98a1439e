from __future__ import annotations

from dataclasses import replace

import pytest

from cloudmr.errors import InvalidRequest
from cloudmr.model.acquisition_size import AcquisitionSize
from cloudmr.model.calibration import Work, calibration
from cloudmr.model.workload import kind_of, workload
from mroptimum.flags import Flags
from mroptimum.task import FileReference, TaskDocument

SIZE = AcquisitionSize(n_coils=16, n_x=256, n_y=128, n_slices=3)
KINDS = [f"{method} {name}" for method in ("ac", "mr", "pmr", "cr") for name in ("rss", "b1", "sense", "grappa")]


def document(method: str = "ac", reconstruction: str = "rss", replicas: int | None = None) -> TaskDocument:
    signal = FileReference.model_validate({"type": "file", "options": {"type": "local", "filename": "meas.dat"}})
    box = 2 if method == "cr" else None
    return Flags(method=method, reconstruction=reconstruction, replicas=replicas, box_size=box).document(signal, None)


def test_what_is_known_of_the_signal_is_the_work() -> None:
    found = workload(document(), signal=SIZE, input_sizes_bytes=[1])
    assert found.work == Work(kind="ac rss", n_voxels=256 * 128 * 3, n_coils=16, n_replicas=0)


def test_replicas_are_those_of_the_task_and_repetitions_those_of_the_scan() -> None:
    assert workload(document("pmr", replicas=60), signal=SIZE, input_sizes_bytes=[1]).work.n_replicas == 60
    repeated = replace(SIZE, n_repetitions=8)
    found = workload(document("mr"), signal=repeated, input_sizes_bytes=[1])
    assert found.work.n_replicas == 8
    assert "8 repetitions" in found.basis


def test_without_it_bytes_are_all_there_is() -> None:
    found = workload(document(), signal=None, input_sizes_bytes=[8 * SIZE.n_samples])
    assert found.work.n_voxels * found.work.n_coils == SIZE.n_samples
    assert "size of the input files alone" in found.basis


@pytest.mark.parametrize("kind", KINDS)
def test_more_work_takes_no_less(kind: str) -> None:
    measured = calibration()
    work = Work(kind=kind, n_voxels=100_000, n_coils=8, n_replicas=10)
    less = measured.effort(work)
    assert 0 < less.seconds < 60
    for more in (replace(work, n_voxels=10**6), replace(work, n_coils=32), replace(work, n_replicas=100)):
        found = measured.effort(more)
        assert found.seconds >= less.seconds
        assert found.memory_bytes >= less.memory_bytes
    assert measured.effort(replace(work, n_voxels=10**6)).output_bytes > less.output_bytes


def test_what_was_never_measured_takes_as_much_as_anything() -> None:
    measured = calibration()
    work = Work(kind="new method", n_voxels=10**6, n_coils=8, n_replicas=10)
    assert measured.effort(work).seconds == max(measured.effort(replace(work, kind=kind)).seconds for kind in KINDS)


def test_the_calibration_says_what_it_is_worth() -> None:
    measured = calibration()
    assert set(KINDS) == set(measured.pairs)
    assert measured.measured_on.startswith("20")
    assert 0 < measured.median_error_percent <= measured.p90_error_percent < 100


def test_a_kind_is_method_and_reconstruction() -> None:
    assert kind_of(document("pmr", "sense", 10)) == "pmr sense"


@pytest.mark.parametrize("change", [{"n_coils": 0}, {"n_x": -1}, {"n_slices": 100_001}, {"n_x": 99_999, "n_y": 99_999}])
def test_numbers_that_cannot_be_are_refused(change: dict[str, int]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        replace(SIZE, n_repetitions=1000, **change)
    assert refused.value.instance_code == "acquisition_size"
