from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mroptimum.coils import CoilMaps
from mroptimum.errors import TaskError
from mroptimum.reconstruction import Reconstruction
from mroptimum.reconstruction.b1 import B1Weighted
from mroptimum.reconstruction.rss import RootSumOfSquares
from mroptimum.reconstruction.sense import sense
from mroptimum.snr.analytic import analytic_snr
from mroptimum.snr.generalised import box_variance, generalised_pseudo_replica_snr
from mroptimum.snr.pseudo_replicas import REPLICAS_PER_BATCH, pseudo_replica_snr
from mroptimum.snr.replicas import bias_of_inverse, multiple_replica_snr
from mroptimum.snr.white_noise import white_noise
from mroptimum.task import NoiseDomain
from scenes import build_scene

Snr = NDArray[np.float64]
SEED = 7


def seed() -> np.random.SeedSequence:
    return np.random.SeedSequence(SEED)


def setting(name: str, n: int = 32) -> tuple[Reconstruction, NDArray[np.complex64]]:
    """A reconstruction and the noise-free whitened k-space of a scene with SNR well above 20."""
    scene = build_scene(6, n, n)
    inverse = np.linalg.inv(np.linalg.cholesky(scene.psi))
    maps = np.einsum("cd,dyx->cyx", inverse, scene.s)
    maps /= np.sqrt(np.sum(np.abs(maps) ** 2, axis=0))
    coils = CoilMaps(maps=maps.astype(np.complex64), mask=np.ones((n, n), dtype=np.bool_), method="true")
    kspace = (4 * np.einsum("cd,dyx->cyx", inverse, scene.kspace())).astype(np.complex64)
    lines = np.ones(n, dtype=np.bool_)
    if name.startswith("sense"):
        acceleration = int(name[-1])
        lines = np.arange(n) % acceleration == 1 % acceleration
        return sense(coils, lines, acceleration), np.where(lines[:, None], kspace, 0).astype(np.complex64)
    reconstruction = B1Weighted(coils) if name == "b1" else RootSumOfSquares(n_coils=6)
    return reconstruction, kspace


def spread_is_as_stated(ratio: Snr, relative_error: float, *, n_independent: int) -> bool:
    """Whether the median is 1 within 1 % and the pixel sd within 15 % of what the method states of itself."""
    assert 4 * relative_error / np.sqrt(n_independent) < 0.01, "the comparison would be too coarse"
    return bool(abs(np.median(ratio) - 1) < 0.01 and abs(ratio.std() / relative_error - 1) < 0.15)


@pytest.mark.parametrize("nu", [9, 18, 38, 99, 198])
def test_bias_of_an_inverse_spread_against_drawn_spreads(nu: int, rng: np.random.Generator) -> None:
    """E[1/s] of 2 million chi-square variates, within 5 of its standard errors."""
    drawn = 1 / np.sqrt(rng.chisquare(nu, 2_000_000) / nu)
    assert bias_of_inverse(nu) == pytest.approx(drawn.mean(), abs=5 * drawn.std() / np.sqrt(len(drawn)))


@pytest.mark.parametrize("domain", list(NoiseDomain))
@pytest.mark.parametrize("name", ["rss", "b1", "sense1", "sense2", "sense3"])
def test_pseudo_replicas_agree_with_the_analytic_map(name: str, domain: NoiseDomain) -> None:
    n = 33 if name == "sense3" else 32
    reconstruction, kspace = setting(name, n)
    found, used = pseudo_replica_snr(reconstruction, kspace, 100, seed(), domain=domain)
    assert used is domain
    true = np.asarray(analytic_snr(reconstruction, kspace).snr, dtype=np.float64)
    nu = 99 * (2 if reconstruction.is_linear else 1)
    assert spread_is_as_stated(found.snr / true, 1 / np.sqrt(2 * nu), n_independent=n * n)
    assert found.standard_error is not None
    np.testing.assert_allclose(found.standard_error, found.snr / np.sqrt(2 * nu), rtol=1e-5)


