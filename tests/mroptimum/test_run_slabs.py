"""Whole runs on slabs written as real files, against the closed form that the phantom knows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mroptimum.errors import Cancelled, ReconstructionError, TaskError
from mroptimum.export.nifti import volumes
from mroptimum.flags import Flags
from mroptimum.journal import Progress
from mroptimum.phantom import Phantom, Scan, Truth, closed_form, simulate, write_mrd, write_npz, write_twix_ve
from mroptimum.result import MapId, Result
from mroptimum.run import NoSnr, run
from mroptimum.task import NoiseDomain, TaskDocument
from tasks import local, map_of, run_flags

WRITERS: dict[str, tuple[Callable[[Path, Scan], None], str]] = {
    "twix_ve": (write_twix_ve, ".dat"),
    "mrd": (write_mrd, ".h5"),
    "npz": (write_npz, ".npz"),
}
SLAB = Phantom(n_x=24, n_y=32, n_slices=12, is_3d=True, n_coils=12, sigma=0.001, slice_thickness_mm=10.0)
BOTH = replace(
    SLAB,
    n_coils=20,
    acceleration=2,
    partition_acceleration=2,
    n_calibration_lines=16,
    n_calibration_partitions=8,
    n_noise_readouts=1000,
)


def written(phantom: Phantom, folder: Path, writer: str = "twix_ve") -> tuple[Path, Scan]:
    scan = simulate(phantom)
    write, suffix = WRITERS[writer]
    path = folder / f"slab{suffix}"
    write(path, scan)
    return path, scan


def deviation(found: NDArray[np.generic], true: NDArray[np.float64], mask: NDArray[np.bool_]) -> float:
    """Median of the relative deviation inside the object."""
    return float(np.median(np.asarray(found, dtype=np.float64)[mask] / true[mask]) - 1)


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"n_slices": 11, "n_y": 31, "n_x": 23},
        {"partition_oversampling": 4 / 3, "readout_oversampling": 2, "noise_bandwidth_ratio": 0.79},
        {"n_averages": 3},
    ],
    ids=["plain", "odd", "oversampled", "averages"],
)
@pytest.mark.parametrize("reconstruction", ["rss", "b1", "sense"])
def test_snr_of_a_full_slab_is_the_closed_form(
    writer: str, options: dict[str, int | float], reconstruction: str, tmp_path: Path
) -> None:
    path, scan = written(replace(SLAB, **options), tmp_path, writer)  # type: ignore[arg-type]
    truth = closed_form(scan)
    result = run_flags(Flags(reconstruction=reconstruction), path)
    found = map_of(result, MapId.SNR).data
    assert found.shape == truth.snr.shape
    assert result.protocol.matrix == (scan.phantom.n_x, scan.phantom.n_y, scan.phantom.n_slices)
    assert result.protocol.n_partitions == scan.phantom.n_slices
    assert any("partitions of the 3D scan were transformed" in sentence for sentence in result.methods)
    # The noise scan gives sigma to 1 / sqrt(2 x 128 x 24 samples x 12 coils) of a percent, and the maps cost little.
    assert abs(deviation(found, truth.snr, truth.mask)) < 0.01


@pytest.mark.parametrize("writer", ["twix_ve", "npz"])
@pytest.mark.parametrize("reconstruction", ["sense", "grappa"])
@pytest.mark.parametrize(("n_y", "first_line"), [(32, 1), (33, 0)])
def test_accelerated_lines_of_a_full_slab(
    writer: str, reconstruction: str, n_y: int, first_line: int, tmp_path: Path
) -> None:
    phantom = replace(SLAB, n_y=n_y, first_line=first_line, acceleration=2, n_calibration_lines=16)
    path, scan = written(phantom, tmp_path, writer)
    truth = closed_form(scan)
    result = run_flags(Flags(reconstruction=reconstruction), path)
    if reconstruction == "sense":
        assert abs(deviation(map_of(result, MapId.SNR).data, truth.sense_snr, truth.mask)) < 0.02
        assert abs(deviation(map_of(result, MapId.SENSE_G).data, truth.sense_g, truth.mask)) < 0.02
    else:
        replicas = run_flags(Flags(reconstruction="grappa", method="pmr", replicas=60), path)
        ratio = map_of(replicas, MapId.SNR).data[truth.mask] / map_of(result, MapId.SNR).data[truth.mask]
        assert abs(float(np.median(ratio)) - 1) < 0.01


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize(
    ("n_slices", "n_y", "accelerations", "first"),
    [
        (12, 32, (2, 2), (0, 0)),
        (12, 32, (2, 2), (1, 1)),
        (12, 32, (1, 3), (0, 2)),
        (13, 32, (2, 2), (0, 1)),
        (12, 33, (2, 2), (1, 0)),
    ],
)
def test_two_accelerated_directions_are_the_closed_form(
    writer: str,
    n_slices: int,
    n_y: int,
    accelerations: tuple[int, int],
    first: tuple[int, int],
    tmp_path: Path,
) -> None:
    phantom = replace(
        BOTH,
        n_slices=n_slices,
        n_y=n_y,
        acceleration=accelerations[0],
        partition_acceleration=accelerations[1],
        first_line=first[0],
        first_partition=first[1],
    )
    path, scan = written(phantom, tmp_path, writer)
    document = with_maps(scan, path, tmp_path, Flags(reconstruction="sense"))
    result = run(document, locate=lambda reference: Path(reference.options.filename))
    truth = closed_form(scan)
    assert any(
        f"accelerated by {accelerations[0]} x {accelerations[1]} (lines x partitions)" in sentence
        for sentence in result.methods
    )
    # With the true maps all that is left is the estimate of the noise covariance.
    np.testing.assert_allclose(map_of(result, MapId.SENSE_G).data, truth.sense_g, rtol=0.15)
    assert abs(deviation(map_of(result, MapId.SENSE_G).data, truth.sense_g, truth.mask)) < 0.01
    assert abs(deviation(map_of(result, MapId.SNR).data, truth.sense_snr, truth.mask)) < 0.015


def with_maps(scan: Scan, path: Path, folder: Path, flags: Flags) -> TaskDocument:
    """The task with the phantom's own coil maps, (slice, coil, y, x), from a file."""
    maps = folder / "maps.npz"
    np.savez(maps, maps=scan.coil_maps)
    values = flags.document(local(path), None).as_json()
    values["task"]["options"]["reconstructor"]["options"]["sensitivityMap"] = {
        "options": {
            "loadSensitivity": True,
            "sensitivityMapSource": {"type": "file", "options": {"type": "local", "filename": str(maps)}},
        }
    }
    return TaskDocument.parse(values)


