"""The judge of the demonstration: it must find wrong numbers and misplaced maps, not only praise right ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cloudmr.against_truth import Comparison, MapMisplaced, compare, snr_statistics
from cloudmr.cli.placement import local
from mroptimum.export.package import Provenance, write_package
from mroptimum.flags import Flags
from mroptimum.phantom import Phantom, Written, closed_form, simulate, write_twix_ve
from mroptimum.run import run

PHANTOM = Phantom(
    n_x=48,
    n_y=48,
    n_coils=8,
    n_slices=2,
    acceleration=2,
    n_calibration_lines=24,
    readout_oversampling=2,
    n_noise_readouts=512,
    sigma=0.003,
    centre_mm=(10.0, -20.0, 30.0),
)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = tmp_path_factory.mktemp("phantom")
    scan = simulate(PHANTOM)
    raw = folder / "scan.dat"
    write_twix_ve(raw, scan)
    return Written(raw=raw, truth_arrays=raw, truth_description=raw, scan=scan, truth=closed_form(scan))


@pytest.fixture(scope="module")
def package(written: Written, tmp_path_factory: pytest.TempPathFactory) -> Path:
    document = Flags(reconstruction="sense", acceleration=2).document(local(written.raw), None)
    folder = tmp_path_factory.mktemp("package") / "out"
    write_package(run(document, locate=lambda _: written.raw), folder, provenance=Provenance())
    return folder


def test_a_deviation_is_in_percent_of_the_truth() -> None:
    found = Comparison(name="mean SNR", measured=49.0, truth=50.0)
    assert found.deviation_percent == pytest.approx(-2)


@pytest.mark.parametrize(("measured", "is_right"), [(100.99, True), (99.01, True), (101.0, False), (98.9, False)])
def test_one_percent_is_the_limit(measured: float, is_right: bool) -> None:
    assert Comparison(name="mean SNR", measured=measured, truth=100.0).is_right is is_right


def test_maps_are_found_where_the_phantom_lies(package: Path, written: Written) -> None:
    snr, g = compare(package, written)
    assert (snr.name, g.name) == ("mean SNR", "mean g")
    assert abs(snr.deviation_percent) < 3
    assert abs(g.deviation_percent) < 3


def test_a_wrong_convention_is_found_out(package: Path, written: Written) -> None:
    truth = replace(written.truth, sense_snr=written.truth.sense_snr / np.sqrt(2))
    snr, _ = compare(package, replace(written, truth=truth))
    assert snr.deviation_percent == pytest.approx(41.4, abs=5)


@pytest.mark.parametrize("moved", [{"centre_mm": (10.0, -20.0, 31.0)}, {"fov_mm": (230.0, 220.0)}])
def test_a_map_that_lies_elsewhere_is_found_out(package: Path, written: Written, moved: dict[str, object]) -> None:
    scan = replace(written.scan, phantom=replace(PHANTOM, **moved))  # type: ignore[arg-type]
    with pytest.raises(MapMisplaced):
        compare(package, replace(written, scan=scan))


def test_a_flipped_map_is_found_out(package: Path, written: Written) -> None:
    flipped = replace(written.truth, mask=written.truth.mask[:, ::-1], sense_snr=written.truth.sense_snr[:, ::-1])
    lopsided = np.zeros_like(flipped.mask)
    lopsided[:, :20, :20] = True
    straight, _ = compare(package, replace(written, truth=replace(written.truth, mask=written.truth.mask & lopsided)))
    turned, _ = compare(package, replace(written, truth=replace(flipped, mask=flipped.mask & lopsided)))
    assert abs(turned.deviation_percent) > 5 * abs(straight.deviation_percent)


def test_statistics_are_those_inside_the_mask(package: Path, written: Written) -> None:
    statistics = snr_statistics(package)
    assert statistics.n_voxels == PHANTOM.n_x * PHANTOM.n_y * PHANTOM.n_slices
    assert 0 < statistics.median < 3 * statistics.mean
