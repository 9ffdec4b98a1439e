"""How time and memory grow with coils, matrix, replicas and slices: swept one at a time, with fitted exponents.

Time is that of all cores together, which what else runs on the machine hardly changes; memory the peak of what NumPy
allocates besides the data.
"""

from __future__ import annotations

import tempfile
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import jobs
from benchmarks.scene import N_CALIBRATION
from benchmarks.timing import taken
from mroptimum.coils import CalibrationRegion, CoilMaps
from mroptimum.coils.espirit import espirit
from mroptimum.flags import Flags
from mroptimum.reconstruction.grappa import grappa
from mroptimum.reconstruction.grappa_kernel import calibrate
from mroptimum.reconstruction.rss import RootSumOfSquares
from mroptimum.reconstruction.sense import sense
from mroptimum.snr.analytic import analytic_snr
from mroptimum.snr.pseudo_replicas import pseudo_replica_snr

ROUNDS = 3
N_COILS, N, N_REPLICAS = 8, 256, 100
COILS = (4, 8, 16, 32, 64)
MATRICES = (64, 128, 256, 512)
REPLICAS = (10, 30, 100, 300, 1000)
SLICES = (1, 4, 16, 64)

Work = Callable[[int, int, int], Callable[[], object]]
"""Prepares a piece of work for so many coils, samples along each axis and replicas."""


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """A piece of work at several sizes along one axis: seconds and peak bytes, and why they grow as they do."""

    work: str
    axis: str
    sizes: tuple[int, ...]
    seconds: tuple[float, ...]
    peak_bytes: tuple[int, ...]
    why: str


