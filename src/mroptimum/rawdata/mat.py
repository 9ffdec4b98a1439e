"""MATLAB files: k-space and noise as plain arrays, of version 5 and of version 7.3 (HDF5).

The signal is named S, signal, kspace, rawdata, raw or data, the noise N, noise or noise_scan, without case; a file that
holds a single complex array needs no name. Axes are (x, y), (x, y, coil) or (x, y, slice, coil), with x the readout.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mroptimum.errors import UnreadableFile, UnsupportedData, WrongKindOfFile
from mroptimum.rawdata import mat5
from mroptimum.rawdata.acquisition import Acquisition, Complex64, FileFormat, Inspection, NoiseScan
from mroptimum.rawdata.arrays import as_complex64, recorded_lines, separate
from mroptimum.rawdata.bounded_file import BoundedFile
from mroptimum.rawdata.limits import refuse_if_absurd
from mroptimum.rawdata.plausibility import refuse_implausible_noise, refuse_implausible_signal
from mroptimum.rawdata.sampling import sampling_warnings

SIGNAL_NAMES = ("s", "signal", "kspace", "k_space", "rawdata", "raw", "data")
NOISE_NAMES = ("n", "noise", "noise_scan")
_V73_SIGNATURE = b"MATLAB 7.3"
_DAMAGE = (OSError, ValueError, TypeError, KeyError, IndexError, RuntimeError, OverflowError, MemoryError)
"""What the HDF5 library raises on damaged bytes; it has no error of its own for it."""


@dataclass(frozen=True, kw_only=True)
class _Array:
    """A complex array of an open file, read when asked for."""

    shape: tuple[int, ...]
    load: Callable[[], NDArray[np.generic]]


def read_mat(path: Path) -> Acquisition:
    """Read the signal and, if the file holds it, the noise."""
    with _opened(path) as arrays:
        noise_name = _named(arrays, NOISE_NAMES)
        signal_name = _named(arrays, SIGNAL_NAMES) or _only(arrays, apart_from=noise_name)
        if signal_name is None:
            raise WrongKindOfFile(
                f"No complex array of the file is named as the signal ({_listed(arrays)}).",
                f"Name it {', '.join(SIGNAL_NAMES)}, with axes (x, y, coil) or (x, y, slice, coil).",
            )
        recorded_kspace = _kspace(as_complex64(arrays[signal_name].load(), "the signal"))
        noise = _noise(arrays[noise_name], noise_name) if noise_name else None
    recorded = recorded_lines(recorded_kspace)
    refuse_implausible_signal(recorded_kspace, recorded)
    kspace, sampling, calibration = separate(recorded_kspace, recorded)
    return Acquisition(
        kspace=kspace,
        sampled=sampling.lines,
        file_format=FileFormat.MAT,
        dwell_time_s=None,
        is_oversampling_known=False,
        acceleration=sampling.acceleration,
        noise=noise,
        calibration=calibration,
        warnings=sampling_warnings(sampling),
    )


def read_mat_noise(path: Path) -> NoiseScan:
    """Read the noise array, else the only array of the file."""
    with _opened(path) as arrays:
        name = _named(arrays, NOISE_NAMES) or _only(arrays, apart_from=None)
        if name is None:
            raise WrongKindOfFile(
                f"No complex array of the file is named as the noise ({_listed(arrays)}).",
                f"Name it {', '.join(NOISE_NAMES)}, with axes (x, y, coil).",
            )
        return _noise(arrays[name], name)


def array_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the complex arrays of a file by name. Raise `UnreadableFile` for damage."""
    with _opened(path) as arrays:
        return {name: array.shape for name, array in arrays.items()}


def inspect_mat(path: Path) -> Inspection:
    """Say what a file holds."""
    with _opened(path) as arrays:
        has_noise = _named(arrays, NOISE_NAMES) is not None
        has_signal = _named(arrays, SIGNAL_NAMES) is not None
        return Inspection(
            file_format=FileFormat.MAT,
            kind="imaging" if has_signal else "noise" if has_noise else "unknown",
            size_bytes=path.stat().st_size,
            measurements=tuple({"name": name, "shape": list(array.shape)} for name, array in arrays.items()),
            identifying_fields=(),
        )


