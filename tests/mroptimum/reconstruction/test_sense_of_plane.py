"""SENSE with two accelerated directions, against the dense inverse of the whole encoding of a plane (z, y)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mroptimum.coils import CoilMaps
from mroptimum.convention import Complex, Real
from mroptimum.errors import ReconstructionError
from mroptimum.reconstruction import sense as sense_module
from mroptimum.reconstruction.sense import Sense, sense, sense_of_plane
from mroptimum.snr.analytic import analytic_snr
from mroptimum.snr.pseudo_replicas import pseudo_replica_snr
from mroptimum.task import NoiseDomain
from scenes import Scene, build_scene

Array = NDArray[np.complex128]
Points = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Plane:
    """A scene whose two axes are both undersampled: what went in, and its truth from one matrix."""

    scene: Scene
    points: Points

    @property
    def kspace(self) -> Array:
        """Whitened samples (coil, z, y), zero between the points."""
        whitening = np.linalg.inv(np.linalg.cholesky(self.scene.psi))
        return np.asarray(np.einsum("cd,dzy->czy", whitening, self.scene.kspace()) * self.points)

    @property
    def norm(self) -> NDArray[np.float64]:
        """Root of the sum of squares of the whitened maps, (z, y)."""
        return np.asarray(np.sqrt(np.sum(np.abs(self._white()) ** 2, axis=0)))

    def maps(self) -> CoilMaps:
        """Whitened true maps of unit norm."""
        return CoilMaps(maps=self._white() / self.norm, mask=np.ones(self.points.shape, dtype=bool), method="true")

    def truth(self) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """SNR and g (z, y) by inverting everything at once, and the condition number of what is inverted."""
        _, n_z, n_y = self.scene.shape
        z, y = np.nonzero(self.points)
        encoding = np.einsum("pz,py->pzy", _dft(n_z)[z], _dft(n_y)[y]).reshape(len(z), -1)
        white = self._white().reshape(self.scene.shape[0], -1)
        rows = np.concatenate([encoding * of_coil for of_coil in white])
        normal = rows.conj().T @ rows
        # Whitened noise has complex power 1, so each real component has 1/2.
        variance = np.diagonal(np.linalg.inv(normal)).real.reshape(n_z, n_y)
        snr = np.sqrt(2) * np.abs(self.scene.m) / np.sqrt(variance)
        g = self.norm * np.sqrt(variance * self.points.sum() / self.points.size)
        return snr, g, float(np.linalg.cond(normal))

    def _white(self) -> Array:
        return np.asarray(np.einsum("cd,dzy->czy", np.linalg.inv(np.linalg.cholesky(self.scene.psi)), self.scene.s))


def _dft(n: int) -> Array:
    position = np.arange(n) - n // 2
    return np.asarray(np.exp(-2j * np.pi * np.outer(position, position) / n) / np.sqrt(n))


def lattice(shape: tuple[int, int], first: tuple[int, int], accelerations: tuple[int, int]) -> Points:
    points = np.zeros(shape, dtype=bool)
    points[first[0] % accelerations[0] :: accelerations[0], first[1] % accelerations[1] :: accelerations[1]] = True
    return points


def plane(
    n_coils: int,
    shape: tuple[int, int],
    accelerations: tuple[int, int],
    first: tuple[int, int] = (0, 0),
    seed: int = 0,
) -> Plane:
    """Return a plane of smooth coils with grains in them, which tell voxels apart so that few digits are lost."""
    smooth = build_scene(n_coils, *shape, seed)
    rng = np.random.default_rng([seed, 7])
    grains = rng.standard_normal(smooth.shape) + 1j * rng.standard_normal(smooth.shape)
    scene = Scene(m=smooth.m, s=smooth.s + 0.4 * grains, psi=smooth.psi)
    return Plane(scene=scene, points=lattice(shape, first, accelerations))


def relative(found: Real | Complex, true: Real | Complex) -> float:
    return float(np.max(np.abs(found - true) / np.abs(true)))


@settings(max_examples=60)
@given(
    n_coils=st.integers(1, 33),
    shape=st.tuples(st.integers(7, 16), st.integers(7, 17)),
    accelerations=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    first=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    seed=st.integers(0, 1000),
)
def test_snr_g_and_image_equal_the_dense_inverse(
    n_coils: int, shape: tuple[int, int], accelerations: tuple[int, int], first: tuple[int, int], seed: int
) -> None:
    """Odd and even matrices that R divides or not, any first line in each direction, any number of coils."""
    one = plane(n_coils, shape, accelerations, first, seed)
    kspace, maps = one.kspace, one.maps()
    if accelerations[0] * accelerations[1] > n_coils:
        with pytest.raises(ReconstructionError, match="cannot tell them apart"):
            sense_of_plane(maps, one.points, accelerations)
        return
    unfolding = sense_of_plane(maps, one.points, accelerations)
    if n_coils * one.points.sum() < one.points.size:
        assert unfolding.n_unsolvable == one.points.size
        return
    snr, g, condition = one.truth()
    if condition > 1e9:
        return  # the truth itself is not known to more than a few digits, and a pivot may be refused
    found = analytic_snr(unfolding, kspace)
    bound = 1e-10 + 10 * np.finfo(float).eps * condition
    assert relative(found.snr, snr) < bound
    assert relative(np.asarray(unfolding.g_factor), g) < bound
    assert relative(found.image, one.scene.m * one.norm) < bound


@pytest.mark.parametrize(
    ("shape", "accelerations"), [((12, 16), (2, 2)), ((12, 15), (3, 2)), ((13, 16), (2, 2)), ((13, 15), (2, 2))]
)
def test_moderate_accelerations_reach_1e_10(shape: tuple[int, int], accelerations: tuple[int, int]) -> None:
    """Closed in both directions, in one of them, in none."""
    one = plane(12, shape, accelerations, (1, 1))
    snr, g, _ = one.truth()
    unfolding = sense_of_plane(one.maps(), one.points, accelerations)
    assert relative(analytic_snr(unfolding, one.kspace).snr, snr) < 1e-10
    assert relative(np.asarray(unfolding.g_factor), g) < 1e-10


@pytest.mark.parametrize(("accelerations", "tolerance"), [((2, 1), 1e-5), ((2, 2), 1e-3)])
def test_single_precision(accelerations: tuple[int, int], tolerance: float) -> None:
    one = plane(16, (12, 16), accelerations)
    maps = one.maps()
    single = CoilMaps(maps=maps.maps.astype(np.complex64), mask=maps.mask, method="true")
    found = analytic_snr(sense_of_plane(single, one.points, accelerations), one.kspace.astype(np.complex64))
    assert found.snr.dtype == np.float32
    assert relative(found.snr.astype(float), one.truth()[0]) < tolerance


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("n_y", [16, 15])
def test_a_full_direction_changes_nothing(first: int, n_y: int) -> None:
    """A plane whose second direction is full is a slice."""
    one = plane(6, (n_y, 5), (2, 1), (first, 0))
    of_plane: Sense = sense_of_plane(one.maps(), one.points, (2, 1))
    of_slice = sense(one.maps(), one.points[:, 0], 2)
    np.testing.assert_array_equal(of_plane.image(one.kspace), of_slice.image(one.kspace))
    np.testing.assert_array_equal(of_plane.g_factor, of_slice.g_factor)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("shape", [(12, 16), (12, 15), (13, 16)])
def test_the_two_directions_are_alike(shape: tuple[int, int], turned: bool) -> None:
    one = plane(10, shape, (2, 2), (1, 0))
    maps = one.maps()
    turned_maps = CoilMaps(maps=maps.maps.swapaxes(1, 2), mask=maps.mask.T, method="true")
    g = np.asarray(sense_of_plane(maps, one.points, (2, 2)).g_factor)
    np.testing.assert_allclose(np.asarray(sense_of_plane(turned_maps, one.points.T, (2, 2)).g_factor), g.T, rtol=1e-9)


@pytest.mark.parametrize("shape", [(12, 16), (12, 15)])
def test_replicas_have_the_predicted_spread(shape: tuple[int, int]) -> None:
    """In the image where both combs close, in k-space where one does not; points beside the lattice carry no noise."""
    one = plane(12, shape, (2, 2), (1, 0))
    kspace = one.kspace.astype(np.complex64)
    maps = one.maps()
    single = CoilMaps(maps=maps.maps.astype(np.complex64), mask=maps.mask, method="true")
    unfolding = sense_of_plane(single, one.points, (2, 2))
    n = 400
    domains = {NoiseDomain.IMAGE, NoiseDomain.KSPACE} if shape[1] % 2 == 0 else {NoiseDomain.KSPACE}
    for domain in domains:
        found, used = pseudo_replica_snr(unfolding, kspace, n, np.random.SeedSequence(4), domain=domain)
        assert used is domain
        ratio = found.snr / one.truth()[0]
        # One voxel is off by 1 / sqrt(2 nu) = 2.5 %; some 50 of them are independent.
        assert abs(float(ratio.mean()) - 1) < 4 * 0.025 / np.sqrt(50)
        assert 0.7 < float(ratio.std()) / 0.025 < 1.3


@pytest.mark.parametrize("shape", [(12, 16), (12, 15), (13, 15)])
def test_samples_beside_the_lattice_do_not_matter(shape: tuple[int, int]) -> None:
    one = plane(8, shape, (2, 2))
    unfolding = sense_of_plane(one.maps(), one.points, (2, 2))
    filled = np.where(one.points, one.kspace, 7.0)
    np.testing.assert_array_equal(unfolding.image(filled), unfolding.image(one.kspace))


@pytest.mark.parametrize("shape", [(12, 16), (12, 15), (13, 15)])
def test_outside_the_object_everything_is_zero(shape: tuple[int, int]) -> None:
    one = plane(10, shape, (2, 2))
    mask = np.zeros(shape, dtype=bool)
    mask[2:9, 3:11] = True
    maps = one.maps().maps * mask
    unfolding = sense_of_plane(CoilMaps(maps=maps, mask=mask, method="true"), one.points, (2, 2))
    for values in (unfolding.g_factor, unfolding.noise_sd):
        assert np.all(np.asarray(values)[~mask] == 0)
        assert np.all(np.asarray(values)[mask] > 0)


@pytest.mark.parametrize("shape", [(8, 8), (8, 9), (9, 9)])
def test_voxels_that_cannot_be_told_apart_are_counted_and_zero(shape: tuple[int, int]) -> None:
    same = CoilMaps(maps=np.full((4, *shape), 0.5 + 0j), mask=np.ones(shape, dtype=bool), method="equal")
    unfolding = sense_of_plane(same, lattice(shape, (0, 0), (2, 2)), (2, 2))
    assert unfolding.n_unsolvable == shape[0] * shape[1]
    assert not np.any(unfolding.noise_sd)
    assert not np.any(unfolding.image(np.ones((4, *shape), dtype=np.complex128)))


def test_shifted_and_irregular_points_are_refused() -> None:
    shifted = np.zeros((8, 8), dtype=bool)
    shifted[0::2, 0::2] = True
    shifted[1::2, 1::2] = True
    maps = plane(8, (8, 8), (1, 1)).maps()
    with pytest.raises(ReconstructionError, match="rectangular lattice"):
        sense_of_plane(maps, shifted, (1, 2))
    uneven = np.outer([True, False, True, True, False, False, True, False], np.ones(8, dtype=bool))
    with pytest.raises(ReconstructionError, match="at equal distances"):
        sense_of_plane(maps, uneven, (2, 1))


def test_what_is_too_large_to_solve_is_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    one = plane(8, (9, 9), (2, 2))
    monkeypatch.setattr(sense_module, "MAX_UNKNOWNS", 80)
    with pytest.raises(ReconstructionError, match="81 voxels fold onto each other") as refusal:
        sense_of_plane(one.maps(), one.points, (2, 2))
    assert refusal.value.explain()["code"] == "too_many_unknowns"
    assert "mask" in refusal.value.next_step
