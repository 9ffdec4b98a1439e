from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.io
from numpy.typing import NDArray

from coil_scenes import coil_scene
from mroptimum.coils import CalibrationRegion
from mroptimum.coils.masks import object_mask, read_mask, reference_mask
from mroptimum.coils.slice_grid import SliceGrid
from mroptimum.coils.sums import root_sum_of_squares
from mroptimum.errors import ReconstructionError, UnreadableFile, WrongKindOfFile
from mroptimum.export.nifti import stacks, write_nifti
from mroptimum.task import Mask, MaskMethod

GRID = SliceGrid(n_slices=2, n_coils=4, n_y=3, n_x=5)
MASK: NDArray[np.bool_] = np.arange(30).reshape(2, 3, 5) % 7 < 3


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        (Mask(), [True, True, True, True]),
        (Mask(method=MaskMethod.PERCENTAGE, value=50), [False, False, True, True]),
        (Mask(method=MaskMethod.THRESHOLD, value=2 * np.sqrt(2)), [False, True, True, True]),
        (Mask(method=MaskMethod.REFERENCE), [False, False, False, True]),
    ],
)
def test_masks_of_four_voxels(mask: Mask, expected: list[bool]) -> None:
    image = np.array([[[1, 2, 4, 80j]]] if mask.method is MaskMethod.REFERENCE else [[[1, 2, 4, 8j]]])
    assert object_mask(image, mask)[0].tolist() == expected


@pytest.mark.parametrize("method", [MaskMethod.ESPIRIT, MaskMethod.UPLOAD])
def test_a_mask_that_is_not_made_from_an_image_is_not_made_up(method: MaskMethod) -> None:
    with pytest.raises(ValueError, match=method):
        object_mask(np.ones((1, 2, 2), dtype=np.complex64), Mask.model_construct(method=method))


@pytest.mark.parametrize("brightness", [1e-6, 1.0, 1e6])
def test_the_reference_mask_parts_two_classes_whatever_their_brightness(
    brightness: float, rng: np.random.Generator
) -> None:
    """Coil shading of a factor 5 across the object does not matter; linear Otsu would cut through it."""
    y, x = np.meshgrid(np.linspace(-1, 1, 60), np.linspace(-1, 1, 50), indexing="ij")
    is_object = x**2 + y**2 < 0.5
    noise = np.abs(rng.normal(size=y.shape) + 1j * rng.normal(size=y.shape))
    magnitude = brightness * (noise + is_object * 40 * np.exp(0.8 * (x + y)))
    assert np.mean(reference_mask(magnitude) != is_object) < 0.002


def test_the_reference_mask_of_a_low_resolution_image_covers_the_object() -> None:
    scene = coil_scene(8, 64, 64, snr=20)
    image = CalibrationRegion(kspace=scene.kspace, widths=(32, 32)).image
    found = reference_mask(root_sum_of_squares(image))
    assert found[scene.is_object].all()
    y, x = np.meshgrid(np.linspace(-1, 1, 64), np.linspace(-1, 1, 64), indexing="ij")
    assert not np.any(found[x**2 + y**2 > 0.8**2])


def test_an_image_of_one_value_is_all_object_and_an_image_of_nothing_has_none() -> None:
    assert reference_mask(np.full((3, 4), 2.0)).all()
    assert not reference_mask(np.zeros((3, 4))).any()


def written(mask: NDArray[np.bool_], path: Path) -> Path:
    match path.suffixes:
        case [".npy"]:
            np.save(path, mask)
        case [".npz"]:
            np.savez_compressed(path, mask=mask, other=np.ones((2, 2)))
        case [".mat"]:
            scipy.io.savemat(path, {"region": mask.astype(np.uint8).transpose(2, 1, 0)}, do_compression=True)
        case _:
            [stack] = stacks((), len(mask), mask.shape[1:])
            write_nifti(path, mask.astype(np.uint8), stack, unit="1", description="mask")
    return path


@pytest.mark.parametrize("name", ["m.npy", "m.npz", "m.mat", "m.nii.gz"])
def test_a_mask_comes_back_from_every_format(name: str, tmp_path: Path) -> None:
    assert np.array_equal(read_mask(written(MASK, tmp_path / name), GRID), MASK)


def test_one_slice_needs_no_axis_for_it(tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", MASK[0].astype(np.float64))
    grid = SliceGrid(n_slices=1, n_coils=1, n_y=3, n_x=5)
    assert np.array_equal(read_mask(tmp_path / "m.npy", grid), MASK[:1])


@pytest.mark.parametrize("shape", [(2, 5, 3), (3, 5), (1, 3, 5), (2, 3, 6)])
def test_a_mask_of_another_shape_is_refused_with_both_shapes(shape: tuple[int, ...], tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", np.ones(shape, dtype=np.bool_))
    with pytest.raises(ReconstructionError) as refusal:
        read_mask(tmp_path / "m.npy", GRID)
    assert str(shape) in refusal.value.message
    assert "(2, 3, 5)" in refusal.value.message


def test_a_file_with_several_candidates_is_not_guessed_at(tmp_path: Path) -> None:
    np.savez(tmp_path / "m.npz", a=MASK, b=MASK)
    with pytest.raises(WrongKindOfFile, match="2 arrays"):
        read_mask(tmp_path / "m.npz", GRID)


def test_a_picture_is_not_a_mask(tmp_path: Path) -> None:
    (tmp_path / "m.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    with pytest.raises(UnreadableFile, match=r"mask cannot be read\. The file holds no map"):
        read_mask(tmp_path / "m.png", GRID)
