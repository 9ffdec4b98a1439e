"""Changes that leave every SNR and g as it was: of phase, of units, of the coils' order and mixture, of first lines.

In double precision to 1e-10. In single precision, from file to map, as for SENSE: 1e-5 up to R = 3, 1e-3 at R = 4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from four_reconstructions import NAMES, UNFOLDING, Built, Comb, build
from mroptimum import rawdata
from mroptimum.flags import Flags
from mroptimum.phantom import Phantom, Scan, simulate, write_npz
from mroptimum.reconstruction.grappa import Grappa, grappa
from mroptimum.result import Map, MapId
from mroptimum.snr import SnrMap
from mroptimum.snr.analytic import analytic_snr
from mroptimum.snr.generalised import generalised_pseudo_replica_snr
from mroptimum.snr.pseudo_replicas import pseudo_replica_snr
from mroptimum.snr.replicas import multiple_replica_snr
from mroptimum.task import NoiseDomain
from scenes import Scene, build_scene
from tasks import map_of, run_flags

Array = NDArray[np.complex128]
Mixing = Callable[[int], Array]


def permuted(n: int) -> Array:
    matrix: Array = np.eye(n, dtype=np.complex128)[np.random.default_rng(3).permutation(n)]
    return matrix


def mixed(n: int) -> Array:
    rng = np.random.default_rng(4)
    matrix: Array = np.linalg.qr(rng.normal(size=(n, n)) + 1j * rng.normal(size=(n, n)))[0]
    return matrix


CHANGES: dict[str, Mixing] = {
    "phase": lambda n: np.eye(n) * np.exp(1.3j),
    "units": lambda n: np.eye(n, dtype=np.complex128) * 1e-12,
    "order": permuted,
    "mixture": mixed,
}
SAMPLINGS = {
    "full": Comb(),
    "every 2nd": Comb(acceleration=2),
    "every 2nd, from 1": Comb(acceleration=2, first=1),
    "every 3rd, from 2": Comb(acceleration=3, first=2),
}
SHAPES = {"even": (8, 24, 10), "odd": (7, 25, 11)}


def cases() -> list[tuple[str, str, str]]:
    return [
        (name, sampling, shape)
        for name in NAMES
        for sampling in SAMPLINGS
        for shape in SHAPES
        if name in UNFOLDING or sampling == "full"
    ]


def noise_of(shape: tuple[int, ...]) -> Array:
    """Noise of the coils, a little of it: without any, a GRAPPA kernel would be fitted to a singular matrix."""
    rng = np.random.default_rng(12)
    noise: Array = rng.normal(size=shape) + 1j * rng.normal(size=shape)
    return noise


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("name", "sampling", "shape"), cases())
def test_coils_may_be_turned_scaled_ordered_and_mixed(name: str, sampling: str, shape: str, change: str) -> None:
    scene = build_scene(*SHAPES[shape])
    mixing = CHANGES[change](scene.shape[0])
    other = Scene(m=scene.m, s=apply(mixing, scene.s), psi=mixing @ scene.psi @ mixing.conj().T)
    noise = noise_of(scene.shape)
    comb = SAMPLINGS[sampling]
    plain = build(name, scene, comb, noise=noise, n_calibration=scene.shape[1])
    changed = build(name, other, comb, noise=apply(mixing, noise), n_calibration=scene.shape[1])
    np.testing.assert_allclose(snr_of(changed), snr_of(plain), rtol=1e-10)
    np.testing.assert_allclose(g_of(changed), g_of(plain), rtol=1e-10)


def apply(mixing: Array, coils: Array) -> Array:
    changed: Array = np.einsum("cd,dyx->cyx", mixing, coils)
    return changed


def snr_of(built: Built) -> NDArray[np.float64]:
    return np.asarray(analytic_snr(built.reconstruction, built.kspace).snr, dtype=np.float64)


def g_of(built: Built) -> NDArray[np.float64]:
    g = built.reconstruction.g_factor
    return np.ones(1) if g is None else np.asarray(g, dtype=np.float64)


@pytest.mark.parametrize("acceleration", [2, 3, 4])
def test_sense_does_not_depend_on_the_first_line(acceleration: int) -> None:
    scene = build_scene(8, 24, 10)
    first = build("sense", scene, Comb(acceleration=acceleration))
    for line in range(1, acceleration):
        other = build("sense", scene, Comb(acceleration=acceleration, first=line))
        np.testing.assert_allclose(g_of(other), g_of(first), rtol=1e-10)
        np.testing.assert_allclose(snr_of(other), snr_of(first), rtol=1e-10)


@pytest.mark.parametrize(
    ("name", "acceleration"), [*((name, 1) for name in NAMES), *((name, r) for name in UNFOLDING for r in (2, 3))]
)
def test_k_space_may_begin_at_any_line(name: str, acceleration: int) -> None:
    """A whole comb moved by one line is an image with another phase."""
    scene = build_scene(8, 24, 10)
    y = np.arange(24) - 12
    moved = replace(scene, m=scene.m * np.exp(2j * np.pi * y / 24)[:, None])
    noise = noise_of(scene.shape)
    plain = build(name, scene, Comb(acceleration=acceleration), noise=noise)
    other = build(name, moved, Comb(acceleration=acceleration, first=1), noise=np.roll(noise, 1, axis=1))
    if name == "grappa":
        # The same kernel: which windows of the calibration lines are whole depends on where they end.
        assert isinstance(plain.reconstruction, Grappa)
        lines = Comb(acceleration=acceleration, first=1).lines(24)
        other = Built(reconstruction=grappa(plain.reconstruction.kernel, other.kspace, lines), kspace=other.kspace)
    np.testing.assert_allclose(snr_of(other), snr_of(plain), rtol=1e-10)
    np.testing.assert_allclose(g_of(other), g_of(plain), rtol=1e-10)


@pytest.mark.parametrize(("name", "sampling", "shape"), cases())
def test_measuring_twice_gives_the_same_and_leaves_the_data_alone(name: str, sampling: str, shape: str) -> None:
    scene = build_scene(*SHAPES[shape])
    built = build(name, scene, SAMPLINGS[sampling], noise=noise_of(scene.shape), dtype=np.complex64)
    kspace = built.kspace
    before = kspace.tobytes()
    seed = np.random.SeedSequence
    repetitions = np.stack([kspace, 1.1 * kspace, 0.9 * kspace, kspace, kspace, kspace]).astype(np.complex64)
    repetitions_before = repetitions.tobytes()
    made = built.reconstruction
    methods: dict[str, Callable[[], SnrMap]] = {
        "ac": lambda: analytic_snr(made, kspace),
        "mr": lambda: multiple_replica_snr(made, repetitions),
        "pmr": lambda: pseudo_replica_snr(made, kspace, 6, seed(1))[0],
        "pmr in k-space": lambda: pseudo_replica_snr(made, kspace, 6, seed(1), domain=NoiseDomain.KSPACE)[0],
        "cr": lambda: generalised_pseudo_replica_snr(made, kspace, 2, 2, seed(1)),
    }
    for method, measure in methods.items():
        first, second = measure(), measure()
        assert first.snr.tobytes() == second.snr.tobytes(), method
        assert kspace.tobytes() == before, method
    assert repetitions.tobytes() == repetitions_before


PHANTOM = Phantom(n_coils=7, n_x=47, n_y=48, sigma=0.002, n_noise_readouts=40)
ACCELERATED = replace(PHANTOM, acceleration=2, n_calibration_lines=24, first_line=1)


@pytest.fixture(scope="module")
def scanned() -> dict[str, Scan]:
    return {"full": simulate(PHANTOM), "accelerated": simulate(ACCELERATED)}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("change", CHANGES)
def test_from_file_to_map_in_single_precision(name: str, change: str, scanned: dict[str, Scan], tmp_path: Path) -> None:
    scan = scanned["accelerated" if name in UNFOLDING else "full"]
    mixing = CHANGES[change](7).astype(np.complex64)
    changed = replace(
        scan,
        kspace=np.einsum("cd,arsdyx->arscyx", mixing, scan.kspace),
        noise=np.einsum("cd,rdx->rcx", mixing, scan.noise),
    )
    maps: list[dict[int, Map]] = []
    for one in (scan, changed):
        path = tmp_path / "scan.npz"
        write_npz(path, one)
        before = path.read_bytes()
        result = run_flags(Flags(reconstruction=name), path)
        assert path.read_bytes() == before
        maps.append({number: map_of(result, number) for number in (MapId.SNR, *g_map(name))})
    inside = np.abs(scan.image) > 0
    for number, plain in maps[0].items():
        np.testing.assert_allclose(maps[1][number].data[inside], plain.data[inside], rtol=1e-5)


def g_map(name: str) -> tuple[int, ...]:
    return {"sense": (MapId.SENSE_G,), "grappa": (MapId.GRAPPA_G,)}.get(name, ())


def test_reading_a_file_twice_gives_the_same_samples(scanned: dict[str, Scan], tmp_path: Path) -> None:
    write_npz(tmp_path / "scan.npz", scanned["accelerated"])
    first, second = (rawdata.read(tmp_path / "scan.npz") for _ in range(2))
    assert first.kspace.tobytes() == second.kspace.tobytes()