@pytest.mark.parametrize("coil_maps", ["inner", "innerACL", "espirit", "walsh", "inati"])
def test_maps_from_a_block_of_calibration_lines_come_near_the_truth(coil_maps: str, tmp_path: Path) -> None:
    """Adaptive maps are of boxes of 7 x 7 voxels, in which sensitivities must not change much: hence so many voxels."""
    phantom = replace(
        BOTH, n_x=12, n_y=64, n_slices=32, slice_thickness_mm=4.0, n_calibration_lines=24, n_calibration_partitions=20
    )
    path, scan = written(phantom, tmp_path)
    truth = closed_form(scan)
    result = run_flags(Flags(reconstruction="sense", coil_maps=coil_maps), path)
    assert abs(deviation(map_of(result, MapId.SNR).data, truth.sense_snr, truth.mask)) < 0.1
    assert abs(deviation(map_of(result, MapId.SENSE_G).data, truth.sense_g, truth.mask)) < 0.1
    assert any("partitions x" in sentence or "ESPIRiT" in sentence for sentence in result.methods)


@pytest.mark.parametrize("partition_acceleration", [1, 2])
def test_every_method_agrees_with_the_analytic_map(partition_acceleration: int, tmp_path: Path) -> None:
    phantom = replace(
        BOTH, partition_acceleration=partition_acceleration, n_repetitions=40, n_x=16, n_calibration_partitions=12
    )
    path, scan = written(phantom, tmp_path, "npz")
    mask = closed_form(scan).mask
    analytic = map_of(run_flags(Flags(reconstruction="sense"), path), MapId.SNR).data
    mask = mask & (analytic > 20)  # so that the noise of the mean of repetitions does not matter
    judge = analytic[mask]
    flags = {
        "mr": Flags(reconstruction="sense", method="mr"),
        "pmr": Flags(reconstruction="sense", method="pmr", replicas=50),
        "cr": Flags(reconstruction="sense", method="cr", replicas=4, box_size=2),
    }
    documents = {name: flag.document(local(path), None) for name, flag in flags.items()}
    values = documents["pmr"].as_json()
    values["task"]["options"]["noiseDomain"] = "kspace"
    documents["pmr in k-space"] = TaskDocument.parse(values)
    domains = {"mr": None, "pmr": NoiseDomain.IMAGE, "cr": NoiseDomain.KSPACE, "pmr in k-space": NoiseDomain.KSPACE}
    for name, document in documents.items():
        result = run(document, locate=lambda _: path)
        assert result.noise_domain is domains[name]
        found = map_of(result, MapId.SNR).data[mask]
        # cr smooths over boxes in which g varies.
        assert np.median(found / judge) == pytest.approx(1, abs=0.03 if name == "cr" else 0.015), name
        error = map_of(result, MapId.STANDARD_ERROR).data[mask] / found
        if name != "cr":
            scatter = float(np.std(found / judge))
            assert 0.85 < scatter / float(np.median(error)) < 1.15, name


