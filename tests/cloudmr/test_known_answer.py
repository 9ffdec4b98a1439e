"""The judge of units: it knows the right numbers, and does not take others for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudmr.cli.placement import local
from cloudmr.known_answer import judge_package, task_for, write_acquisition
from mroptimum.export.package import Provenance, write_package
from mroptimum.run import run
from mroptimum.task import TaskDocument


def package_of(folder: Path, document: TaskDocument, raw: Path) -> Path:
    write_package(run(document, locate=lambda _: raw), folder / "package", provenance=Provenance())
    return folder / "package"


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("known") / "known-answer.npz"
    write_acquisition(path)
    return path


def test_the_right_numbers_are_right(tmp_path: Path, raw: Path) -> None:
    snr, g = judge_package(package_of(tmp_path, task_for(local(raw)), raw))
    assert snr.is_right
    assert g.is_right
    # Far within the limit: a unit that is only a little wrong must not pass for noise.
    assert abs(snr.deviation_percent) < 0.5
    assert abs(g.deviation_percent) < 0.5


def test_another_noise_bandwidth_is_found_out(tmp_path: Path, raw: Path) -> None:
    import numpy as np

    with np.load(raw) as arrays:
        changed = dict(arrays)
    changed["noise_bandwidth_ratio"] = np.array(1.0)
    wrong = tmp_path / "wrong.npz"
    with wrong.open("wb") as file:
        np.savez(file, **changed)
    snr, g = judge_package(package_of(tmp_path, task_for(local(wrong)), wrong))
    assert not snr.is_right
    assert g.is_right


def test_it_is_small_enough_to_be_sent_often(raw: Path) -> None:
    assert raw.stat().st_size < 3e6
