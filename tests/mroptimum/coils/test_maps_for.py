from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from acquisitions import acquisition
from coil_scenes import CoilScene, coil_scene
from mroptimum.coils import CalibrationRegion, SliceSources, maps_for, read_sources, root_sum_of_squares
from mroptimum.errors import ReconstructionError
from mroptimum.fourier import to_image, to_kspace
from mroptimum.task import CoilMapMethod, FileOptions, FileReference, Mask, MaskMethod, SensitivityMapOptions

N_Y, N_X = 48, 64
FILE = FileReference.model_validate({"type": "file", "options": {"type": "local", "filename": "a"}})
SCENE = coil_scene(6, N_Y, N_X, snr=50, radius=0.5)
REGION = CalibrationRegion(kspace=SCENE.kspace.astype(np.complex64), widths=(24, 24), noise_sd=1.0)
UPLOADED = np.arange(N_Y * N_X).reshape(N_Y, N_X) % 3 == 0
BODY = to_kspace(np.sum(SCENE.maps.conj() * to_image(SCENE.kspace), axis=0))[None]
SOURCES = SliceSources(maps=SCENE.maps.astype(np.complex64), body_coil=BODY, mask=UPLOADED)

MASKS = {
    MaskMethod.NO: Mask(),
    MaskMethod.PERCENTAGE: Mask(method=MaskMethod.PERCENTAGE, value=20),
    MaskMethod.THRESHOLD: Mask(method=MaskMethod.THRESHOLD, value=10),
    MaskMethod.REFERENCE: Mask(method=MaskMethod.REFERENCE),
    MaskMethod.ESPIRIT: Mask(method=MaskMethod.ESPIRIT, k=5, r=20, t=0.03, c=0.95),
    MaskMethod.UPLOAD: Mask(method=MaskMethod.UPLOAD, file=FILE),
}


def options(method: CoilMapMethod, mask: Mask | None = None) -> SensitivityMapOptions:
    scan = FileReference(type="file", options=FileOptions(type="local", filename="body.dat"))
    return SensitivityMapOptions(
        sensitivity_map_method=method,
        sensitivity_map_source=scan if method is CoilMapMethod.BODYCOIL else None,
        mask=mask or Mask(),
    )


def sources_of(method: CoilMapMethod) -> SliceSources:
    return SliceSources(body_coil=BODY if method is CoilMapMethod.BODYCOIL else None, mask=UPLOADED)


@pytest.mark.parametrize("mask", MaskMethod)
@pytest.mark.parametrize("method", CoilMapMethod)
def test_every_method_goes_with_every_mask(method: CoilMapMethod, mask: MaskMethod) -> None:
    found = maps_for(options(method, MASKS[mask]), REGION, sources_of(method))
    norm = root_sum_of_squares(found.maps)
    np.testing.assert_allclose(norm[found.mask], 1.0, rtol=1e-5)
    assert not np.any(norm[~found.mask])
    assert SCENE.snr_loss(np.where(found.mask, found.maps, SCENE.maps)).mean() < 2e-3
    if mask is MaskMethod.UPLOAD:
        assert np.array_equal(found.mask, UPLOADED)
    elif mask is MaskMethod.NO:
        assert found.mask.all()
    else:
        assert found.mask[SCENE.is_object].mean() > 0.98
        assert found.mask[SCENE.is_object].size < found.mask.sum() < found.mask.size


@pytest.mark.parametrize("mask", MaskMethod)
def test_maps_from_a_file_are_used_as_they_are(mask: MaskMethod) -> None:
    found = maps_for(options(CoilMapMethod.INNER, MASKS[mask]), REGION, SOURCES)
    np.testing.assert_allclose(found.maps[:, found.mask], SCENE.maps[:, found.mask], atol=1e-6)
    assert "file" in found.method


def test_words_say_how_maps_were_made() -> None:
    words = {method: maps_for(options(method), REGION, sources_of(method)).method for method in CoilMapMethod}
    assert "10.1002/mrm.24751" in words[CoilMapMethod.ESPIRIT]
    assert "kernel 6" in words[CoilMapMethod.ESPIRIT]
    assert "Walsh 2000" in words[CoilMapMethod.WALSH]
    assert "Inati" in words[CoilMapMethod.INATI]
    assert "body coil" in words[CoilMapMethod.BODYCOIL]
    assert words[CoilMapMethod.INNER] == "Hann-apodised, 24 lines x 24 samples"


def test_the_parameters_of_an_espirit_mask_are_those_used() -> None:
    masks = [
        maps_for(options(CoilMapMethod.INNER, Mask(method=MaskMethod.ESPIRIT, **parameters)), REGION).mask.sum()
        for parameters in ({}, {"c": 0.99}, {"k": 8}, {"t": 0.2}, {"r": 12})
    ]
    assert len(set(masks)) == len(masks)
    assert masks[1] < masks[0]