def _named(arrays: Mapping[str, _Array], names: tuple[str, ...]) -> str | None:
    by_lower_case = {name.lower(): name for name in arrays}
    return next((by_lower_case[name] for name in names if name in by_lower_case), None)


def _only(arrays: Mapping[str, _Array], *, apart_from: str | None) -> str | None:
    others = [name for name in arrays if name != apart_from]
    return others[0] if len(others) == 1 else None


def _listed(arrays: Mapping[str, _Array]) -> str:
    return ", ".join(f"{name} {array.shape}" for name, array in list(arrays.items())[:8]) or "it holds none"


def _kspace(array: Complex64) -> Complex64:
    """Order (x, y), (x, y, coil) or (x, y, slice, coil) as (average, repetition, slice, coil, z, y, x)."""
    if array.ndim not in (2, 3, 4):
        raise UnsupportedData(
            f"The signal has {array.ndim} axes {array.shape}.", "Give (x, y, coil) or (x, y, slice, coil)."
        )
    if array.ndim == 2:
        array = array[:, :, np.newaxis]
    if array.ndim == 3:
        array = array[:, :, np.newaxis, :]
    return np.ascontiguousarray(array.transpose(2, 3, 1, 0)[np.newaxis, np.newaxis, :, :, np.newaxis])


def _noise(array: _Array, name: str) -> NoiseScan:
    samples = as_complex64(array.load(), "the noise")
    if samples.ndim not in (2, 3, 4):
        raise UnsupportedData(f"The noise has {samples.ndim} axes {samples.shape}.", "Give (x, y, coil).")
    if samples.ndim == 2:
        samples = samples[:, :, np.newaxis]
    by_readout = samples.reshape(samples.shape[0], -1, samples.shape[-1])
    readouts = np.ascontiguousarray(by_readout.transpose(1, 2, 0))
    refuse_implausible_noise(readouts)
    return NoiseScan(samples=readouts, dwell_time_s=None, origin=f"array {name} of the file")


@contextmanager
def _opened(path: Path) -> Iterator[Mapping[str, _Array]]:
    with path.open("rb") as opened:
        file = BoundedFile.of(opened)
        if file.read_at(0, len(_V73_SIGNATURE)) == _V73_SIGNATURE:
            with _opened_v73(path, file.size) as arrays:
                yield arrays
        else:
            yield {
                matrix.name: _Array(shape=matrix.shape, load=partial(mat5.load, file, matrix))
                for matrix in mat5.complex_matrices(file)
            }


@contextmanager
def _opened_v73(path: Path, size: int) -> Iterator[Mapping[str, _Array]]:
    import h5py

    with _damage_explained():
        file = h5py.File(path, "r")
    with file:
        with _damage_explained():
            found = {
                # MATLAB stores column by column: HDF5 sees the axes in reverse.
                name: _Array(shape=tuple(int(n) for n in item.shape[::-1]), load=partial(_load_v73, item, size))
                for name, item in file.items()
                if isinstance(item, h5py.Dataset) and item.dtype.names == ("real", "imag")
            }
        yield found


def _load_v73(dataset: Any, file_bytes: int) -> NDArray[np.generic]:
    refuse_if_absurd(dataset.size * dataset.dtype.itemsize, file_bytes, f"The array {dataset.name}")
    with _damage_explained():
        pairs = dataset[()]
        array = np.empty(pairs.shape, np.result_type(np.complex64, pairs["real"]))
        array.real, array.imag = pairs["real"], pairs["imag"]
        return array.T


@contextmanager
def _damage_explained() -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        raise UnreadableFile(
            f"The MATLAB file is damaged or truncated ({type(error).__name__} while reading it).",
            "Save it again, with `save -v7` or `save -v7.3`.",
        ) from error
