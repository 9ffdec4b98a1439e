"""Calibration lines put back: against GRAPPA in k-space written out plainly, and against replicas drawn here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from griswold import Array, Griswold, to_image
from mroptimum.errors import ReconstructionError
from mroptimum.reconstruction.grappa import grappa
from mroptimum.reconstruction.grappa_keep_acs import GrappaKeepingAcs
from mroptimum.reconstruction.grappa_kernel import REGULARISATION, GrappaKernel, calibrate
from mroptimum.snr.analytic import analytic_snr
from mroptimum.snr.generalised import generalised_pseudo_replica_snr
from mroptimum.snr.pseudo_replicas import pseudo_replica_snr
from mroptimum.snr.replicas import multiple_replica_snr
from mroptimum.task import NoiseDomain
from scenes import build_scene

N_X, SIZE = 16, (3, 2)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A scene of 5 coils with whitened noise of power 1, every R-th line and a block of calibration lines of it."""

    full: Array
    comb: NDArray[np.bool_]
    acs: NDArray[np.bool_]
    acceleration: int

    @property
    def recorded(self) -> Array:
        return np.asarray(self.full * (self.comb | self.acs)[:, None])

    @property
    def kernel(self) -> GrappaKernel:
        return calibrate(self.full, self.acs, self.acceleration, size=SIZE)

    def plain(self, kspace: Array) -> NDArray[np.float64]:
        """Fill, put the calibration lines back, transform and combine k-space (…, coil, y, x), all by definition."""
        plainly = Griswold(acceleration=self.acceleration, size=SIZE)
        weights = plainly.fit(self.full, self.acs, REGULARISATION)
        filled = plainly.fill(kspace * self.comb[:, None], int(np.flatnonzero(self.comb)[0]), weights)
        kept = np.where(self.acs[:, None], kspace, filled)
        return np.asarray(np.sqrt(np.sum(np.abs(to_image(kept)) ** 2, axis=-3)))


