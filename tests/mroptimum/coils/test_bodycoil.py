from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from acquisitions import acquisition
from coil_scenes import coil_scene
from mroptimum import rawdata
from mroptimum.coils import CalibrationRegion, coil_maps, inner_product
from mroptimum.coils.bodycoil import body_coil_kspace, body_coil_maps, reference_image
from mroptimum.errors import ReconstructionError
from mroptimum.fourier import to_image, to_kspace
from mroptimum.rawdata.acquisition import Acquisition, SliceGeometry

GEOMETRY = SliceGeometry(
    centre_mm=(1.0, 2.0, 3.0),
    readout_direction=(1.0, 0.0, 0.0),
    phase_direction=(0.0, 1.0, 0.0),
    slice_direction=(0.0, 0.0, 1.0),
    fov_mm=(200.0, 180.0, 5.0),
)


def scan(n_slices: int = 2, n_y: int = 8, n_x: int = 10, *, oversampling: float = 1.0) -> Acquisition:
    rng = np.random.default_rng(3)
    shape = (2, 1, n_slices, 3, 1, n_y, round(n_x * oversampling))
    kspace = (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(np.complex64)
    return replace(acquisition(kspace, oversampling=oversampling), geometry=(GEOMETRY,) * n_slices)


def test_the_phase_of_the_object_cancels_and_what_is_left_is_that_of_the_coils() -> None:
    scene = coil_scene(6, 32, 36)
    image = to_image(scene.kspace)
    body = inner_product(scene.maps, image)  # the object, as coils with the same sensitivity everywhere would see it
    reference = reference_image(to_kspace(body)[None], (32, 36))
    region = CalibrationRegion(kspace=scene.kspace, widths=(32, 36))
    maps = coil_maps(body_coil_maps(region, reference), scene.is_object, "test").maps
    inside = scene.is_object
    inside[[0, -1]] = False
    relative = maps * scene.maps.conj()
    mean_phase = np.angle(relative[:, inside].sum(axis=0))
    assert scene.snr_loss(maps).mean() < 1e-4
    assert np.abs(mean_phase - mean_phase.mean()).max() < 0.1


def test_channels_of_a_body_coil_make_one_image_in_phase() -> None:
    scene = coil_scene(1, 32, 32)
    channels = np.array([1.0, 0.8j])[:, None, None] * scene.kspace
    alone, together = reference_image(scene.kspace, (32, 32)), reference_image(channels, (32, 32))
    ratio = together[scene.is_object] / alone[scene.is_object]
    np.testing.assert_allclose(np.abs(ratio), np.hypot(1.0, 0.8), rtol=1e-10)
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-10)


def test_where_the_body_coil_sees_nothing_maps_stay_finite() -> None:
    scene = coil_scene(4, 16, 16)
    region = CalibrationRegion(kspace=scene.kspace, widths=(16, 16))
    np.testing.assert_allclose(body_coil_maps(region, np.zeros((16, 16), dtype=np.complex128)), region.image)


def test_averages_are_averaged_and_oversampling_is_removed() -> None:
    body = scan(oversampling=2.0)
    kspace = body_coil_kspace(body, scan())
    assert kspace.shape == (2, 3, 8, 10)
    whole = to_image(body.kspace[:, 0].mean(axis=0)[:, :, 0], axes=(-1,))
    np.testing.assert_allclose(to_image(kspace, axes=(-1,)), whole[..., 5:15], atol=1e-5)


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (scan(n_slices=1), "1 slices"),
        (scan(n_y=10), "10 lines"),
        (scan(n_x=12), "12 samples"),
        (replace(scan(), sampled=np.arange(8)[None] % 2 == 0), "not fully sampled"),
        (replace(scan(), geometry=(GEOMETRY, replace(GEOMETRY, centre_mm=(1.0, 2.0, 9.0)))), "slice 2 lies elsewhere"),
        (replace(scan(), geometry=(GEOMETRY, replace(GEOMETRY, fov_mm=(220.0, 180.0, 5.0)))), "slice 2"),
        (
            replace(scan(), geometry=(replace(GEOMETRY, readout_direction=(0.0, 1.0, 0.0)), GEOMETRY)),
            "slice 1 lies elsewhere",
        ),
    ],
)
def test_a_scan_of_something_else_is_refused_with_the_reason(body: Acquisition, what: str) -> None:
    with pytest.raises(ReconstructionError, match=what):
        body_coil_kspace(body, scan())


def test_files_without_geometry_are_taken_at_their_word() -> None:
    assert body_coil_kspace(replace(scan(), geometry=()), scan()).shape == (2, 3, 8, 10)


@pytest.mark.real_data
def test_an_array_scan_and_a_body_coil_scan_of_one_head(real_data: Path) -> None:
    """Combined with these maps, the array's image has the phase of the body coil's image."""
    array = rawdata.read(real_data / "twix" / "xa61_brain_16ch_128.dat")
    body = rawdata.read(real_data / "twix" / "xa61_brain_bodycoil_2ch_128.dat")
    [kspace] = body_coil_kspace(array, array)
    [body_kspace] = body_coil_kspace(body, array)
    region = CalibrationRegion(kspace=kspace, widths=(32, 32))
    reference = reference_image(body_kspace, region.widths)
    inside = np.abs(reference) > 0.2 * np.abs(reference).max()
    maps = coil_maps(body_coil_maps(region, reference), inside, "test").maps
    combined = inner_product(maps, region.image)
    np.testing.assert_allclose(np.angle(combined / np.where(inside, reference, 1))[inside], 0, atol=1e-4)
