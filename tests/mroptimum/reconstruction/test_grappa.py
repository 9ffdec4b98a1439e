from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from griswold import Griswold, to_image
from mroptimum.errors import ReconstructionError
from mroptimum.reconstruction.grappa import Grappa, grappa
from mroptimum.reconstruction.grappa_kernel import calibrate
from mroptimum.reconstruction.rss import RootSumOfSquares
from mroptimum.snr.analytic import analytic_snr
from mroptimum.snr.pseudo_replicas import pseudo_replica_snr
from mroptimum.task import NoiseDomain
from mroptimum.threads import in_parallel
from scenes import build_scene

Array = NDArray[np.complex128]
Lines = NDArray[np.bool_]


def comb(n: int, first: int, acceleration: int, last: int | None = None) -> Lines:
    sampled = np.zeros(n, dtype=bool)
    sampled[first:last:acceleration] = True
    return sampled


def central(n: int, width: int) -> Lines:
    sampled = np.zeros(n, dtype=bool)
    sampled[n // 2 - width // 2 :][:width] = True
    return sampled


def white(n_coils: int, n_y: int, n_x: int, seed: int = 0) -> Array:
    """Return noise-free k-space of a scene, (coil, y, x), its coils whitened."""
    scene = build_scene(n_coils, n_y, n_x, seed)
    kspace: Array = np.einsum("cd,dyx->cyx", np.linalg.inv(np.linalg.cholesky(scene.psi)), scene.kspace())
    return kspace


def harmonic(n_coils: int, n_y: int, n_x: int) -> Array:
    """Return k-space of a random object under coil maps of three harmonics along each axis: periodic, band-limited."""
    rng = np.random.default_rng(5)
    m = rng.normal(size=(n_y, n_x)) + 1j * rng.normal(size=(n_y, n_x))
    weights = rng.normal(size=(n_coils, 3, 3)) + 1j * rng.normal(size=(n_coils, 3, 3))
    kspace = np.zeros((n_coils, n_y, n_x), dtype=np.complex128)
    for a, b in product(range(3), range(3)):
        kspace += weights[:, a, b, None, None] * np.roll(m, (a - 1, b - 1), axis=(0, 1))
    return kspace


def power(images: Array) -> NDArray[np.float64]:
    total: NDArray[np.float64] = np.sum(np.abs(images) ** 2, axis=-3)
    return total


def build(kspace: Array, sampled: Lines, acceleration: int, size: tuple[int, int] = (3, 2), width: int = 24) -> Grappa:
    acs = central(kspace.shape[1], min(width, kspace.shape[1]))
    kernel = calibrate(kspace * acs[:, None], acs, acceleration, size=size)
    return grappa(kernel, kspace * sampled[:, None], sampled)


@pytest.mark.parametrize(
    ("acceleration", "size", "n_coils"),
    # A window of x * y sources of each coil sees ((y - 1) R + 3)(x + 2) samples of the object: as many equations as
    # unknowns, so that one kernel is exact, for every sample.
    [(2, (2, 2), 5), (2, (1, 3), 7), (3, (2, 2), 6), (3, (3, 2), 5)],
)
@pytest.mark.parametrize("first", [0, 1])
def test_band_limited_maps_are_filled_exactly(
    acceleration: int, size: tuple[int, int], n_coils: int, first: int
) -> None:
    n_sources = size[0] * size[1] * n_coils
    assert n_sources == ((size[1] - 1) * acceleration + 3) * (size[0] + 2)
    kspace = harmonic(n_coils, 24, 20)
    acs = central(24, 18)
    kernel = calibrate(kspace * acs[:, None], acs, acceleration, size=size, regularisation=0.0)
    sampled = comb(24, first, acceleration)
    image = grappa(kernel, kspace, sampled).image(kspace * sampled[:, None])
    np.testing.assert_allclose(image, np.sqrt(power(to_image(kspace))), rtol=1e-8)


@settings(max_examples=25)
@given(
    n_coils=st.integers(3, 4),
    n_y=st.integers(20, 23),
    n_x=st.integers(11, 12),
    acceleration=st.integers(2, 3),
    first=st.integers(0, 2),
    last=st.sampled_from([None, 14]),
    size=st.tuples(st.integers(1, 4), st.integers(2, 4)),
)
def test_image_and_noise_are_those_of_grappa_in_kspace(
    n_coils: int, n_y: int, n_x: int, acceleration: int, first: int, last: int | None, size: tuple[int, int]
) -> None:
    """End to end: kernel, filling, image and variance, the latter from the response to every single sample."""
    kspace = white(n_coils, n_y, n_x)
    first %= acceleration
    sampled = comb(n_y, first, acceleration, last)
    slow = Griswold(acceleration=acceleration, size=size)
    everything = np.ones(n_y, dtype=bool)
    weights = slow.fit(kspace, everything, 1e-3)
    kernel = calibrate(kspace, everything, acceleration, size=size)
    fast = grappa(kernel, kspace * sampled[:, None], sampled)

    coils = to_image(slow.fill(kspace * sampled[:, None], first, weights))
    magnitude = np.sqrt(power(coils))
    np.testing.assert_allclose(fast.image(kspace * sampled[:, None]), magnitude, rtol=1e-9)

    recorded = np.flatnonzero(np.broadcast_to(sampled[:, None], kspace.shape))
    impulses = np.zeros((len(recorded), kspace.size), dtype=np.complex128)
    impulses[np.arange(len(recorded)), recorded] = 1
    responses = to_image(slow.fill(impulses.reshape(-1, *kspace.shape), first, weights))
    variance = np.sum(np.abs(np.sum((coils / magnitude).conj() * responses, axis=1)) ** 2, axis=0)
    # What partial Fourier takes off the noise stands in the scale chain.
    whole = len(range(first, n_y, acceleration))
    variance *= whole / sampled.sum()
    np.testing.assert_allclose(fast.noise_sd, np.sqrt(variance), rtol=1e-9)
    np.testing.assert_allclose(fast.g_factor, np.sqrt(variance * whole / n_y), rtol=1e-9)


@pytest.mark.parametrize(("n_y", "first"), [(16, 1), (17, 0)])
def test_noise_of_the_image_has_the_predicted_sd(rng: np.random.Generator, n_y: int, first: int) -> None:
    """The noise propagation by experiment: white noise on k-space, 4 000 times, through the same kernel."""
    sampled = comb(n_y, first, 2)
    # Far above the noise, where the magnitude is linear.
    kspace = 1e4 * white(4, n_y, 6) * sampled[:, None]
    reconstruction = grappa(calibrate(white(4, n_y, 6), np.ones(n_y, dtype=bool), 2, size=(3, 2)), kspace, sampled)
    image = reconstruction.image(kspace)
    n = 4000
    total = np.zeros(image.shape)
    for _ in range(n):
        noise = (rng.standard_normal(kspace.shape) + 1j * rng.standard_normal(kspace.shape)) / np.sqrt(2)
        total += (reconstruction.image(kspace + noise * sampled[:, None]) - image) ** 2
    ratio = np.sqrt(2 * total / n) / reconstruction.noise_sd
    # One component: the sd of one ratio is 1 / sqrt(2 n).
    assert abs(np.median(ratio) - 1) < 0.01
    assert np.max(np.abs(ratio - 1)) < 5 / np.sqrt(2 * n)


@pytest.mark.parametrize("domain", list(NoiseDomain))
def test_replicas_with_the_same_kernel_agree(domain: NoiseDomain) -> None:
    sampled = comb(24, 1, 2)
    everywhere = 10 * white(6, 24, 20)
    kspace = (everywhere * sampled[:, None]).astype(np.complex64)
    reconstruction = build(everywhere, sampled, 2)
    predicted = analytic_snr(reconstruction, kspace).snr
    drawn, used = pseudo_replica_snr(reconstruction, kspace, 1000, np.random.SeedSequence(3), domain=domain)
    assert used is domain
    high = predicted > 20
    assert high.sum() > 200
    ratio = drawn.snr[high] / predicted[high]
    assert abs(np.median(ratio) - 1) < 0.01
    assert np.std(ratio) == pytest.approx(1 / np.sqrt(2 * 999), rel=0.15)


@pytest.mark.parametrize(("n_y", "acceleration", "first"), [(24, 1, 0), (24, 2, 1), (24, 3, 2), (21, 3, 0), (26, 2, 0)])
def test_voxel_groups_give_image_and_noise(n_y: int, acceleration: int, first: int) -> None:
    kspace = white(5, n_y, 9)
    sampled = comb(n_y, first, acceleration)
    reconstruction = build(kspace, sampled, acceleration)
    combination = reconstruction.combination
    assert combination is not None
    assert (combination.n_folds, combination.n_outputs) == (acceleration, 5 * acceleration)
    folded = reconstruction.coil_images(kspace * sampled[:, None])
    assert folded.shape == (5, n_y // acceleration, 9)
    matrices = np.concatenate([combination.matrices(slice(x, x + 2)) for x in range(0, 9, 2)])
    outputs = np.einsum("xyoc,cyx->xyo", matrices, folded).reshape(9, -1, acceleration, 5)
    magnitude = np.linalg.norm(outputs, axis=-1)
    image = combination.spread(magnitude.transpose(2, 1, 0))
    np.testing.assert_allclose(image, reconstruction.image(kspace), rtol=1e-10)
    per_fold = matrices.reshape(9, -1, acceleration, 5, 5)
    u = np.einsum("xyfo,xyfoc->xyfc", (outputs / magnitude[..., None]).conj(), per_fold)
    sd = combination.spread(np.linalg.norm(u, axis=-1).transpose(2, 1, 0))
    np.testing.assert_allclose(sd, reconstruction.noise_sd, rtol=1e-10)


def test_groups_of_voxels_end_where_the_comb_does_not_close() -> None:
    reconstruction = build(white(4, 25, 8), comb(25, 0, 2), 2)
    assert reconstruction.combination is None
    assert reconstruction.coil_images(white(4, 25, 8)).shape == (4, 13, 8)


def test_coil_images_keep_the_power_of_noise(rng: np.random.Generator) -> None:
    sampled = comb(24, 1, 2)
    reconstruction = build(white(4, 24, 16), sampled, 2)
    noise = rng.standard_normal((4, 24, 16)) + 1j * rng.standard_normal((4, 24, 16))
    folded = reconstruction.coil_images(noise)
    assert np.sum(np.abs(folded) ** 2) == pytest.approx(np.sum(np.abs(noise[:, sampled]) ** 2), rel=1e-12)


@pytest.mark.parametrize("n_coils", [1, 5])
@pytest.mark.parametrize("n_y", [16, 17])
def test_without_acceleration_it_is_the_root_of_sum_of_squares(n_coils: int, n_y: int) -> None:
    kspace = white(n_coils, n_y, 9)
    reconstruction = build(kspace, np.ones(n_y, dtype=bool), 1)
    np.testing.assert_allclose(reconstruction.g_factor, 1.0, rtol=1e-12)
    np.testing.assert_allclose(reconstruction.noise_sd, 1.0, rtol=1e-12)
    plain = analytic_snr(RootSumOfSquares(n_coils=n_coils), kspace)
    np.testing.assert_allclose(analytic_snr(reconstruction, kspace).snr, plain.snr, rtol=1e-12)


def mixed(kspace: Array, seed: int = 2) -> Array:
    rng = np.random.default_rng(seed)
    n = len(kspace)
    unitary = np.linalg.qr(rng.normal(size=(n, n)) + 1j * rng.normal(size=(n, n)))[0]
    changed: Array = np.einsum("cd,dyx->cyx", unitary, kspace)
    return changed


@pytest.mark.parametrize("n_y", [24, 25])
@pytest.mark.parametrize(
    ("change", "scale"),
    [
        (lambda k: k[[3, 0, 4, 1, 2]], 1.0),
        (mixed, 1.0),
        (lambda k: k * np.exp(1.1j), 1.0),
        (lambda k: k * 1e-12, 1e-12),
    ],
    ids=["permuted", "mixed", "phase", "units"],
)
def test_what_must_not_matter(n_y: int, change: object, scale: float) -> None:
    assert callable(change)
    sampled = comb(n_y, 1, 2)
    kspace = white(5, n_y, 12)
    plain, changed = build(kspace, sampled, 2), build(change(kspace), sampled, 2)
    np.testing.assert_allclose(changed.image(change(kspace)), scale * plain.image(kspace), rtol=1e-9)
    np.testing.assert_allclose(changed.noise_sd, plain.noise_sd, rtol=1e-9)
    np.testing.assert_allclose(changed.g_factor, plain.g_factor, rtol=1e-9)


def test_a_later_first_line_gives_nearly_the_same_maps() -> None:
    """Only the regularisation makes the filled lines differ from the acquired ones, so a comb's place hardly counts."""
    kspace = harmonic(8, 24, 20)
    kernel = calibrate(kspace, np.ones(24, dtype=bool), 2, regularisation=1e-8)
    maps = [grappa(kernel, kspace, comb(24, first, 2)) for first in (0, 1)]
    np.testing.assert_allclose(maps[0].image(kspace), maps[1].image(kspace), rtol=1e-3)
    np.testing.assert_allclose(maps[0].noise_sd, maps[1].noise_sd, rtol=1e-2)


@pytest.mark.parametrize("n_y", [48, 49])
def test_the_image_is_close_to_the_fully_sampled_one(n_y: int) -> None:
    kspace = harmonic(8, n_y, 40)
    rng = np.random.default_rng(8)
    noisy = kspace + 0.01 * (rng.normal(size=kspace.shape) + 1j * rng.normal(size=kspace.shape))
    sampled = comb(n_y, 0, 2)
    image = build(noisy, sampled, 2, size=(5, 4)).image(noisy)
    full = np.sqrt(power(to_image(kspace)))
    error = np.linalg.norm(image - full) / np.linalg.norm(full)
    zero_filled = 2 * np.sqrt(power(to_image(kspace * sampled[:, None])))
    assert error < 0.1 * np.linalg.norm(zero_filled - full) / np.linalg.norm(full)


@pytest.mark.parametrize(("n_y", "acceleration"), [(48, 2), (48, 3), (49, 2)])
def test_single_precision(n_y: int, acceleration: int) -> None:
    kspace = white(8, n_y, 16)
    sampled = comb(n_y, 1, acceleration)
    kernel = calibrate(kspace, np.ones(n_y, dtype=bool), acceleration)
    double, single = (grappa(kernel, k, sampled) for k in (kspace, kspace.astype(np.complex64)))
    image = single.image(kspace.astype(np.complex64))
    assert image.dtype == single.noise_sd.dtype == single.g_factor.dtype == np.float32
    np.testing.assert_allclose(image, double.image(kspace), rtol=1e-4)
    np.testing.assert_allclose(single.noise_sd, double.noise_sd, rtol=1e-4)


def test_where_there_is_no_image_there_is_no_noise() -> None:
    kspace = white(4, 24, 12)
    sampled = comb(24, 0, 2)
    kernel = calibrate(kspace, np.ones(24, dtype=bool), 2)
    nothing = grappa(kernel, np.zeros_like(kspace), sampled)
    assert not np.any(nothing.noise_sd)
    assert not np.any(nothing.g_factor)
    assert not np.any(analytic_snr(nothing, np.zeros_like(kspace)).snr)


@pytest.mark.parametrize("n_y", [24, 25])
def test_lines_beside_the_comb_do_not_count(n_y: int) -> None:
    kspace = white(4, n_y, 12)
    sampled = comb(n_y, 1, 2)
    reconstruction = build(kspace, sampled, 2)
    np.testing.assert_array_equal(reconstruction.image(kspace), reconstruction.image(kspace * sampled[:, None]))
    np.testing.assert_array_equal(grappa(reconstruction.kernel, kspace, sampled).noise_sd, reconstruction.noise_sd)


def test_applying_twice_or_side_by_side_gives_the_same_and_leaves_the_input_alone() -> None:
    kspace = white(4, 24, 40)
    before = kspace.copy()
    sampled = comb(24, 0, 2)
    reconstruction = build(kspace, sampled, 2)
    image = reconstruction.image(kspace)
    for again in in_parallel(reconstruction.image, [kspace] * 6):
        np.testing.assert_array_equal(again, image)
    np.testing.assert_array_equal(grappa(reconstruction.kernel, kspace, sampled).noise_sd, reconstruction.noise_sd)
    np.testing.assert_array_equal(kspace, before)


def test_the_image_kept_from_building_is_that_of_the_same_data_only() -> None:
    kspace, sampled = white(4, 24, 12), comb(24, 0, 2)
    own = build(kspace, sampled, 2)
    other = grappa(own.kernel, np.ones_like(kspace), sampled)
    np.testing.assert_array_equal(own.image(kspace), other.image(kspace))
    own.image(kspace)[:] = 0
    np.testing.assert_array_equal(own.image(kspace), other.image(kspace))
    kspace[2, 4] = 0
    np.testing.assert_array_equal(own.image(kspace), other.image(kspace))
    kspace[:, 4] = np.nan
    assert np.all(np.isnan(own.image(kspace)))


def irregular() -> Lines:
    sampled = comb(24, 0, 2)
    sampled[5] = True
    return sampled


@pytest.mark.parametrize("sampled", [irregular(), comb(24, 0, 3), np.zeros(24, dtype=bool)])
def test_irregular_sampling_is_refused(sampled: Lines) -> None:
    kspace = white(4, 24, 12)
    kernel = calibrate(kspace, np.ones(24, dtype=bool), 2)
    with pytest.raises(ReconstructionError, match="one in 2"):
        grappa(kernel, kspace, sampled)


def test_calibration_lines_of_other_coils_are_refused() -> None:
    kernel = calibrate(white(5, 24, 12), np.ones(24, dtype=bool), 2)
    with pytest.raises(ReconstructionError, match="5 coils, the signal 4"):
        grappa(kernel, white(4, 24, 12), comb(24, 0, 2))