def test_the_reference_mask_is_that_of_the_body_coil_where_there_is_one() -> None:
    half = np.where(np.arange(N_X) < N_X // 2, 1.0, 0.0)
    sources = SliceSources(body_coil=to_kspace(to_image(BODY) * half))
    found = maps_for(options(CoilMapMethod.BODYCOIL, MASKS[MaskMethod.REFERENCE]), REGION, sources)
    assert found.mask[:, :30].sum() > 100
    assert not np.any(found.mask[:, 38:])


def test_voxels_without_any_sensitivity_are_no_object() -> None:
    maps = SCENE.maps.copy()
    maps[:, :10] = 0
    found = maps_for(options(CoilMapMethod.INNER), None, SliceSources(maps=maps))
    assert not np.any(found.mask[:10])
    assert found.mask[10:].all()


@pytest.mark.parametrize("mask", [MaskMethod.NO, MaskMethod.UPLOAD])
def test_maps_from_a_file_need_no_calibration_lines(mask: MaskMethod) -> None:
    found = maps_for(options(CoilMapMethod.INNER, MASKS[mask]), None, SOURCES)
    assert np.array_equal(found.mask, UPLOADED if mask is MaskMethod.UPLOAD else np.ones((N_Y, N_X), dtype=np.bool_))


@pytest.mark.parametrize(
    ("chosen", "region", "sources", "what"),
    [
        (options(CoilMapMethod.ESPIRIT), None, SliceSources(), "no calibration lines"),
        (options(CoilMapMethod.INNER, MASKS[MaskMethod.PERCENTAGE]), None, SOURCES, "no calibration lines"),
        (options(CoilMapMethod.INNER, MASKS[MaskMethod.ESPIRIT]), None, SOURCES, "no calibration lines"),
        (options(CoilMapMethod.BODYCOIL), REGION, SliceSources(), "scan of a body coil"),
        (options(CoilMapMethod.INNER, MASKS[MaskMethod.UPLOAD]), REGION, SliceSources(), "needs a file"),
    ],
)
def test_what_is_missing_is_said(
    chosen: SensitivityMapOptions, region: CalibrationRegion | None, sources: SliceSources, what: str
) -> None:
    with pytest.raises(ReconstructionError, match=what):
        maps_for(chosen, region, sources)


def scan_of(*scenes: CoilScene) -> np.ndarray:
    return np.stack([scene.kspace for scene in scenes]).astype(np.complex64)[None, None, :, :, None]


def test_files_are_read_once_and_handed_out_by_slice(tmp_path: Path, rng: np.random.Generator) -> None:
    scan = acquisition(scan_of(SCENE, SCENE))
    maps = rng.normal(size=(2, 6, N_Y, N_X)) + 1j * rng.normal(size=(2, 6, N_Y, N_X))
    mask = rng.random((2, N_Y, N_X)) < 0.5
    whitening = np.tril(rng.normal(size=(6, 6))) + 3 * np.eye(6, dtype=np.complex128)
    np.savez(tmp_path / "maps.npz", maps=maps)
    np.save(tmp_path / "mask.npy", mask)
    found = read_sources(
        options(CoilMapMethod.INNER), scan, whitening, source=tmp_path / "maps.npz", mask=tmp_path / "mask.npy"
    )
    assert len(found) == 2
    for index, of_slice in enumerate(found):
        assert of_slice.maps is not None
        assert of_slice.mask is not None
        assert of_slice.body_coil is None
        np.testing.assert_allclose(of_slice.maps, np.einsum("cd,dyx->cyx", whitening, maps[index]), rtol=1e-4)
        assert np.array_equal(of_slice.mask, mask[index])


def test_the_source_of_bodycoil_is_a_raw_file(tmp_path: Path) -> None:
    kspace = scan_of(SCENE)
    np.savez(tmp_path / "body.npz", kspace=kspace[0, 0, :, :2, 0])
    chosen = options(CoilMapMethod.BODYCOIL)
    [found] = read_sources(
        chosen, acquisition(kspace), np.eye(6, dtype=np.complex128), source=tmp_path / "body.npz", mask=None
    )
    assert found.maps is None
    assert found.body_coil is not None
    np.testing.assert_allclose(found.body_coil, kspace[0, 0, 0, :2, 0])


def test_without_files_there_are_no_sources() -> None:
    scan = acquisition(scan_of(SCENE, SCENE))
    found = read_sources(options(CoilMapMethod.INNER), scan, np.eye(6, dtype=np.complex128), source=None, mask=None)
    assert found == (SliceSources(), SliceSources())


def test_a_region_gives_its_centre_and_nothing_beyond_it() -> None:
    kspace = np.arange(8 * 9).reshape(1, 8, 9).astype(np.complex128)
    region = CalibrationRegion(kspace=kspace, widths=(4, 9))
    assert region.block(24).shape == (1, 4, 9)
    np.testing.assert_array_equal(region.block(3), kspace[:, 3:6, 3:6])
    assert replace(region, widths=(8, 9)).block(24).shape == (1, 8, 9)
