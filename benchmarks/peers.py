"""The same work done by the libraries of the field, on the same data, in the same run; and whether it is the same.

SigPy and pygrappa run in this process, BART (`benchmarks.bart`) beside it. What they do not do is left in our time: the
noise, SNR and g-factor of a SENSE or GRAPPA image.
"""

from __future__ import annotations

import importlib
import importlib.util
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks import bart
from benchmarks.scene import N_CALIBRATION, Scene, scene
from benchmarks.timing import Taken, Timing, taken, timings
from mroptimum import fourier
from mroptimum.coils import CalibrationRegion, CoilMaps, root_sum_of_squares
from mroptimum.coils.espirit import espirit
from mroptimum.convention import Complex
from mroptimum.reconstruction.grappa import grappa
from mroptimum.reconstruction.grappa_kernel import calibrate
from mroptimum.reconstruction.sense import sense
from mroptimum.snr.analytic import analytic_snr

SIZES = ((8, 256), (16, 128), (32, 256))
ROUNDS = 3
ITERATIONS = 10
"""Of the libraries' conjugate gradients: the fewest that agree with the exact solution to three digits."""


@dataclass(frozen=True, kw_only=True)
class PeerTiming(Timing):
    """`agreement` is the correlation of what was made with what we made, inside the object: 1 for the same."""

    agreement: float


def missing() -> list[str]:
    """Return which libraries are not installed; `make bench` installs them."""
    modules = [name for name in ("sigpy", "pygrappa") if importlib.util.find_spec(name) is None]
    return modules + (["bart"] if shutil.which("bart") is None else [])


def measure(n_coils: int, n: int) -> Iterator[list[PeerTiming]]:
    """Yield a table for each piece of work on one slice of n x n from n_coils coils."""
    data = scene(n_coils, n)
    for work in (_espirit, _low_resolution, _sense, _grappa):
        yield _compared(work(data), data)


@dataclass(frozen=True, kw_only=True)
class _Work:
    """One piece of work: ours first, then the libraries', in this process and as BART's commands."""

    here: dict[str, Callable[[], Complex]]
    commands: dict[str, tuple[list[str], tuple[NDArray[np.complex64], ...]]]


def _compared(work: _Work, data: Scene) -> list[PeerTiming]:
    made: dict[str, Complex] = {}
    rounds: dict[str, list[Taken]] = {name: [] for name in work.here}

    def make(name: str) -> None:
        made[name] = work.here[name]()

    for _ in range(ROUNDS):
        for name, of_contestant in rounds.items():
            of_contestant.append(taken(partial(make, name)))
    for name, (command, inputs) in work.commands.items():
        found = bart.run(command, *inputs, rounds=ROUNDS)
        made[name], rounds[name] = found.made, found.rounds
    ours = made[next(iter(work.here))]
    return [
        PeerTiming(**asdict(timing), agreement=_agreement(ours, made[timing.name], data.inside))
        for timing in timings(rounds)
    ]


def _agreement(a: Complex, b: Complex, inside: NDArray[np.bool_]) -> float:
    """Return the correlation of two images (y, x), or of two sets of maps (coil, ...) the median over voxels."""
    b = b.reshape(a.shape)
    vectors = (a[..., inside], b[..., inside])
    axis = 0 if a.ndim == 3 else None
    product = np.abs(np.sum(vectors[0].conj() * vectors[1], axis=axis))
    norms = [np.sqrt(np.sum(np.abs(vector) ** 2, axis=axis)) for vector in vectors]
    return float(np.median(product / (norms[0] * norms[1])))


def _espirit(data: Scene) -> _Work:
    mri = importlib.import_module("sigpy.mri.app")

    def ours() -> Complex:
        region = CalibrationRegion(kspace=data.kspace, widths=(N_CALIBRATION, N_CALIBRATION), noise_sd=1.0)
        return espirit(region).maps

    def sigpy() -> Complex:
        maps: Complex = mri.EspiritCalib(data.kspace, calib_width=N_CALIBRATION, crop=0, show_pbar=False).run()
        return maps

    ecalib = ["ecalib", "-m", "1", "-r", str(N_CALIBRATION), "-k", "6", "-c", "0"]
    return _Work(
        here={f"ESPIRiT maps, {_size(data)}": ours, "SigPy EspiritCalib": sigpy},
        commands={"BART ecalib": (ecalib, (data.kspace,))},
    )


def _low_resolution(data: Scene) -> _Work:
    def ours() -> Complex:
        image = CalibrationRegion(kspace=data.kspace, widths=(N_CALIBRATION, N_CALIBRATION)).image
        maps: Complex = image / root_sum_of_squares(image)
        return maps

    return _Work(
        here={f"maps from low resolution, {_size(data)}": ours},
        commands={"BART caldir": (["caldir", str(N_CALIBRATION)], (data.kspace,))},
    )


def _sense(data: Scene) -> _Work:
    mri, unfolding = importlib.import_module("sigpy.mri.app"), importlib.import_module("pygrappa")
    lines = data.every(2)
    undersampled = data.only(lines)
    coils = CoilMaps(maps=data.maps, mask=np.ones_like(data.inside), method="true")
    mask = np.broadcast_to(lines[:, None], data.inside.shape).astype(np.float32)

    def ours() -> Complex:
        return analytic_snr(sense(coils, lines, 2), undersampled).image.astype(np.complex64)

    def sigpy() -> Complex:
        image: Complex = mri.SenseRecon(
            undersampled, data.maps, weights=mask, max_iter=ITERATIONS, show_pbar=False
        ).run()
        return image

    def cgsense() -> Complex:
        image: Complex = unfolding.cgsense(undersampled, data.maps, coil_axis=0)
        return image

    pics = ["pics", "-l", "2", "-r", "0", "-i", str(ITERATIONS), "-S"]
    return _Work(
        here={
            f"SENSE R = 2 with noise and g, {_size(data)}": ours,
            f"SigPy SenseRecon, {ITERATIONS} steps": sigpy,
            "pygrappa cgsense": cgsense,
        },
        commands={f"BART pics, {ITERATIONS} steps": (pics, (undersampled, data.maps))},
    )


def _grappa(data: Scene) -> _Work:
    library = importlib.import_module("pygrappa")
    lines = data.every(2)
    undersampled = data.only(lines)
    # The compiled one takes double precision only; given to both, neither has to convert it.
    theirs_of = undersampled.astype(np.complex128)
    calibration = np.ascontiguousarray(data.kspace[:, data.central], dtype=np.complex128)

    def ours() -> Complex:
        kernel = calibrate(data.kspace, data.central, 2, size=(5, 2))
        return analytic_snr(grappa(kernel, undersampled, lines), undersampled).image.astype(np.complex64)

    def theirs(fill: Callable[..., Complex]) -> Callable[[], Complex]:
        # Five lines of the grid hold two acquired ones around the missing one, as our kernel does.
        def image() -> Complex:
            filled = fill(theirs_of, calibration, kernel_size=(5, 5), coil_axis=0)
            return root_sum_of_squares(fourier.to_image(np.asarray(filled, dtype=np.complex64))).astype(np.complex64)

        return image

    return _Work(
        here={
            f"GRAPPA R = 2 with noise and g, {_size(data)}": ours,
            "pygrappa mdgrappa": theirs(library.mdgrappa),
            "pygrappa cgrappa": theirs(library.cgrappa),
        },
        commands={},
    )


def _size(data: Scene) -> str:
    return " x ".join(str(n) for n in (*data.inside.shape, data.n_coils))