@pytest.mark.parametrize("reconstruction", ["rss", "b1"])
def test_every_method_agrees_on_omitted_partitions_and_lines(reconstruction: str, tmp_path: Path) -> None:
    """Zero-filled in both directions; the real repetitions are the judge."""
    phantom = replace(SLAB, n_coils=6, n_omitted_partitions=3, n_omitted_lines=9, n_repetitions=60, n_x=16)
    path, scan = written(phantom, tmp_path, "npz")
    mask = np.abs(scan.image) > 0.5 * np.abs(scan.image).max()
    judge = map_of(run_flags(Flags(method="mr", reconstruction=reconstruction), path), MapId.SNR).data[mask]
    documents = [
        Flags(method="ac", reconstruction=reconstruction).document(local(path), None),
        Flags(method="pmr", replicas=60, reconstruction=reconstruction).document(local(path), None),
        Flags(method="cr", replicas=4, box_size=2, reconstruction=reconstruction).document(local(path), None),
    ]
    values = documents[1].as_json()
    values["task"]["options"]["noiseDomain"] = "kspace"
    documents.append(TaskDocument.parse(values))
    for document in documents:
        result = run(document, locate=lambda _: path)
        assert np.median(map_of(result, MapId.SNR).data[mask] / judge) == pytest.approx(1, abs=0.03), document.task.name


def test_an_unfolded_slab_with_omitted_partitions_agrees_with_real_repetitions(tmp_path: Path) -> None:
    phantom = replace(BOTH, n_slices=16, n_omitted_partitions=3, n_repetitions=60, n_x=16)
    path, scan = written(phantom, tmp_path, "npz")
    mask = np.abs(scan.image) > 0.5 * np.abs(scan.image).max()
    judge = map_of(run_flags(Flags(method="mr", reconstruction="sense"), path), MapId.SNR).data[mask]
    for flags in (Flags(reconstruction="sense"), Flags(reconstruction="sense", method="pmr", replicas=50)):
        found = map_of(run_flags(flags, path), MapId.SNR).data[mask]
        assert np.median(found / judge) == pytest.approx(1, abs=0.02)


def test_corners_left_out_of_k_space_make_less_noise_by_as_much(tmp_path: Path) -> None:
    """Elliptical sampling: zero-filled corners, in the scale chain like any other line; repetitions are the judge."""
    scan = simulate(replace(SLAB, n_coils=6, n_repetitions=60, n_x=16))
    z, y = np.meshgrid(np.arange(12) - 6, np.arange(32) - 16, indexing="ij")
    ellipse = (z / 6) ** 2 + (y / 16) ** 2 <= 1
    kspace = scan.kspace.swapaxes(2, 3)[:, :, None] * ellipse[:, :, None]
    path = tmp_path / "ellipse.npz"
    np.savez(path, kspace=kspace, noise=scan.noise, readout_oversampling=np.array(1.0))
    mask = np.abs(scan.image) > 0.5 * np.abs(scan.image).max()
    judge = map_of(run_flags(Flags(method="mr", reconstruction="b1"), path), MapId.SNR).data[mask]
    for flags in (Flags(reconstruction="b1"), Flags(reconstruction="b1", method="pmr", replicas=50)):
        result = run_flags(flags, path)
        assert np.median(map_of(result, MapId.SNR).data[mask] / judge) == pytest.approx(1, abs=0.02)
        assert any("elliptical" in warning for warning in result.warnings)