def as_markdown() -> str:
    """Measure everything and return it as a table."""
    setting = (
        f"One slice of {N} x {N}, {N_COILS} coils, {N_REPLICAS} replicas, where nothing else is swept; replicas on "
        "128 x 128; slices: whole jobs on 64 x 64, 8 coils, 20 replicas."
    )
    lines = [
        setting,
        "",
        "| work | axis | sizes | core time, ms | grows as | memory, MB | grows as | why |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for sweep in sweeps():
        sizes = " ".join(str(size) for size in sweep.sizes)
        times = " ".join(f"{1e3 * seconds:.3g}" for seconds in sweep.seconds)
        peaks = " ".join(f"{peak / 1e6:.3g}" for peak in sweep.peak_bytes)
        time_exponent, memory_exponent = (exponent(sweep.sizes, v) for v in (sweep.seconds, sweep.peak_bytes))
        name = "n" if sweep.axis == "replicas" else sweep.axis[0]
        lines.append(
            f"| {sweep.work} | {sweep.axis} {name} | {sizes} | {times} | {name}^{time_exponent:.2f} | {peaks} "
            f"| {name}^{memory_exponent:.2f} | {sweep.why} |"
        )
    return "\n".join(lines)


def exponent(sizes: Sequence[int], values: Sequence[float]) -> float:
    """Return p of the power law ``value ~ size^p`` that fits best, by least squares of logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def sweeps() -> list[Sweep]:
    """Measure every piece of work along every axis it has."""
    of_coils = {
        "AC RSS": (_rss, "a transform and a sum for each coil"),
        "AC SENSE R = 2": (_sense, "products over coils; the 2 x 2 systems do not grow"),
        "AC GRAPPA R = 2": (_grappa, "weights join every coil with every other, c^2; the kernel's system, c^3"),
        "ESPIRiT": (_espirit, "matrices c x c at every voxel, c^2; they are never held all at once"),
        "PMR RSS": (_pmr_rss, "random numbers, one for each sample; a batch is held block by block"),
        "PMR GRAPPA R = 2": (_pmr_grappa, "random numbers, c, and c x c products for each, c^2"),
    }
    found = [
        _sweep(name, "coils", COILS, [work(c, N, N_REPLICAS) for c in COILS], why)
        for name, (work, why) in of_coils.items()
    ]
    of_matrix = {
        "AC RSS": (_rss, "voxels, m^2, times log m of the transforms; small ones fit the cache"),
        "AC GRAPPA R = 2": (_grappa, "voxels, m^2, beside the kernel, m"),
        "ESPIRiT": (_espirit, "voxels, m^2; the calibration region stays as it is"),
        "PMR RSS": (_pmr_rss, "voxels, m^2"),
    }
    found += [
        _sweep(name, "matrix", MATRICES, [work(N_COILS, m, N_REPLICAS) for m in MATRICES], why)
        for name, (work, why) in of_matrix.items()
    ]
    why = "random numbers; memory is that of one batch, at most 50"
    found.append(_sweep("PMR RSS", "replicas", REPLICAS, [_pmr_rss(N_COILS, 128, n) for n in REPLICAS], why))
    with tempfile.TemporaryDirectory() as folder:
        why = "one slice after another; maps and data of all slices are held"
        found.append(_sweep("job, PMR RSS", "slices", SLICES, [_job(Path(folder), s) for s in SLICES], why))
    return found


def _sweep(work: str, axis: str, sizes: Sequence[int], calls: Sequence[Callable[[], object]], why: str) -> Sweep:
    return Sweep(
        work=work,
        axis=axis,
        sizes=tuple(sizes),
        seconds=tuple(_best_s(call) for call in calls),
        peak_bytes=tuple(_peak_bytes(call) for call in calls),
        why=why,
    )


def _best_s(call: Callable[[], object]) -> float:
    call()
    return min(taken(call).cores_s for _ in range(ROUNDS))


def _peak_bytes(call: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _kspace(n_coils: int, n: int) -> NDArray[np.complex64]:
    """Return k-space with more in its centre, as it is of an object."""
    rng = np.random.default_rng(1)
    kspace = rng.normal(size=(n_coils, n, n)) + 1j * rng.normal(size=(n_coils, n, n))
    distance = np.abs(np.arange(n) - n // 2)
    weighted: NDArray[np.complex64] = (kspace / (1 + np.hypot(distance[:, None], distance))).astype(np.complex64)
    return weighted


def _coil_maps(n_coils: int, n: int) -> CoilMaps:
    maps = _kspace(n_coils, n)
    maps /= np.sqrt(np.sum(np.abs(maps) ** 2, axis=0))
    return CoilMaps(maps=maps, mask=np.ones((n, n), dtype=np.bool_), method="random")


def _rss(n_coils: int, n: int, _: int) -> Callable[[], object]:
    kspace = _kspace(n_coils, n)
    return lambda: analytic_snr(RootSumOfSquares(n_coils=n_coils), kspace)


def _sense(n_coils: int, n: int, _: int) -> Callable[[], object]:
    kspace, coils, lines = _kspace(n_coils, n), _coil_maps(n_coils, n), np.arange(n) % 2 == 0
    return lambda: analytic_snr(sense(coils, lines, 2), kspace)


def _grappa(n_coils: int, n: int, _: int) -> Callable[[], object]:
    kspace, lines = _kspace(n_coils, n), np.arange(n) % 2 == 0
    central = np.abs(np.arange(n) - n // 2) < N_CALIBRATION // 2
    return lambda: analytic_snr(grappa(calibrate(kspace, central, 2, size=(5, 4)), kspace, lines), kspace)


def _espirit(n_coils: int, n: int, _: int) -> Callable[[], object]:
    kspace = _kspace(n_coils, n)
    return lambda: espirit(CalibrationRegion(kspace=kspace, widths=(N_CALIBRATION, N_CALIBRATION)))


def _pmr_rss(n_coils: int, n: int, n_replicas: int) -> Callable[[], object]:
    kspace, reconstruction = _kspace(n_coils, n), RootSumOfSquares(n_coils=n_coils)
    return lambda: pseudo_replica_snr(reconstruction, kspace, n_replicas, np.random.SeedSequence(1))


def _pmr_grappa(n_coils: int, n: int, n_replicas: int) -> Callable[[], object]:
    kspace, lines = _kspace(n_coils, n), np.arange(n) % 2 == 0
    central = np.abs(np.arange(n) - n // 2) < N_CALIBRATION // 2
    reconstruction = grappa(calibrate(kspace, central, 2, size=(5, 4)), kspace, lines)
    return lambda: pseudo_replica_snr(reconstruction, kspace, n_replicas, np.random.SeedSequence(1))


def _job(folder: Path, n_slices: int) -> Callable[[], object]:
    scan = jobs.write_scan(folder, n_slices=n_slices, n=64)
    return lambda: jobs.do(scan, Flags(method="pmr", reconstruction="rss", replicas=20))
