"""MATLAB files: k-space and noise as plain arrays, version 5 (SciPy) and 7.3 (HDF5).

The signal is named S, signal, kspace, rawdata, raw or data, the noise N, noise or noise_scan, without case; a file that
holds a single complex array needs no name. Axes are (x, y), (x, y, coil) or (x, y, slice, coil), with x the readout.
"""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mroptimum.errors import UnreadableFile, UnsupportedData, WrongKindOfFile
from mroptimum.rawdata.acquisition import Acquisition, Complex64, FileFormat, Inspection, NoiseScan
from mroptimum.rawdata.arrays import as_complex64, oversampling_removal, partial_echo, recorded_lines, separate
from mroptimum.rawdata.limits import refuse_if_absurd
from mroptimum.rawdata.plausibility import refuse_implausible_noise, refuse_implausible_signal
from mroptimum.rawdata.summary import sha256_of

SIGNAL_NAMES = ("s", "signal", "kspace", "k_space", "rawdata", "raw", "data")
NOISE_NAMES = ("n", "noise", "noise_scan")
_BYTES_PER_ELEMENT = 16
_V73_SIGNATURE = b"MATLAB 7.3"
_DAMAGE = (
    OSError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    EOFError,
    NotImplementedError,
    OverflowError,
    MemoryError,
    AttributeError,
    RuntimeError,
    UserWarning,
    struct.error,
    zlib.error,
)
"""What SciPy's and HDF5's readers raise on damaged bytes; they have no error of their own for it."""


@dataclass(frozen=True, kw_only=True)
class _Variable:
    name: str
    shape: tuple[int, ...]


def read_mat(path: Path) -> Acquisition:
    """Read the signal and, if the file holds it, the noise."""
    variables = _variables(path)
    noise_name = _named(variables, NOISE_NAMES)
    signal_name = _named(variables, SIGNAL_NAMES) or _only(variables, apart_from=noise_name)
    if signal_name is None:
        raise WrongKindOfFile(
            f"No array of the file is named as the signal ({_listed(variables)}).",
            f"Name it {', '.join(SIGNAL_NAMES)}, with axes (x, y, coil) or (x, y, slice, coil).",
        )
    arrays = _load(path, [name for name in (signal_name, noise_name) if name])
    recorded_kspace = _kspace(as_complex64(arrays[signal_name], "the signal"))
    recorded = recorded_lines(recorded_kspace)
    refuse_implausible_signal(recorded_kspace, recorded)
    kspace, sampling, calibration = separate(recorded_kspace, recorded)
    noise = _noise(arrays[noise_name], noise_name) if noise_name else None
    factors, hints = oversampling_removal(kspace.shape[-1], noise) if noise else ((), ())
    return Acquisition(
        kspace=kspace,
        sampled=sampling.lines,
        file_format=FileFormat.MAT,
        dwell_time_s=None,
        acceleration=sampling.acceleration,
        noise=noise,
        calibration=calibration,
        scale_factors=(*partial_echo(recorded_kspace), *factors),
        warnings=hints,
    )


def read_mat_noise(path: Path) -> NoiseScan:
    """Read the noise array, else the only array of the file."""
    variables = _variables(path)
    name = _named(variables, NOISE_NAMES) or _only(variables, apart_from=None)
    if name is None:
        raise WrongKindOfFile(
            f"No array of the file is named as the noise ({_listed(variables)}).",
            f"Name it {', '.join(NOISE_NAMES)}, with axes (x, y, coil).",
        )
    return _noise(_load(path, [name])[name], name)


def inspect_mat(path: Path) -> Inspection:
    """Say what a file holds."""
    variables = _variables(path)
    has_noise = _named(variables, NOISE_NAMES) is not None
    has_signal = _named(variables, SIGNAL_NAMES) is not None
    return Inspection(
        file_format=FileFormat.MAT,
        kind="imaging" if has_signal else "noise" if has_noise else "unknown",
        size_bytes=path.stat().st_size,
        sha256=sha256_of(path),
        measurements=tuple({"name": v.name, "shape": list(v.shape)} for v in variables),
        identifying_fields=(),
    )


