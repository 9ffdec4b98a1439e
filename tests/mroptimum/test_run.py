"""Whole runs on phantoms written as real files, against the closed form that the phantom knows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mroptimum.errors import Cancelled, NoiseError, ReconstructionError, TaskError
from mroptimum.flags import Flags
from mroptimum.journal import Progress
from mroptimum.phantom import (
    Phantom,
    Scan,
    closed_form,
    simulate,
    vendor_noise_dwell_time_s,
    write_mrd,
    write_npz,
    write_twix_vb,
    write_twix_ve,
)
from mroptimum.result import MapId
from mroptimum.run import NoSnr, run
from mroptimum.task import NoiseDomain, TaskDocument
from tasks import local, map_of, run_flags

Writer = Callable[[Path, Scan], None]
WRITERS: dict[str, tuple[Writer, str]] = {
    "twix_vb": (write_twix_vb, ".dat"),
    "twix_ve": (write_twix_ve, ".dat"),
    "mrd": (write_mrd, ".h5"),
    "npz": (write_npz, ".npz"),
}


def written(phantom: Phantom, folder: Path, writer: str = "twix_ve") -> tuple[Path, Scan]:
    scan = simulate(phantom)
    write, suffix = WRITERS[writer]
    path = folder / f"scan{suffix}"
    write(path, scan)
    return path, scan


def deviation(found: NDArray[np.generic], true: NDArray[np.float64], mask: NDArray[np.bool_]) -> float:
    """Relative deviation of the mean inside the object."""
    return float(np.asarray(found, dtype=np.float64)[mask].mean() / true[mask].mean() - 1)


ODD = "odd matrix, odd number of coils"
CASES: dict[str, dict[str, float | int]] = {
    "same sampling": {},
    "oversampled, white": {"readout_oversampling": 2},
    "oversampled, coloured": {"readout_oversampling": 2, "noise_bandwidth_ratio": 0.79},
    "coloured, not oversampled": {"noise_bandwidth_ratio": 0.79},
    "averages": {"n_averages": 4},
    ODD: {"n_x": 95, "n_y": 93, "n_coils": 7},
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("reconstruction", ["rss", "b1"])
def test_mean_snr_of_a_full_scan_is_the_closed_form(
    case: str, writer: str, reconstruction: str, tmp_path: Path
) -> None:
    options = dict(CASES[case])
    samples = int(options.get("n_x", 96)) * int(options.get("readout_oversampling", 1))
    if writer == "twix_vb":
        options["noise_dwell_time_s"] = vendor_noise_dwell_time_s(samples)
    path, scan = written(Phantom(sigma=0.005, **options), tmp_path, writer)  # type: ignore[arg-type]
    truth = closed_form(scan)
    if (writer, case) == ("twix_vb", ODD):
        # Noise lines in front of an image have no dwell time of their own; few coils and no oversampling leave nothing
        # that tells the two possible ones apart, so the noise is not used.
        with pytest.raises(NoSnr) as refusal:
            run_flags(Flags(reconstruction=reconstruction), path)
        assert any("dwell time" in warning for warning in refusal.value.partial.warnings)
        return
    result = run_flags(Flags(reconstruction=reconstruction), path)
    found = map_of(result, MapId.SNR).data
    # 128 readouts of noise give sigma to well under 1 %; maps estimated from the data cost a few tenths of a percent.
    assert abs(deviation(found, truth.snr, truth.mask)) < 0.02


@pytest.mark.parametrize("first_line", [0, 1])
@pytest.mark.parametrize(("n_y", "acceleration"), [(96, 2), (96, 3), (95, 2)])
def test_mean_snr_and_g_of_an_accelerated_scan_are_the_closed_form(
    first_line: int, n_y: int, acceleration: int, tmp_path: Path
) -> None:
    phantom = Phantom(
        n_y=n_y,
        n_coils=12,
        acceleration=acceleration,
        first_line=first_line,
        n_calibration_lines=32,
        readout_oversampling=2,
        noise_bandwidth_ratio=0.79,
        sigma=0.002,
    )
    path, scan = written(phantom, tmp_path)
    truth = closed_form(scan)
    result = run_flags(Flags(reconstruction="sense"), path)
    assert abs(deviation(map_of(result, MapId.SNR).data, truth.sense_snr, truth.mask)) < 0.02
    assert abs(deviation(map_of(result, MapId.SENSE_G).data, truth.sense_g, truth.mask)) < 0.02
    inverse = map_of(result, MapId.SENSE_INVERSE_G).data * map_of(result, MapId.SENSE_G).data
    np.testing.assert_allclose(inverse[truth.mask], 1.0, rtol=1e-5)


def test_decimating_a_full_scan_gives_what_accelerating_it_would(tmp_path: Path) -> None:
    full = Phantom(n_coils=12, sigma=0.002)
    path, scan = written(full, tmp_path)
    result = run_flags(Flags(reconstruction="sense", acceleration=2, decimate=True, acs_lines=32), path)
    truth = closed_form(simulate(Phantom(n_coils=12, sigma=0.002, acceleration=2, n_calibration_lines=32)))
    assert abs(deviation(map_of(result, MapId.SNR).data, truth.sense_snr, truth.mask)) < 0.02
    assert scan.phantom.acceleration == 1


@pytest.mark.parametrize("flags", [Flags(method="mr"), Flags(method="pmr", replicas=100), Flags(method="ac")])
def test_the_methods_agree_on_one_scan_with_repetitions(flags: Flags, tmp_path: Path) -> None:
    phantom = Phantom(n_coils=6, n_x=64, n_y=64, n_repetitions=40, sigma=0.01)
    path, scan = written(phantom, tmp_path)
    truth = closed_form(scan)
    found = map_of(run_flags(flags, path), MapId.SNR).data
    assert abs(deviation(found, truth.snr, truth.mask)) < 0.02


@pytest.mark.parametrize("reconstruction", ["rss", "b1"])
def test_every_method_agrees_on_a_partial_fourier_scan(reconstruction: str, tmp_path: Path) -> None:
    """28 of 96 lines are zero-filled; the real repetitions are the judge."""
    phantom = Phantom(n_coils=6, n_omitted_lines=28, n_repetitions=40, sigma=0.005)
    path, scan = written(phantom, tmp_path, "npz")
    mask = np.abs(scan.image) > 0.5 * np.abs(scan.image).max()
    judge = map_of(run_flags(Flags(method="mr", reconstruction=reconstruction), path), MapId.SNR).data[mask]
    documents = [
        Flags(method="ac", reconstruction=reconstruction).document(local(path), None),
        Flags(method="pmr", replicas=60, reconstruction=reconstruction).document(local(path), None),
        in_kspace(Flags(method="pmr", replicas=60, reconstruction=reconstruction).document(local(path), None)),
        Flags(method="cr", replicas=4, box_size=3, reconstruction=reconstruction).document(local(path), None),
    ]
    for document in documents:
        found = map_of(run(document, locate=lambda _: path), MapId.SNR).data[mask]
        assert np.median(found / judge) == pytest.approx(1, abs=0.03), document.task.name


def in_kspace(document: TaskDocument) -> TaskDocument:
    values = document.as_json()
    values["task"]["options"]["noiseDomain"] = "kspace"
    return TaskDocument.parse(values)


def shortened(scan: Scan, path: Path, *, with_noise: bool) -> None:
    """Write a scan whose echo was cut: the first 30 of 96 samples of every readout are zero."""
    kspace = scan.kspace[:, :, :, :, None].copy()
    kspace[..., :30] = 0
    arrays = {"kspace": kspace, "readout_oversampling": np.array(1.0)}
    np.savez(path, allow_pickle=False, **arrays, **({"noise": scan.noise} if with_noise else {}))


def test_every_method_agrees_on_a_shortened_echo(tmp_path: Path) -> None:
    scan = simulate(Phantom(n_coils=6, n_repetitions=40, sigma=0.005))
    with_noise, without = tmp_path / "with.npz", tmp_path / "without.npz"
    shortened(scan, with_noise, with_noise=True)
    shortened(scan, without, with_noise=False)
    mask = np.abs(scan.image) > 0.5 * np.abs(scan.image).max()
    judge = map_of(run_flags(Flags(method="mr", reconstruction="b1"), with_noise), MapId.SNR).data[mask]
    pmr = Flags(method="pmr", replicas=60, reconstruction="b1")
    found = {
        "ac": run_flags(Flags(reconstruction="b1"), with_noise),
        "pmr": run_flags(pmr, with_noise),
        "pmr in k-space": run(in_kspace(pmr.document(local(with_noise), None)), locate=lambda _: with_noise),
        "repetitions": run_flags(Flags(reconstruction="b1", noise_estimate="repetitions"), without),
    }
    for name, result in found.items():
        ratio = float(np.median(map_of(result, MapId.SNR).data[mask] / judge))
        assert ratio == pytest.approx(1, abs=0.03), name


@pytest.mark.parametrize("reconstruction", ["sense", "grappa"])
def test_pseudo_replicas_of_an_accelerated_scan_agree_with_the_analytic_map(
    reconstruction: str, tmp_path: Path
) -> None:
    phantom = Phantom(n_coils=8, acceleration=2, n_calibration_lines=32, sigma=0.002, readout_oversampling=2)
    path, scan = written(phantom, tmp_path)
    mask = closed_form(scan).mask
    analytic = map_of(run_flags(Flags(reconstruction=reconstruction), path), MapId.SNR).data[mask]
    replicated = run_flags(Flags(reconstruction=reconstruction, method="pmr", replicas=100), path)
    assert replicated.noise_domain is NoiseDomain.IMAGE
    assert abs(np.median(map_of(replicated, MapId.SNR).data[mask] / analytic) - 1) < 0.01
    g = map_of(replicated, MapId.GRAPPA_G if reconstruction == "grappa" else MapId.SENSE_G).data[mask]
    assert np.median(g) > 0.9


def test_repetitions_alone_are_enough_for_mr_and_warned_of(tmp_path: Path) -> None:
    path, _ = written(Phantom(n_coils=4, n_x=32, n_y=32, n_repetitions=8, n_noise_readouts=0), tmp_path)
    result = run_flags(Flags(method="mr"), path)
    assert result.has_snr
    assert any("without whitening" in warning for warning in result.warnings)


def test_a_noise_scan_in_a_file_of_its_own(tmp_path: Path) -> None:
    phantom = Phantom(n_coils=6, sigma=0.005, n_noise_readouts=0)
    signal, scan = written(phantom, tmp_path)
    (tmp_path / "noise").mkdir()
    noise, _ = written(Phantom(n_coils=6, sigma=0.005, amplitude=0.0), tmp_path / "noise", "npz")
    truth = closed_form(scan)
    found = map_of(run_flags(Flags(), signal, noise), MapId.SNR).data
    assert abs(deviation(found, truth.snr, truth.mask)) < 0.02


@pytest.mark.parametrize("source", ["repetitions", "kspace_edge"])
def test_estimates_come_near_the_truth_and_say_what_is_wrong_with_them(source: str, tmp_path: Path) -> None:
    path, scan = written(Phantom(n_coils=4, n_repetitions=2, n_noise_readouts=0, sigma=0.05), tmp_path)
    truth = closed_form(scan)
    result = run_flags(Flags(noise_estimate=source), path)
    # The edge of k-space keeps some signal, which counts as noise: SNR comes out low, never high.
    low = 0.02 if source == "repetitions" else 0.1
    assert -low < deviation(map_of(result, MapId.SNR).data, truth.snr, truth.mask) < 0.03
    assert any("Noise was estimated" in warning for warning in result.warnings)


def test_without_noise_there_is_an_image_and_no_snr(tmp_path: Path) -> None:
    path, _ = written(Phantom(n_coils=4, n_x=32, n_y=32, n_noise_readouts=0), tmp_path)
    with pytest.raises(NoSnr) as refusal:
        run_flags(Flags(), path)
    assert refusal.value.instance_code == "no_noise"
    assert [of_map.id for of_map in refusal.value.partial.maps] == [MapId.IMAGE]
    assert not refusal.value.partial.has_snr


def test_what_does_not_fit_together_is_refused(tmp_path: Path) -> None:
    small = {"n_coils": 4, "n_x": 32, "n_y": 32}
    (tmp_path / "full").mkdir()
    full, _ = written(Phantom(**small), tmp_path / "full")  # type: ignore[arg-type]
    accelerated, _ = written(Phantom(acceleration=2, n_calibration_lines=12, **small), tmp_path)  # type: ignore[arg-type]
    (tmp_path / "noise").mkdir()
    other, _ = written(Phantom(n_coils=5, n_x=32, n_y=32, amplitude=0.0), tmp_path / "noise", "npz")
    with pytest.raises(ReconstructionError, match="accelerated by 2"):
        run_flags(Flags(reconstruction="rss"), accelerated)
    with pytest.raises(ReconstructionError, match="acceleration 3, the file was sampled with 2"):
        run_flags(Flags(reconstruction="sense", acceleration=3), accelerated)
    with pytest.raises(ReconstructionError, match="undersampled already"):
        run_flags(Flags(reconstruction="sense", acceleration=2, decimate=True), accelerated)
    with pytest.raises(TaskError, match="one repetition"):
        run_flags(Flags(method="mr"), full)
    with pytest.raises(NoiseError, match="5 coils, the signal 4"):
        run_flags(Flags(), full, other)


def test_irregular_sampling_is_refused(tmp_path: Path) -> None:
    scan = simulate(Phantom(n_coils=4, n_x=32, n_y=32))
    kspace = scan.kspace[:, :, :, :, None].copy()
    kspace[..., [3, 4, 9, 15, 22], :] = 0
    np.savez(tmp_path / "holes.npz", kspace=kspace, noise=scan.noise)
    for reconstruction in ("rss", "b1", "sense"):
        with pytest.raises(ReconstructionError, match="irregular"):
            run_flags(Flags(reconstruction=reconstruction), tmp_path / "holes.npz")


def test_what_has_no_effect_or_no_end_is_said(tmp_path: Path) -> None:
    path, _ = written(Phantom(n_coils=4, n_x=32, n_y=32), tmp_path)
    result = run_flags(Flags(reconstruction="b1", acs_lines=8), path)
    assert any("acl is not used" in warning for warning in result.warnings)
    values = Flags(reconstruction="b1").document(local(path), None).as_json()
    options = values["task"]["options"]["reconstructor"]["options"]
    options["sensitivityMap"] = {"options": {"mask": {"method": "threshold", "value": 1e9}}}
    document = TaskDocument.parse(values)
    with pytest.raises(ReconstructionError, match="no voxel"):
        run(document, locate=lambda _: path)
    for flags in (
        Flags(acs_lines=0),
        Flags(seed=3),
        Flags(method="pmr", replicas=100_000_000),
        Flags(method="cr", replicas=4, box_size=10_000_000),
    ):
        with pytest.raises(TaskError):
            flags.document(local(path), None)


def test_g_maps_can_be_left_out(tmp_path: Path) -> None:
    phantom = Phantom(n_coils=6, n_x=32, n_y=32, acceleration=2, n_calibration_lines=12)
    path, _ = written(phantom, tmp_path)
    values = Flags(reconstruction="sense").document(local(path), None).as_json()
    values["output"]["gfactor"] = False
    result = run(TaskDocument.parse(values), locate=lambda _: path)
    assert MapId.SENSE_G not in {of_map.id for of_map in result.maps}


def test_progress_goes_from_start_to_end_and_can_be_stopped(tmp_path: Path) -> None:
    path, _ = written(Phantom(n_coils=4, n_x=32, n_y=32, n_slices=3), tmp_path)
    document = Flags(method="pmr", replicas=60, reconstruction="b1").document(local(path), None)
    seen: list[Progress] = []
    run(document, locate=lambda _: path, progress=seen.append)
    done = [progress.done for progress in seen]
    assert done == sorted(done)
    assert done[0] == 0
    assert seen[-1].total - seen[-1].done == 1
    assert any("replica 50 of 60" in progress.message for progress in seen)
    with pytest.raises(Cancelled):
        run(document, locate=lambda _: path, cancelled=lambda: len(seen) > 0)


def test_names_of_input_files_are_nowhere_in_a_result(tmp_path: Path) -> None:
    path, _ = written(Phantom(n_coils=4, n_x=32, n_y=32), tmp_path)
    named = path.rename(tmp_path / "jane_doe_1970.dat")
    result = run_flags(Flags(), named)
    assert "jane" not in repr(result)


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    path, _ = written(Phantom(n_coils=4, n_x=32, n_y=32, n_slices=2), tmp_path)
    flags = Flags(method="pmr", replicas=20, reconstruction="b1")
    first, second = (map_of(run_flags(flags, path), MapId.SNR).data for _ in range(2))
    other = map_of(run_flags(Flags(method="pmr", replicas=20, reconstruction="b1", seed=5), path), MapId.SNR).data
    assert first.tobytes() == second.tobytes()
    assert first.tobytes() != other.tobytes()
    assert first[0].tobytes() != first[1].tobytes()