def test_decimating_a_full_slab_gives_what_accelerating_it_would(tmp_path: Path) -> None:
    """The central line and partition are kept, which are those from 0 on where R divides n / 2."""
    path, _ = written(replace(SLAB, n_coils=20), tmp_path)
    flags = Flags(
        reconstruction="sense",
        acceleration=2,
        partition_acceleration=2,
        decimate=True,
        acs_lines=16,
        acs_partitions=8,
        coil_maps="innerACL",
    )
    decimated = run_flags(flags, path)
    (tmp_path / "accelerated").mkdir()
    other, _ = written(BOTH, tmp_path / "accelerated")
    accelerated = run_flags(Flags(reconstruction="sense", coil_maps="innerACL"), other)
    assert decimated.protocol.acceleration == accelerated.protocol.acceleration == (2, 2)
    mask = closed_form(simulate(BOTH)).mask
    for number in (MapId.SNR, MapId.SENSE_G):
        ratio = map_of(decimated, number).data[mask] / map_of(accelerated, number).data[mask]
        assert np.median(ratio) == pytest.approx(1, abs=0.01)


def test_the_same_slab_gives_the_same_maps_from_every_format(tmp_path: Path) -> None:
    first: Result | None = None
    for writer in WRITERS:
        path, _ = written(replace(BOTH, n_x=16), tmp_path, writer)
        result = run_flags(Flags(reconstruction="sense"), path)
        first = first or result
        for of_map in result.maps:
            np.testing.assert_allclose(of_map.data, map_of(first, of_map.id).data, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("partition_acceleration", "oversampling"), [(1, 4 / 3), (2, 1.0)])
def test_nifti_files_lie_where_the_partitions_are(
    partition_acceleration: int, oversampling: float, tmp_path: Path
) -> None:
    phantom = replace(
        BOTH,
        n_x=12,
        partition_acceleration=partition_acceleration,
        partition_oversampling=oversampling,
        n_calibration_partitions=0 if partition_acceleration == 1 else 8,
        centre_mm=(11.0, -4.0, 23.0),
        readout_direction=(0.8, 0.0, -0.6),
        phase_direction=(0.36, 0.8, 0.48),
    )
    path, _ = written(phantom, tmp_path)
    result = run_flags(Flags(reconstruction="sense"), path)
    index = np.arange(np.prod((12, 32, 12)), dtype=np.float32).reshape(12, 32, 12)
    [volume] = volumes(index, result.geometry)
    steps = {"x": 220.0 / 12, "y": 220.0 / 32}
    for z, y, x in [(0, 0, 0), (11, 3, 7), (6, 16, 6), (2, 31, 11)]:
        [place] = np.argwhere(volume.data == index[z, y, x])
        found = (volume.affine @ [*place, 1.0])[:3] * (-1, -1, 1)
        centre = np.asarray(phantom.slice_centres_mm[z])
        expected = (
            centre
            + (x - 6) * steps["x"] * np.asarray(phantom.readout_direction)
            + (y - 16) * steps["y"] * np.asarray(phantom.phase_direction)
        )
        np.testing.assert_allclose(found, expected, atol=2e-3)


@pytest.mark.parametrize(
    ("phantom", "flags", "complaint"),
    [
        (BOTH, Flags(reconstruction="rss"), "accelerated by 2 x 2"),
        (BOTH, Flags(reconstruction="grappa"), "GRAPPA kernel here fills in lines only"),
        (BOTH, Flags(reconstruction="sense", acceleration=2), "have three numbers"),
        (BOTH, Flags(reconstruction="sense", acceleration=2, partition_acceleration=3), "2 x 3 .*sampled with 2 x 2"),
        (BOTH, Flags(reconstruction="sense", acceleration=2, partition_acceleration=2, decimate=True), "undersampled"),
        (replace(BOTH, n_coils=3, n_calibration_partitions=12), Flags(reconstruction="sense"), "4 voxels fold"),
        (replace(BOTH, n_calibration_lines=0), Flags(reconstruction="sense"), "no calibration lines"),
    ],
)
def test_what_does_not_fit_together_is_refused(phantom: Phantom, flags: Flags, complaint: str, tmp_path: Path) -> None:
    path, _ = written(replace(phantom, n_x=12), tmp_path)
    with pytest.raises(ReconstructionError, match=complaint) as refusal:
        run_flags(flags, path)
    assert refusal.value.next_step