def noise(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return np.asarray((rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) / np.sqrt(2))


@cache
def setting(n_y: int = 24, acceleration: int = 2, first: int = 0) -> Setting:
    scene = build_scene(5, n_y, N_X)
    rng = np.random.default_rng(3)
    whitening = np.linalg.inv(np.linalg.cholesky(scene.psi))
    full = np.einsum("cd,dyx->cyx", whitening, scene.kspace()) + noise(rng, (5, n_y, N_X))
    comb = np.zeros(n_y, dtype=bool)
    comb[first::acceleration] = True
    acs = np.zeros(n_y, dtype=bool)
    acs[n_y // 2 - 6 : n_y // 2 + 6] = True
    return Setting(full=full, comb=comb, acs=acs, acceleration=acceleration)


@pytest.mark.parametrize(("n_y", "acceleration", "first"), [(24, 2, 0), (24, 2, 1), (25, 2, 0), (24, 3, 2), (26, 3, 1)])
def test_the_image_is_that_of_plain_grappa_with_its_lines_put_back(n_y: int, acceleration: int, first: int) -> None:
    one = setting(n_y, acceleration, first)
    reconstruction = GrappaKeepingAcs.of(one.kernel, one.comb, one.acs)
    np.testing.assert_allclose(reconstruction.image(one.recorded), one.plain(one.recorded), rtol=1e-8)


def test_lines_that_are_neither_acquired_nor_kept_do_not_count() -> None:
    one = setting()
    reconstruction = GrappaKeepingAcs.of(one.kernel, one.comb, one.acs)
    np.testing.assert_allclose(reconstruction.image(one.full), reconstruction.image(one.recorded), rtol=1e-12)


def test_without_lines_beside_the_comb_it_is_grappa() -> None:
    one = setting()
    kept = GrappaKeepingAcs.of(one.kernel, one.comb, one.acs & one.comb)
    usual = grappa(one.kernel, one.recorded * one.comb[:, None], one.comb)
    np.testing.assert_allclose(kept.image(one.recorded), usual.image(one.recorded), rtol=1e-10)


@cache
def plain_replicas(n: int) -> NDArray[np.float64]:
    """Magnitudes (replica, y, x) with noise of power 1 on every recorded line, the kernel as it is: brute force."""
    one = setting()
    rng = np.random.default_rng(11)
    lines = (one.comb | one.acs)[:, None]
    images = [one.plain(one.recorded + noise(rng, (100, *one.full.shape)) * lines) for _ in range(n // 100)]
    return np.concatenate(images)


def spread_of_plain_replicas(n: int) -> NDArray[np.float64]:
    return np.asarray(plain_replicas(n).std(axis=0, ddof=1))


def spread_over_boxes(n: int) -> NDArray[np.float64]:
    """The root of the mean, over replicas, of the variance in boxes of 3 x 3 voxels, smaller at the edges."""
    residuals = plain_replicas(n) - setting().plain(setting().recorded)
    n_y, n_x = residuals.shape[1:]
    spread = np.zeros((n_y, n_x))
    for y in range(n_y):
        for x in range(n_x):
            box = residuals[:, max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2].reshape(n, -1)
            spread[y, x] = np.sqrt(box.var(axis=1, ddof=1).mean())
    return spread


def test_pseudo_replicas_have_the_spread_of_replicas_by_brute_force() -> None:
    one = setting()
    reconstruction = GrappaKeepingAcs.of(one.kernel, one.comb, one.acs)
    n_plain, n = 2000, 400
    true = spread_of_plain_replicas(n_plain)
    found, domain = pseudo_replica_snr(
        reconstruction, one.recorded.astype(np.complex64), n, np.random.SeedSequence(5), domain=NoiseDomain.IMAGE
    )
    assert domain is NoiseDomain.KSPACE
    # The complex sd that a map states is sqrt(2) times that of a magnitude's noise.
    ratio = found.noise_sd / np.sqrt(2) / true
    error = np.sqrt(1 / (2 * n) + 1 / (2 * n_plain))
    assert 0.8 < float(ratio.std()) / error < 1.25
    assert abs(float(ratio.mean()) - 1) < 0.01
    np.testing.assert_allclose(found.snr, one.plain(one.recorded) / (found.noise_sd / np.sqrt(2)), rtol=1e-4)


def test_putting_lines_back_lowers_the_noise() -> None:
    one = setting()
    usual = np.asarray(grappa(one.kernel, one.recorded * one.comb[:, None], one.comb).noise_sd) / np.sqrt(2)
    assert float(np.median(spread_of_plain_replicas(2000) / usual)) < 0.95


def test_real_and_few_replicas_agree_with_brute_force() -> None:
    one = setting()
    reconstruction = GrappaKeepingAcs.of(one.kernel, one.comb, one.acs)
    true = spread_of_plain_replicas(2000)
    rng = np.random.default_rng(6)
    repetitions = one.recorded + noise(rng, (60, *one.full.shape)) * (one.comb | one.acs)[:, None]
    by_repetitions = multiple_replica_snr(reconstruction, repetitions)
    by_boxes = generalised_pseudo_replica_snr(
        reconstruction, one.recorded.astype(np.complex64), 12, 1, np.random.SeedSequence(5)
    )
    assert float(np.median(by_repetitions.noise_sd / np.sqrt(2) / true)) == pytest.approx(1, abs=0.02)
    assert float(np.median(by_boxes.noise_sd / np.sqrt(2) / spread_over_boxes(2000))) == pytest.approx(1, abs=0.02)


def test_there_is_no_closed_form_and_no_g() -> None:
    one = setting()
    reconstruction = GrappaKeepingAcs.of(one.kernel, one.comb, one.acs)
    assert reconstruction.g_factor is None
    assert reconstruction.combination is None
    with pytest.raises(ReconstructionError, match="no closed form") as refusal:
        analytic_snr(reconstruction, one.recorded)
    assert "keepAcs" in refusal.value.next_step
