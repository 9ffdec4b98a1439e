"""The task `difference`, from files to a result: known SNR, the scanner's own geometry, and what is no pair."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray

from dicom_files import image, save
from mroptimum.errors import ReconstructionError, TaskError, UnreadableFile, WrongKindOfFile
from mroptimum.export.package import Provenance, write_package
from mroptimum.flags import Flags
from mroptimum.package import opened, read_package
from mroptimum.phantom import Phantom, simulate, write_npz, write_twix_ve
from mroptimum.result import MapId
from mroptimum.run import run
from mroptimum.task import TaskDocument
from mroptimum.verify import repeat
from tasks import local, map_of, run_flags

DIFFERENCE = Flags(method="difference", reconstruction="scanner")
SNR, SIGMA = 40.0, 25.0
Pixels = NDArray[np.uint16]


def scan(rng: np.random.Generator, shape: tuple[int, int] = (64, 80)) -> Pixels:
    """Draw a bright ellipse in air: Rician, sd SIGMA, SNR as above, and some of the scanner's rounding."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    inside = ((y - shape[0] / 2) / (0.4 * shape[0])) ** 2 + ((x - shape[1] / 2) / (0.4 * shape[1])) ** 2 < 1
    noise = rng.normal(0, SIGMA, size=(2, *shape))
    magnitude = np.hypot(np.where(inside, SNR * SIGMA, 0) + noise[0], noise[1])
    return np.asarray(magnitude.round(), np.uint16)


@pytest.fixture
def pair(tmp_path: Path, rng: np.random.Generator) -> tuple[Path, Path]:
    return save(image(scan(rng)), tmp_path / "a.dcm"), save(image(scan(rng)), tmp_path / "b.dcm")