def test_grappa_of_partitions_has_a_code_of_its_own(tmp_path: Path) -> None:
    path, _ = written(replace(BOTH, n_x=12), tmp_path)
    with pytest.raises(ReconstructionError) as refusal:
        run_flags(Flags(reconstruction="grappa"), path)
    assert refusal.value.explain()["code"] == "grappa_partitions"
    assert "sense" in refusal.value.next_step
    with pytest.raises(TaskError, match="not partitions"):
        Flags(reconstruction="grappa", acceleration=2, partition_acceleration=2).document(local(path), None)


@pytest.mark.parametrize(("is_3d", "said"), [(True, 2), (False, 3)])
def test_a_task_about_other_axes_than_the_scan_has_is_refused(is_3d: bool, said: int, tmp_path: Path) -> None:
    path, _ = written(replace(SLAB, n_x=12, n_coils=4, is_3d=is_3d), tmp_path)
    values = Flags().document(local(path), None).as_json()
    values["task"]["acquisition"] = said
    with pytest.raises(ReconstructionError, match=f"about a {said}D acquisition") as refusal:
        run(TaskDocument.parse(values), locate=lambda _: path)
    assert "acquisition" in refusal.value.next_step
    values["task"]["acquisition"] = 3 if is_3d else 2
    assert run(TaskDocument.parse(values), locate=lambda _: path).has_snr


@pytest.mark.parametrize("name", ["shifted", "holes"])
def test_irregular_sampling_is_refused_with_its_reason(name: str, tmp_path: Path) -> None:
    scan = simulate(replace(SLAB, n_x=12, n_coils=4))
    points = np.ones((12, 32), np.bool_)
    if name == "shifted":
        points[:] = False
        points[0::2, 0::2] = points[1::2, 1::2] = True
    else:
        points[[3, 7, 9], [4, 20, 21]] = False
    path = tmp_path / "slab.npz"
    np.savez(path, kspace=scan.kspace.swapaxes(2, 3)[:, :, None] * points[:, :, None], noise=scan.noise)
    reason = "CAIPIRINHA" if name == "shifted" else "irregularly"
    for reconstruction in ("rss", "sense"):
        with pytest.raises(ReconstructionError, match=reason) as refusal:
            run_flags(Flags(reconstruction=reconstruction), path)
        assert refusal.value.explain()["code"] == "irregular_sampling"


@pytest.mark.parametrize("phantom", [SLAB, BOTH], ids=["full", "accelerated"])
def test_without_noise_there_is_an_image_of_every_partition(phantom: Phantom, tmp_path: Path) -> None:
    path, scan = written(replace(phantom, n_x=12, n_noise_readouts=0), tmp_path)
    with pytest.raises(NoSnr) as refusal:
        run_flags(Flags(reconstruction="sense"), path)
    [image] = refusal.value.partial.maps
    assert image.data.shape == scan.image.shape
    assert len(refusal.value.partial.geometry) == 12


@pytest.mark.parametrize(
    "flags", [Flags(method="pmr", replicas=60), Flags(), Flags(method="cr", replicas=3, box_size=1)]
)
def test_progress_goes_column_by_column_and_can_be_stopped_between_them(flags: Flags, tmp_path: Path) -> None:
    path, _ = written(replace(BOTH, n_x=8), tmp_path)
    document = replace(flags, reconstruction="sense").document(local(path), None)
    seen: list[Progress] = []
    run(document, locate=lambda _: path, progress=seen.append)
    done = [progress.done for progress in seen]
    assert done == sorted(done)
    assert seen[-1].total - seen[-1].done == 1
    assert any("slab 1 of 1, column 3 of 8" in progress.message for progress in seen)
    if flags.method == "pmr":
        assert any("column 3 of 8, replica 50 of 60" in progress.message for progress in seen)
    columns: list[Progress] = []

    def watch(progress: Progress) -> None:
        if "column" in progress.message:
            columns.append(progress)

    with pytest.raises(Cancelled):
        run(document, locate=lambda _: path, progress=watch, cancelled=lambda: len(columns) == 2)
    assert len(columns) == 2