def test_where_voxels_cannot_be_drawn_alone_noise_is_drawn_in_kspace() -> None:
    reconstruction, kspace = setting("sense3", 64)
    true = analytic_snr(reconstruction, kspace).snr
    ratios = []
    # All voxels of a column share their noise: the median of one map alone scatters by 0.6 %.
    for of_map in seed().spawn(4):
        found, used = pseudo_replica_snr(reconstruction, kspace, 100, of_map)
        assert used is NoiseDomain.KSPACE
        ratios.append(found.snr / true)
    assert spread_is_as_stated(np.stack(ratios), 1 / np.sqrt(2 * 198), n_independent=4 * 64 * 64 // 3)


@pytest.mark.parametrize("domain", list(NoiseDomain))
def test_noise_that_differs_from_column_to_column(domain: NoiseDomain) -> None:
    reconstruction, kspace = setting("b1")
    column_sd = np.linspace(0.5, 2.0, 32)
    found, _ = pseudo_replica_snr(reconstruction, kspace, 100, seed(), domain=domain, column_sd=column_sd)
    true = analytic_snr(reconstruction, kspace, column_sd).snr
    assert spread_is_as_stated(found.snr / true, 1 / np.sqrt(2 * 198), n_independent=32 * 32)


def test_the_seed_decides_and_the_number_of_threads_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    reconstruction, kspace = setting("b1")
    first, _ = pseudo_replica_snr(reconstruction, kspace, 60, seed())
    other, _ = pseudo_replica_snr(reconstruction, kspace, 60, np.random.SeedSequence(8))
    monkeypatch.setattr("mroptimum.threads.WORKERS", 100)
    single, _ = pseudo_replica_snr(reconstruction, kspace, 60, seed())
    assert first.snr.tobytes() == single.snr.tobytes()
    assert first.snr.tobytes() != other.snr.tobytes()


@pytest.mark.parametrize("n", [3, REPLICAS_PER_BATCH, REPLICAS_PER_BATCH + 1, 3 * REPLICAS_PER_BATCH])
@pytest.mark.parametrize("domain", list(NoiseDomain))
def test_progress_counts_every_replica_and_can_stop_the_run(n: int, domain: NoiseDomain) -> None:
    reconstruction, kspace = setting("b1", 8)
    seen: list[int] = []
    pseudo_replica_snr(reconstruction, kspace, n, seed(), domain=domain, report=seen.append)
    assert seen[-1] == n
    assert seen == sorted(set(seen))

    class StopHere(Exception):
        pass

    def stop(_: int) -> None:
        raise StopHere

    with pytest.raises(StopHere):
        pseudo_replica_snr(reconstruction, kspace, n, seed(), domain=domain, report=stop)


@pytest.mark.parametrize(("name", "n"), [("b1", 2), ("rss", 4)])
def test_too_few_replicas_are_refused(name: str, n: int) -> None:
    reconstruction, kspace = setting(name, 8)
    with pytest.raises(TaskError, match="too few"):
        pseudo_replica_snr(reconstruction, kspace, n, seed())
    pseudo_replica_snr(reconstruction, kspace, n + 1, seed())


@pytest.mark.parametrize("name", ["rss", "b1", "sense2"])
def test_real_replicas_agree_with_the_analytic_map(name: str) -> None:
    reconstruction, kspace = setting(name, 64)
    sampled = np.any(kspace != 0, axis=(0, 2))
    repetitions = kspace + np.where(sampled[:, None], white_noise(seed(), (50, *kspace.shape)), 0)
    found = multiple_replica_snr(reconstruction, repetitions)
    true = np.asarray(analytic_snr(reconstruction, kspace).snr, dtype=np.float64)
    nu = 49 * (2 if reconstruction.is_linear else 1)
    assert spread_is_as_stated(found.snr / true, 1 / np.sqrt(2 * nu), n_independent=64 * 64)


def naive_box_variance(residual: NDArray[np.complex128], half: int) -> Snr:
    n_y, n_x = residual.shape
    variance = np.empty((n_y, n_x))
    for y in range(n_y):
        for x in range(n_x):
            box = residual[max(0, y - half) : y + half + 1, max(0, x - half) : x + half + 1]
            variance[y, x] = (np.var(box.real, ddof=1) + np.var(box.imag, ddof=1)) / 2
    return variance


@pytest.mark.parametrize("half", [1, 2, 5])
def test_box_variance_equals_a_loop_over_boxes(half: int, rng: np.random.Generator) -> None:
    residual = rng.normal(size=(13, 10)) + 1j * rng.normal(size=(13, 10))
    np.testing.assert_allclose(box_variance(residual, half), naive_box_variance(residual, half), rtol=1e-12)


@pytest.mark.parametrize("name", ["rss", "b1", "sense2"])
def test_four_replicas_and_a_box_agree_with_the_analytic_map(name: str) -> None:
    reconstruction, kspace = setting(name, 64)
    found = generalised_pseudo_replica_snr(reconstruction, kspace, 4, 3, seed())
    ratio = found.snr / np.asarray(analytic_snr(reconstruction, kspace).snr, dtype=np.float64)
    assert abs(np.median(ratio) - 1) < 0.03


def test_a_box_of_one_voxel_is_refused() -> None:
    reconstruction, kspace = setting("b1", 8)
    with pytest.raises(TaskError, match="one voxel"):
        generalised_pseudo_replica_snr(reconstruction, kspace, 4, 0, seed())
