from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from coil_scenes import CoilScene, coil_scene
from mroptimum import rawdata
from mroptimum.coils.bodycoil import body_coil_kspace
from mroptimum.coils.calibration import CalibrationRegion
from mroptimum.coils.espirit import CROP, espirit
from mroptimum.coils.walsh import walsh
from mroptimum.errors import ReconstructionError


def region(scene: CoilScene, *, noise_sd: float | None = None) -> CalibrationRegion:
    n_y, n_x = scene.kspace.shape[-2:]
    return CalibrationRegion(kspace=scene.kspace, widths=(min(24, n_y), min(24, n_x)), noise_sd=noise_sd)


def by_definition(
    kspace: NDArray[np.complex128], kernel: int, threshold: float
) -> tuple[NDArray[np.complex128], NDArray[np.float64]]:
    """Return G(q), (y, x, coil, coil), from the formula itself, and its eigenvalues, (y, x, coil), ascending."""
    n_coils, n_y, n_x = kspace.shape
    patches = [
        kspace[:, y : y + kernel, x : x + kernel].ravel()
        for y in range(n_y - kernel + 1)
        for x in range(n_x - kernel + 1)
    ]
    left, singular, _ = np.linalg.svd(np.array(patches).T, full_matrices=False)
    signal = left[:, singular > threshold * singular[0]]
    projection = (signal @ signal.conj().T).reshape(n_coils, kernel**2, n_coils, kernel**2)
    d_y, d_x = (d.ravel() for d in np.meshgrid(np.arange(kernel), np.arange(kernel), indexing="ij"))
    g = np.empty((n_y, n_x, n_coils, n_coils), dtype=np.complex128)
    for y in range(n_y):
        for x in range(n_x):
            wave = np.exp(2j * np.pi * (d_y * (y - n_y // 2) / n_y + d_x * (x - n_x // 2) / n_x))
            g[y, x] = np.einsum("cpdq,p,q->cd", projection, wave, wave.conj()) / kernel**2
    return g, np.asarray(np.linalg.eigvalsh(g))


@pytest.mark.parametrize(("n_coils", "n_y", "n_x", "kernel"), [(3, 12, 15, 3), (2, 13, 10, 4), (5, 11, 12, 3)])
def test_eigenvalues_and_vectors_are_those_of_the_definition(n_coils: int, n_y: int, n_x: int, kernel: int) -> None:
    """Patches fewer than samples of a patch and more, coils few and many: the same G."""
    scene = coil_scene(n_coils, n_y, n_x, snr=50)
    found = espirit(region(scene), kernel=kernel, threshold=0.05)
    g, eigenvalues = by_definition(scene.kspace, kernel, 0.05)
    is_alone = eigenvalues[..., -2] < 0.7 * eigenvalues[..., -1]
    assert is_alone[scene.is_object].all()
    np.testing.assert_allclose(found.eigenvalue[is_alone], eigenvalues[..., -1][is_alone], rtol=1e-5)
    vectors = found.maps.transpose(1, 2, 0)
    residual = np.einsum("yxcd,yxd->yxc", g, vectors) - eigenvalues[..., -1:] * vectors
    # The calibration image starts within 0.3 rad of the vector, and the filters damp what is wrong by 25 each.
    assert np.abs(residual[scene.is_object]).max() < 0.3 / 25**2


@pytest.mark.parametrize(
    ("n_coils", "snr", "mean", "worst"),
    [
        (4, None, 1e-5, 1e-4),
        (8, None, 1e-5, 1e-4),
        (4, 30, 2e-4, 2e-3),
        (8, 30, 4e-4, 3e-3),
        (16, 30, 7e-4, 4e-3),
        (8, 5, 6e-3, 3e-2),
    ],
)
def test_maps_lose_less_snr_than_stated(n_coils: int, snr: float | None, mean: float, worst: float) -> None:
    scene = coil_scene(n_coils, 48, 64, snr=snr)
    loss = scene.snr_loss(espirit(region(scene, noise_sd=None if snr is None else 1.0)).maps)
    assert loss.mean() < mean
    assert loss.max() < worst


def test_knowing_the_noise_keeps_it_out_of_the_signal_space() -> None:
    """At SNR 5 noise alone passes 0.02 of the largest singular value; its own level, known from whitening, stops it."""
    scene = coil_scene(8, 48, 64, snr=5)
    blind, informed = espirit(region(scene)), espirit(region(scene, noise_sd=1.0))
    assert blind.n_components > blind.n_singular_values / 2
    assert informed.n_components < informed.n_singular_values / 8
    assert scene.snr_loss(informed.maps).mean() < 0.5 * scene.snr_loss(blind.maps).mean()
    assert blind.eigenvalue[0, 0] > CROP > informed.eigenvalue[0, 0]


def test_noise_alone_has_no_signal_space(rng: np.random.Generator) -> None:
    kspace = np.sqrt(0.5) * (rng.normal(size=(8, 32, 32)) + 1j * rng.normal(size=(8, 32, 32)))
    found = espirit(CalibrationRegion(kspace=kspace, widths=(24, 24), noise_sd=1.0))
    assert found.n_components == 0
    assert not np.any(found.eigenvalue)


@pytest.mark.parametrize("snr", [None, 30])
def test_the_eigenvalue_is_one_inside_a_compact_object_and_below_the_crop_away_from_it(snr: float | None) -> None:
    scene = coil_scene(8, 64, 64, snr=snr, radius=0.4)
    found = espirit(region(scene, noise_sd=None if snr is None else 1.0))
    assert found.eigenvalue[scene.is_object].min() > 0.98
    assert found.eigenvalue.max() < 1 + 1e-6
    y, x = np.meshgrid(np.linspace(-1, 1, 64), np.linspace(-1, 1, 64), indexing="ij")
    far = x**2 + y**2 > 0.8**2
    assert found.eigenvalue[far].max() < CROP


@settings(max_examples=25)
@given(n_coils=st.integers(1, 33), n_y=st.integers(10, 17), n_x=st.integers(10, 17), seed=st.integers(0, 1000))
def test_maps_follow_the_coils_through_permutation_mixing_and_phase(
    n_coils: int, n_y: int, n_x: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    scene = coil_scene(n_coils, n_y, n_x, snr=100, seed=seed)
    mixing, _ = np.linalg.qr(rng.normal(size=(n_coils, n_coils)) + 1j * rng.normal(size=(n_coils, n_coils)))
    mixing = np.exp(1.3j) * mixing[rng.permutation(n_coils)]
    plain = espirit(region(scene), kernel=3)
    mixed = espirit(
        CalibrationRegion(kspace=np.einsum("cd,dyx->cyx", mixing, scene.kspace), widths=region(scene).widths), kernel=3
    )
    inside = scene.is_object
    np.testing.assert_allclose(mixed.eigenvalue[inside], plain.eigenvalue[inside], rtol=1e-10)
    turned = np.einsum("cd,dyx->cyx", mixing, plain.maps)
    np.testing.assert_allclose(mixed.maps[:, inside], turned[:, inside], atol=1e-9)


@pytest.mark.parametrize("scale", [1e-12, 1e9])
def test_the_unit_of_the_data_does_not_matter_in_single_precision(scale: float) -> None:
    scene = coil_scene(4, 24, 25, snr=30)
    plain = espirit(CalibrationRegion(kspace=scene.kspace.astype(np.complex64), widths=(24, 24)))
    scaled = espirit(CalibrationRegion(kspace=(scale * scene.kspace).astype(np.complex64), widths=(24, 24)))
    np.testing.assert_allclose(scaled.eigenvalue, plain.eigenvalue, atol=1e-5)
    assert np.abs(scaled.maps - plain.maps)[:, scene.is_object].max() < 1e-4
    assert plain.maps.dtype == np.complex64


def test_nothing_is_made_of_nothing() -> None:
    found = espirit(CalibrationRegion(kspace=np.zeros((3, 16, 16), dtype=np.complex64), widths=(16, 16)))
    assert not np.any(found.eigenvalue)
    assert not np.any(found.maps)


def test_maps_are_seen_as_real_and_positive_by_the_coil_that_receives_most() -> None:
    scene = coil_scene(6, 32, 32)
    found = espirit(region(scene))
    power = np.einsum("cyx,dyx->cd", scene.kspace, scene.kspace.conj())
    seen = np.einsum("c,cyx->yx", np.linalg.eigh(power)[1][:, -1].conj(), found.maps)[scene.is_object]
    turned = seen * np.exp(-1j * np.angle(seen[0]))
    assert np.abs(np.angle(turned)).max() < 0.05  # the region's principal coil, not quite that of all k-space


def test_inputs_are_not_changed_and_a_second_call_finds_the_same() -> None:
    scene = coil_scene(4, 32, 32, snr=30)
    before = scene.kspace.copy()
    first, second = espirit(region(scene)), espirit(region(scene))
    assert np.array_equal(scene.kspace, before)
    assert np.array_equal(first.maps, second.maps)


def test_samples_outside_the_region_are_not_used() -> None:
    scene = coil_scene(4, 48, 48, snr=30)
    only = np.zeros_like(scene.kspace)
    only[:, 12:37, 12:37] = scene.kspace[:, 12:37, 12:37]
    part = espirit(CalibrationRegion(kspace=only, widths=(24, 24)))
    whole = espirit(region(scene))
    np.testing.assert_allclose(part.maps, whole.maps, atol=1e-10)


@pytest.mark.parametrize(("n_lines", "kernel"), [(8, 4), (10, 5), (12, 6), (24, 6)])
def test_few_lines_get_smaller_patches_and_keep_the_object(n_lines: int, kernel: int) -> None:
    scene = coil_scene(8, 64, 64, snr=30)
    found = espirit(CalibrationRegion(kspace=scene.kspace, widths=(n_lines, 64), noise_sd=1.0))
    assert found.kernel == kernel
    assert found.eigenvalue[scene.is_object].min() > 0.95
    assert scene.snr_loss(found.maps).mean() < 5e-4


def test_a_region_smaller_than_a_patch_is_refused_with_what_would_do() -> None:
    scene = coil_scene(4, 24, 24)
    with pytest.raises(ReconstructionError, match="5 lines x 24 samples") as refusal:
        espirit(CalibrationRegion(kspace=scene.kspace, widths=(5, 24)), kernel=6)
    assert "at most 5" in refusal.value.next_step


@pytest.mark.real_data
def test_a_real_head_has_the_maps_that_another_method_finds(real_data: Path) -> None:
    """Inside the brain, ESPIRiT's maps and Walsh's agree to what 1 % of SNR tells apart, and the eigenvalue is 1."""
    scan = rawdata.read(real_data / "twix" / "xa61_brain_16ch_128.dat")
    [kspace] = body_coil_kspace(scan, scan)
    found = espirit(CalibrationRegion(kspace=kspace, widths=(24, 24)))
    other = walsh(CalibrationRegion(kspace=kspace, widths=(128, 128)))
    y, x = np.meshgrid(np.arange(128) - 64, np.arange(128) - 64, indexing="ij")
    brain = (x / 30) ** 2 + (y / 40) ** 2 < 1
    cosine = np.abs(np.sum(found.maps.conj() * other, axis=0))
    assert found.eigenvalue[brain].min() > 0.98
    assert 1 - cosine[brain].mean() < 0.01
    assert found.eigenvalue[[0, 0, -1, -1], [0, -1, 0, -1]].max() < 0.5