def test_masks_of_a_slab_are_those_of_its_slices(tmp_path: Path) -> None:
    """A part of the maximum is one of each slice's, however the slab was unfolded."""
    (tmp_path / "full").mkdir()
    full, scan = written(replace(SLAB, n_coils=20), tmp_path / "full")
    accelerated, _ = written(replace(BOTH, n_calibration_partitions=12, n_calibration_lines=30), tmp_path)
    masks = [
        map_of(run_flags(Flags(reconstruction="sense", mask_percentage=20), path), MapId.MASK).data > 0
        for path in (full, accelerated)
    ]
    assert np.mean(masks[0] == masks[1]) > 0.97
    truth: Truth = closed_form(scan)
    assert np.mean(masks[1] == truth.mask) > 0.9


@pytest.mark.parametrize("phantom", [SLAB, BOTH], ids=["slices", "columns"])
def test_a_mask_and_flip_angles_from_files_go_to_the_voxels_they_are_of(phantom: Phantom, tmp_path: Path) -> None:
    path, _ = written(replace(phantom, n_x=8), tmp_path)
    shape = (12, 32, 8)
    mask = np.zeros(shape, np.uint8)
    mask[3:7, 5:20, 1:6] = 1
    angle = np.broadcast_to(np.linspace(20.0, 90.0, 12)[:, None, None], shape)
    np.save(tmp_path / "mask.npy", mask)
    np.save(tmp_path / "angle.npy", angle)
    values = Flags(reconstruction="sense").document(local(path), None).as_json()
    options = values["task"]["options"]["reconstructor"]["options"]
    plain = run(TaskDocument.parse(values), locate=lambda _: path)
    named = {
        name: {"type": "file", "options": {"type": "local", "filename": str(tmp_path / f"{name}.npy")}}
        for name in ("mask", "angle")
    }
    options["sensitivityMap"] = {"options": {"mask": {"method": "upload", "file": named["mask"]}}}
    options["correction"] = {"useCorrection": True, "faCorrection": named["angle"]}
    found = run(TaskDocument.parse(values), locate=lambda reference: Path(reference.options.filename))
    np.testing.assert_array_equal(map_of(found, MapId.MASK).data, mask)
    corrected = map_of(found, MapId.SNR).data
    assert not corrected[mask == 0].any()
    if not phantom.partition_acceleration > 1:
        uncorrected = corrected * np.sin(np.deg2rad(angle))
        np.testing.assert_allclose(uncorrected[mask > 0], map_of(plain, MapId.SNR).data[mask > 0], rtol=1e-5)
    else:  # fewer voxels are easier to tell apart
        assert np.all(
            (corrected * np.sin(np.deg2rad(angle)))[mask > 0] > 0.99 * map_of(plain, MapId.SNR).data[mask > 0]
        )


def test_the_same_seed_gives_the_same_bytes_and_columns_have_noise_of_their_own(tmp_path: Path) -> None:
    path, _ = written(replace(BOTH, n_x=8), tmp_path)
    flags = Flags(reconstruction="sense", method="pmr", replicas=20)
    first, second = (map_of(run_flags(flags, path), MapId.SNR).data for _ in range(2))
    other = map_of(run_flags(replace(flags, seed=5), path), MapId.SNR).data
    assert first.tobytes() == second.tobytes()
    assert first.tobytes() != other.tobytes()


def test_coil_maps_of_an_unfolded_slab_can_be_written_and_loaded_again(tmp_path: Path) -> None:
    path, _ = written(replace(BOTH, n_x=8), tmp_path)
    result = run_flags(Flags(reconstruction="sense", coil_sensitivities=True), path)
    assert len(result.coil_maps) == 12
    assert result.coil_maps[0].maps.shape == (20, 32, 8)
    again = with_maps_of(result, path, tmp_path)
    np.testing.assert_allclose(
        map_of(again, MapId.SENSE_G).data, map_of(result, MapId.SENSE_G).data, rtol=1e-3, atol=1e-6
    )


def with_maps_of(result: Result, path: Path, folder: Path) -> Result:
    from mroptimum.noise import whitener

    assert result.noise is not None
    np.savez(folder / "own.npz", maps=np.stack([c.maps for c in result.coil_maps]), whitening=whitener(result.noise))
    values = Flags(reconstruction="sense").document(local(path), None).as_json()
    values["task"]["options"]["reconstructor"]["options"]["sensitivityMap"] = {
        "options": {
            "loadSensitivity": True,
            "sensitivityMapSource": {"type": "file", "options": {"type": "local", "filename": str(folder / "own.npz")}},
        }
    }
    return run(TaskDocument.parse(values), locate=lambda reference: Path(reference.options.filename))