def _named(variables: tuple[_Variable, ...], names: tuple[str, ...]) -> str | None:
    by_lower_case = {variable.name.lower(): variable.name for variable in variables}
    return next((by_lower_case[name] for name in names if name in by_lower_case), None)


def _only(variables: tuple[_Variable, ...], *, apart_from: str | None) -> str | None:
    others = [v.name for v in variables if v.name != apart_from and len(v.shape) in (2, 3, 4)]
    return others[0] if len(others) == 1 else None


def _listed(variables: tuple[_Variable, ...]) -> str:
    return ", ".join(f"{v.name} {v.shape}" for v in variables[:8]) or "it holds no numeric arrays"


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


def _noise(array: NDArray[np.generic], name: str) -> NoiseScan:
    samples = as_complex64(array, "the noise")
    if samples.ndim not in (2, 3, 4):
        raise UnsupportedData(f"The noise has {samples.ndim} axes {samples.shape}.", "Give (x, y, coil).")
    if samples.ndim == 2:
        samples = samples[:, :, np.newaxis]
    readouts = np.moveaxis(samples.reshape(samples.shape[0], -1, samples.shape[-1]), 0, -1)
    readouts = np.ascontiguousarray(readouts)
    refuse_implausible_noise(readouts)
    return NoiseScan(samples=readouts, dwell_time_s=None, origin=f"array {name} of the file")


def _is_v73(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_V73_SIGNATURE)) == _V73_SIGNATURE


def _variables(path: Path) -> tuple[_Variable, ...]:
    """List the numeric arrays; raise when one claims a size that the file cannot hold."""
    try:
        found = _list_v73(path) if _is_v73(path) else _list_v5(path)
    except _DAMAGE as error:
        raise _unreadable(error) from error
    for variable in found:
        n_elements = 1
        for length in variable.shape:
            n_elements *= max(length, 0)
        refuse_if_absurd(_BYTES_PER_ELEMENT * n_elements, path.stat().st_size, f"The array {variable.name}")
    return found


def _load(path: Path, names: list[str]) -> Mapping[str, NDArray[np.generic]]:
    try:
        arrays = _load_v73(path, names) if _is_v73(path) else _load_v5(path, names)
    except _DAMAGE as error:
        raise _unreadable(error) from error
    missing = [name for name in names if name not in arrays]
    if missing:
        raise UnreadableFile(f"The array {missing[0]} cannot be read.", "Save the file again.")
    return arrays


def _unreadable(error: Exception | Warning) -> UnreadableFile:
    return UnreadableFile(
        f"The MATLAB file is damaged or truncated ({type(error).__name__} while reading it).",
        "Save it again, with `save -v7` or `save -v7.3`.",
    )


def _list_v5(path: Path) -> tuple[_Variable, ...]:
    import scipy.io

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        listed = scipy.io.whosmat(path)
    return tuple(
        _Variable(name=name, shape=tuple(int(length) for length in shape))
        for name, shape, kind in listed
        if kind in ("single", "double")
    )


def _load_v5(path: Path, names: list[str]) -> dict[str, NDArray[np.generic]]:
    import scipy.io

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = scipy.io.loadmat(path, variable_names=names)
    return {name: loaded[name] for name in names if isinstance(loaded.get(name), np.ndarray)}


def _list_v73(path: Path) -> tuple[_Variable, ...]:
    import h5py

    with h5py.File(path, "r") as file:
        return tuple(
            _Variable(name=name, shape=tuple(int(length) for length in item.shape[::-1]))
            for name, item in file.items()
            if isinstance(item, h5py.Dataset) and _is_complex_pair(item.dtype)
        )


def _load_v73(path: Path, names: list[str]) -> dict[str, NDArray[np.generic]]:
    import h5py

    with h5py.File(path, "r") as file:
        arrays: dict[str, NDArray[np.generic]] = {}
        for name in names:
            pairs = file[name][()]
            # MATLAB stores column by column: HDF5 sees the axes in reverse.
            arrays[name] = np.transpose(pairs["real"] + 1j * pairs["imag"])
        return arrays


def _is_complex_pair(dtype: np.dtype[np.generic]) -> bool:
    return dtype.names == ("real", "imag")