def middle(data: NDArray[Any]) -> NDArray[Any]:
    n_y, n_x = data.shape[1:]
    return data[:, n_y // 2 - 12 : n_y // 2 + 12, n_x // 2 - 15 : n_x // 2 + 15]


def test_two_dicom_images_give_the_snr_they_were_made_with(pair: tuple[Path, Path]) -> None:
    result = run_flags(DIFFERENCE, pair[0], second=pair[1])
    for number in (MapId.SNR, MapId.SNR_WITHOUT_MAGNITUDE_BIAS):
        assert middle(map_of(result, number).data).mean() == pytest.approx(SNR, rel=0.03)
    error = middle(map_of(result, MapId.STANDARD_ERROR).data) / middle(map_of(result, MapId.SNR).data)
    np.testing.assert_allclose(error, 1 / np.sqrt(2 * 48), rtol=1e-5)
    mask = map_of(result, MapId.MASK).data
    assert mask.mean() == pytest.approx(np.pi * 0.16, rel=0.03), "the ellipse, found by Otsu's criterion"
    assert not map_of(result, MapId.SNR).data[mask == 0].any()
    snr, scaled = map_of(result, MapId.SNR).data, map_of(result, MapId.IMAGE).data / map_of(result, MapId.NOISE_SD).data
    np.testing.assert_allclose(snr[mask > 0], np.sqrt(2) * scaled[mask > 0], rtol=1e-6)


def test_scaling_in_the_header_is_applied_to_each_image(tmp_path: Path, rng: np.random.Generator) -> None:
    first, second = scan(rng), scan(rng)
    plain = run_flags(
        DIFFERENCE, save(image(first), tmp_path / "a.dcm"), second=save(image(second), tmp_path / "b.dcm")
    )
    halved = image(first // 2 * 2 // 2, RescaleSlope="2", RescaleIntercept="0")
    even = image(second // 2 * 2, RescaleSlope="1", RescaleIntercept="0")
    scaled = run_flags(DIFFERENCE, save(halved, tmp_path / "h.dcm"), second=save(even, tmp_path / "e.dcm"))
    np.testing.assert_allclose(
        map_of(scaled, MapId.IMAGE).data, map_of(plain, MapId.IMAGE).data, atol=1.0, err_msg="one unit of rounding"
    )


def test_maps_lie_where_the_dicom_lies(pair: tuple[Path, Path], tmp_path: Path) -> None:
    """The affine by PS3.3, C.7.6.2.1.1, with LPS turned to RAS; values at the same millimetres are the same."""
    write_package(run_flags(DIFFERENCE, pair[0], second=pair[1]), tmp_path / "out", provenance=Provenance())
    written = nibabel.Nifti1Image.from_filename(tmp_path / "out" / "data" / "image.nii.gz")
    dataset, other = (pydicom.dcmread(path) for path in pair)
    position = np.array(dataset.ImagePositionPatient, float)
    row, column = np.array(dataset.ImageOrientationPatient, float).reshape(2, 3)
    step_y, step_x = map(float, dataset.PixelSpacing)
    expected = (dataset.pixel_array.astype(float) + other.pixel_array) / 2
    data = np.asarray(written.get_fdata())
    for y, x in [(0, 0), (10, 20), (63, 79)]:
        lps = position + row * step_x * x + column * step_y * y
        i, j, k = np.rint(np.linalg.inv(written.affine) @ [-lps[0], -lps[1], lps[2], 1])[:3].astype(int)
        assert data[i, j, k] == expected[y, x]
    assert written.header.get_zooms() == pytest.approx((1.25, 1.5, 5.0))


@pytest.mark.parametrize("orientation", ["RAS", "LPS", "PIR"])
def test_two_nifti_images_in_any_order_of_axes(tmp_path: Path, rng: np.random.Generator, orientation: str) -> None:
    affine = np.array([[-1.25, 0, 0, 40], [0, -1.5, 0, 30], [0, 0, 5, -7], [0, 0, 0, 1]])
    order = nibabel.orientations.axcodes2ornt(orientation)
    paths = []
    for name in ("a.nii.gz", "b.nii.gz"):
        stored = nibabel.Nifti1Image(np.stack([scan(rng).T, scan(rng).T], axis=2).astype(np.float32), affine)
        turned = stored.as_reoriented(nibabel.orientations.ornt_transform(nibabel.io_orientation(affine), order))
        turned.header.set_xyzt_units("mm")
        turned.header.set_dim_info(slice=int(np.argmax(np.abs(turned.affine[2, :3]))))
        turned.to_filename(tmp_path / name)
        paths.append(tmp_path / name)
    result = run_flags(DIFFERENCE, paths[0], second=paths[1])
    write_package(result, tmp_path / "out", provenance=Provenance())
    written = nibabel.Nifti1Image.from_filename(tmp_path / "out" / "data" / "image.nii.gz")
    first, second = (nibabel.as_closest_canonical(nibabel.Nifti1Image.from_filename(path)) for path in paths)
    np.testing.assert_allclose(written.affine, first.affine, atol=1e-5)
    np.testing.assert_allclose(written.get_fdata(), (first.get_fdata() + second.get_fdata()) / 2, rtol=1e-6)


def test_repetitions_of_raw_data_give_the_known_snr(tmp_path: Path) -> None:
    """One coil, so that the sum of squares is a plain magnitude: the SNR of the disk is amplitude over sigma."""
    phantom = Phantom(n_coils=1, n_x=64, n_y=64, n_repetitions=2, sigma=0.02, n_noise_readouts=0)
    simulated = simulate(phantom)
    write_twix_ve(tmp_path / "scan.dat", simulated)
    result = run_flags(Flags(method="difference", reconstruction="rss"), tmp_path / "scan.dat")
    judge = run_flags(Flags(method="ac", reconstruction="rss"), _with_noise(tmp_path, phantom))
    mask = map_of(result, MapId.MASK).data > 0
    ratio = map_of(result, MapId.SNR).data[mask].mean() / map_of(judge, MapId.SNR).data[mask].mean()
    assert ratio == pytest.approx(1, abs=0.03)
    assert result.protocol.n_coils == 1
    assert not result.warnings


def _with_noise(folder: Path, phantom: Phantom) -> Path:
    write_npz(folder / "judge.npz", simulate(replace(phantom, n_repetitions=1, n_noise_readouts=400)))
    return folder / "judge.npz"


def test_two_raw_files_are_a_pair_too(tmp_path: Path) -> None:
    phantom = Phantom(n_coils=2, n_x=32, n_y=32, n_repetitions=2, sigma=0.02, n_noise_readouts=0)
    simulated = simulate(phantom)
    write_npz(tmp_path / "both.npz", simulated)
    for number in range(2):
        kspace = simulated.kspace[:, number : number + 1, :, :, np.newaxis]
        np.savez(tmp_path / f"{number}.npz", kspace=kspace)
    rss = Flags(method="difference", reconstruction="rss")
    one = run_flags(rss, tmp_path / "both.npz")
    two = run_flags(rss, tmp_path / "0.npz", second=tmp_path / "1.npz")
    np.testing.assert_allclose(map_of(two, MapId.SNR).data, map_of(one, MapId.SNR).data, rtol=1e-5)


def test_a_result_says_what_was_measured_over_the_mask(pair: tuple[Path, Path]) -> None:
    result = run_flags(DIFFERENCE, pair[0], second=pair[1])
    text = " ".join(result.methods)
    for part in ("NEMA MS 1", "10.1002/mrm.1910380524", "Over the mask", "Parallel imaging is not said"):
        assert part in text
    assert [of_input.role for of_input in result.inputs] == ["signal", "second repetition"]


def test_a_result_can_be_repeated_from_its_package(pair: tuple[Path, Path], tmp_path: Path) -> None:
    write_package(run_flags(DIFFERENCE, pair[0], second=pair[1]), tmp_path / "out", provenance=Provenance())
    with opened(tmp_path / "out") as files:
        again = repeat(read_package(files), [pair[1], pair[0]])
    assert again.is_good
    assert {str(of_map.agreement) for of_map in again.maps} == {"identical"}


def test_no_name_goes_into_a_package(tmp_path: Path, rng: np.random.Generator) -> None:
    named = {"PatientName": "Doe^Jane", "PatientID": "4711-08"}
    paths = [save(image(scan(rng), **named), tmp_path / f"jane_{number}.dcm") for number in range(2)]
    result = run_flags(DIFFERENCE, paths[0], second=paths[1])
    assert {"PatientName", "PatientID"} <= set(result.protocol.removed_fields)
    write_package(result, tmp_path / "out", provenance=Provenance())
    for path in (tmp_path / "out").rglob("*"):
        if path.is_file():
            content = path.read_bytes().lower()
            assert b"jane" not in content
            assert b"4711" not in content


Change = Callable[[Pixels], Any]


@pytest.mark.parametrize(
    ("second", "cause"),
    [
        (lambda pixels: image(pixels[:32]), "voxels"),
        (lambda pixels: image(pixels, ImagePositionPatient=["-40", "-30", "17.5"]), "different places"),
        (lambda pixels: image(pixels, ImageOrientationPatient=["0", "1", "0", "0", "0", "1"]), "different places"),
        (lambda pixels: image(pixels, EchoTime="7"), "echo time"),
        (lambda pixels: image(pixels, FlipAngle="30"), "flip angle"),
        (lambda pixels: image(pixels, MagneticFieldStrength="1.5"), "field strength"),
    ],
)
def test_what_is_no_pair_is_refused(tmp_path: Path, rng: np.random.Generator, second: Change, cause: str) -> None:
    paths = save(image(scan(rng)), tmp_path / "a.dcm"), save(second(scan(rng)), tmp_path / "b.dcm")
    with pytest.raises(ReconstructionError, match=cause) as caught:
        run_flags(DIFFERENCE, paths[0], second=paths[1])
    assert caught.value.explain()["code"] == "not_a_pair"
    assert caught.value.next_step


def test_an_image_is_no_pair_with_itself(pair: tuple[Path, Path]) -> None:
    with pytest.raises(ReconstructionError, match="the same"):
        run_flags(DIFFERENCE, pair[0], second=pair[0])


@pytest.mark.parametrize(
    ("elements", "warning"),
    [
        ({"ParallelAcquisition": "YES"}, "NOT VALID with parallel imaging"),
        ({}, "Nothing says whether parallel imaging was used"),
        ({"ParallelAcquisition": "NO"}, None),
        ({"ParallelAcquisition": "NO", "PixelSpacing": None}, "do not say where their slices lie"),
    ],
)
def test_what_a_person_should_know_is_said(
    tmp_path: Path, rng: np.random.Generator, elements: dict[str, Any], warning: str | None
) -> None:
    paths = [save(image(scan(rng), **elements), tmp_path / f"{number}.dcm") for number in range(2)]
    warnings = run_flags(DIFFERENCE, paths[0], second=paths[1]).warnings
    assert (len(warnings) == 0) if warning is None else (warning in " ".join(warnings))


def test_a_difference_that_is_no_noise_is_told(tmp_path: Path, rng: np.random.Generator) -> None:
    first = scan(rng)
    moved = np.clip(scan(rng).astype(float) + 200 * np.sin(np.arange(80) / 8), 0, None).astype(np.uint16)
    paths = [save(image(pixels), tmp_path / f"{n}.dcm") for n, pixels in enumerate((first, moved))]
    assert any("moved or drifted" in text for text in run_flags(DIFFERENCE, paths[0], second=paths[1]).warnings)
    bright = save(image((scan(rng) * 1.2).astype(np.uint16)), tmp_path / "bright.dcm")
    assert any("times as bright" in text for text in run_flags(DIFFERENCE, paths[0], second=bright).warnings)


def test_a_mask_from_a_file_is_used(pair: tuple[Path, Path], tmp_path: Path) -> None:
    write_package(run_flags(DIFFERENCE, pair[0], second=pair[1]), tmp_path / "out", provenance=Provenance())
    mask = nibabel.Nifti1Image.from_filename(tmp_path / "out" / "data" / "mask.nii.gz")
    drawn = np.zeros(mask.shape, np.uint8)
    drawn[30:50, 20:44] = 1
    nibabel.Nifti1Image(drawn, mask.affine).to_filename(tmp_path / "drawn.nii.gz")
    values = DIFFERENCE.document(local(pair[0]), None, local(pair[1])).as_json()
    values["task"]["options"]["reconstructor"]["options"]["sensitivityMap"]["options"]["mask"] = {
        "method": "upload",
        "file": {"type": "file", "options": {"type": "local", "filename": str(tmp_path / "drawn.nii.gz")}},
    }
    result = run(TaskDocument.parse(values), locate=lambda reference: Path(reference.options.filename))
    assert map_of(result, MapId.MASK).data.sum() == drawn.sum()
    assert [of_input.role for of_input in result.inputs] == ["signal", "second repetition", "mask"]


@pytest.mark.parametrize(
    ("flags", "has_second", "cause"),
    [
        (Flags(method="ac", reconstruction="scanner"), False, "scanner goes with difference"),
        (Flags(method="difference", reconstruction="sense"), True, "difference goes with scanner"),
        (DIFFERENCE, False, "needs the second image"),
        (Flags(method="difference", reconstruction="scanner", noise_estimate="kspace_edge"), False, "from repetitions"),
        (Flags(method="difference", reconstruction="scanner", replicas=4), True, "NR goes with"),
        (Flags(method="difference", reconstruction="rss", decimate=True, acceleration=2), True, "full scans|decimate"),
    ],
)
def test_tasks_that_contradict_themselves(tmp_path: Path, flags: Flags, has_second: bool, cause: str) -> None:
    with pytest.raises(TaskError, match=cause):
        flags.document(local(tmp_path / "a"), None, local(tmp_path / "b") if has_second else None)


def test_the_number_of_the_box_is_the_task_s(pair: tuple[Path, Path]) -> None:
    wide = run_flags(replace(DIFFERENCE, box_size=5), pair[0], second=pair[1])
    error = middle(map_of(wide, MapId.STANDARD_ERROR).data) / middle(map_of(wide, MapId.SNR).data)
    np.testing.assert_allclose(error, 1 / np.sqrt(2 * 120), rtol=1e-5)


def test_files_that_are_no_images_are_named(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    np.save(tmp_path / "a.npy", np.ones((4, 4)))
    with pytest.raises(WrongKindOfFile, match="neither a DICOM nor a NIfTI"):
        run_flags(DIFFERENCE, tmp_path / "a.npy", second=pair[1])
    nibabel.Nifti1Image(np.full((4, 4, 1), -1.0), np.eye(4)).to_filename(tmp_path / "phase.nii")
    with pytest.raises(WrongKindOfFile, match="negative"):
        run_flags(DIFFERENCE, tmp_path / "phase.nii", second=pair[1])
    (tmp_path / "cut.nii").write_bytes((tmp_path / "phase.nii").read_bytes()[:360])
    with pytest.raises(UnreadableFile):
        run_flags(DIFFERENCE, tmp_path / "cut.nii", second=pair[1])


def test_raw_data_of_one_repetition_need_a_second_file(tmp_path: Path) -> None:
    write_npz(tmp_path / "one.npz", simulate(Phantom(n_coils=1, n_x=16, n_y=16)))
    with pytest.raises(ReconstructionError, match="one repetition"):
        run_flags(Flags(method="difference", reconstruction="rss"), tmp_path / "one.npz")


@pytest.mark.real_data
def test_the_public_pair_of_replicas(tmp_path: Path) -> None:
    """Two Shepp-Logan replicas: noise of one sd everywhere, so the spread of the difference is that of the air, too."""
    folder = Path(__file__).parents[2].parent / "shared" / "data" / "dicom"
    if not folder.is_dir():
        pytest.skip("the scanner files (../shared/data beside the repository) are not here")
    first, second = (
        pydicom.dcmread(folder / f"DI{name}Image.dcm").pixel_array.astype(float) for name in ("First", "Second")
    )
    result = run_flags(DIFFERENCE, folder / "DIFirstImage.dcm", second=folder / "DISecondImage.dcm")
    mask = map_of(result, MapId.MASK).data[0] > 0
    expected = np.sqrt(2) * ((first + second) / 2)[mask].mean() / (first - second)[mask].std(ddof=1)
    assert f"the SNR is {expected:.4g}" in " ".join(result.methods)
