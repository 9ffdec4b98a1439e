"""An ISMRMRD file, opened: its header read, the heads of its readouts decoded, its samples within reach."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import IntFlag
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mroptimum.errors import UnreadableFile
from mroptimum.rawdata.acquisition import Complex64, Vector
from mroptimum.rawdata.limits import refuse_if_absurd
from mroptimum.rawdata.mrd_header import MrdHeader, parse_header
from mroptimum.rawdata.readout import Readout, Role

CONVERT_AGAIN = "Convert the measurement again."
_ROWS_AT_ONCE = 256
_MAX_XML_BYTES = 16 * 2**20
_DAMAGE = (OSError, ValueError, TypeError, KeyError, IndexError, RuntimeError, OverflowError, MemoryError)
"""What the HDF5 library raises on damaged bytes; it has no error of its own for it."""


class Flag(IntFlag):
    """The bits of a readout's flags that matter here."""

    NOISE = 1 << 18
    """Receivers on, no excitation."""
    CALIBRATION = 1 << 19
    """A reference line for parallel imaging."""
    CALIBRATION_AND_IMAGING = 1 << 20
    """A reference line that belongs to the image, too."""
    REVERSE = 1 << 21
    """Read backwards."""
    NAVIGATION = 1 << 22
    """A navigator."""
    PHASE_CORRECTION = 1 << 23
    """A line without phase encoding, for EPI."""
    HIGH_PERFORMANCE_FEEDBACK = 1 << 25
    """Evaluated during the scan."""
    DUMMY = 1 << 26
    """Thrown away."""
    REALTIME_FEEDBACK = 1 << 27
    """Evaluated during the scan."""
    SURFACE_COIL_CORRECTION = 1 << 28
    """For the normalisation of intensity."""
    PHASE_STABILISATION_REFERENCE = 1 << 29
    """A navigator."""
    PHASE_STABILISATION = 1 << 30
    """A navigator."""


_NEVER_IMAGING = (
    Flag.NAVIGATION
    | Flag.PHASE_CORRECTION
    | Flag.HIGH_PERFORMANCE_FEEDBACK
    | Flag.DUMMY
    | Flag.REALTIME_FEEDBACK
    | Flag.SURFACE_COIL_CORRECTION
    | Flag.PHASE_STABILISATION_REFERENCE
    | Flag.PHASE_STABILISATION
)
_KNOWN = Flag.NOISE | Flag.CALIBRATION | Flag.CALIBRATION_AND_IMAGING | _NEVER_IMAGING
"""Other bits, such as which line is the last of a slice, do not matter."""


@dataclass(kw_only=True)
class _Rows:
    """Samples of the dataset, read many rows at a time: one by one, HDF5 is slow."""

    dataset: Any
    _first: int = 0
    _chunk: list[NDArray[np.float32]] = field(default_factory=list)

    def samples(self, readout: Readout) -> Complex64:
        """Return the samples ``(coil, sample)`` as stored."""
        index = readout.source - self._first
        if not 0 <= index < len(self._chunk):
            with _damage_explained():
                self._chunk = list(self.dataset.fields("data")[readout.source : readout.source + _ROWS_AT_ONCE])
            self._first = readout.source
            index = 0
        row = self._chunk[index]
        if row.dtype != np.float32 or row.size != 2 * readout.n_coils * readout.n_samples:
            raise UnreadableFile(
                f"Readout {readout.source} holds {row.size} numbers; {readout.n_coils} coils of {readout.n_samples} "
                "complex samples were announced.",
                CONVERT_AGAIN,
            )
        return row.view(np.complex64).reshape(readout.n_coils, readout.n_samples)


@dataclass(frozen=True, kw_only=True)
class MrdContent:
    """An open file: its header, its readouts in the order of the file, and their samples while it is open."""

    header: MrdHeader
    readouts: tuple[Readout, ...]
    size: int
    _heads: NDArray[np.void]
    _rows: _Rows

    @property
    def imaging(self) -> list[Readout]:
        """The readouts that belong to an image."""
        return [readout for readout in self.readouts if readout.role.is_imaging]

    @property
    def noise(self) -> list[Readout]:
        """The readouts marked as noise."""
        return [readout for readout in self.readouts if readout.role is Role.NOISE]

    def samples(self, readout: Readout) -> Complex64:
        """Return the samples ``(coil, sample)``.

        Converters copy Siemens data as they are, demodulated with the opposite sign: only their conjugate, transformed
        by the inverse FFT, gives an image whose axes run along the directions in the header.
        """
        stored = self._rows.samples(readout)
        return np.conjugate(stored) if self.header.is_siemens else stored

    def vector(self, readout: Readout, name: str) -> Vector:
        """Return one of the readout's vectors: position (mm), read_dir, phase_dir or slice_dir (LPS)."""
        x, y, z = (float(component) for component in self._heads[readout.source][name])
        return (x, y, z)

    def sample_time_us(self, readout: Readout) -> float:
        """Return the time between samples in microseconds, as stored."""
        return float(self._heads[readout.source]["sample_time_us"])

    def encoding_number(self, readout: Readout) -> int:
        """Return which of the header's encodings the readout belongs to."""
        return int(self._heads[readout.source]["encoding_space_ref"])


@contextmanager
def open_mrd(path: Path) -> Iterator[MrdContent]:
    """Open and decode a file; samples can be read while the context lasts. Raise `UnreadableFile` for damage."""
    import h5py

    size = path.stat().st_size
    with _damage_explained():
        file = h5py.File(path, "r")
    with file:
        with _damage_explained():
            group = _group(file)
            header = parse_header(_xml(group))
            dataset = group["data"]
            if dataset.ndim != 1 or not {"head", "data"} <= set(dataset.dtype.names or ()):
                raise UnreadableFile("The readouts are not stored as ISMRMRD does.", CONVERT_AGAIN)
            refuse_if_absurd(dataset.size * dataset.dtype.itemsize, size, "The list of readouts")
            heads = dataset.fields("head")[:]
            readouts = _readouts(heads, header)
        yield MrdContent(header=header, readouts=readouts, size=size, _heads=heads, _rows=_Rows(dataset=dataset))


@contextmanager
def _damage_explained() -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        raise UnreadableFile(
            f"The HDF5 file is damaged or truncated ({type(error).__name__} while reading it).", CONVERT_AGAIN
        ) from error


def _group(file: Any) -> Any:
    """Return the group of the raw data: `dataset` by custom, else the first that holds a header and readouts."""
    for name in ("dataset", *file):
        item = file.get(name)
        if hasattr(item, "keys") and "xml" in item and "data" in item:
            return item
    raise UnreadableFile(
        "The HDF5 file holds no ISMRMRD raw data (no group with a header `xml` and readouts `data`).",
        "Convert the scanner's raw data to ISMRMRD, or give the scanner's file itself.",
    )


def _xml(group: Any) -> bytes:
    xml = group["xml"]
    if xml.size != 1 or xml.dtype.itemsize > _MAX_XML_BYTES:
        raise UnreadableFile("The header is not stored as ISMRMRD does.", CONVERT_AGAIN)
    text = xml[()] if xml.shape == () else xml[0]
    return text.encode() if isinstance(text, str) else bytes(text)


def _readouts(heads: NDArray[np.void], header: MrdHeader) -> tuple[Readout, ...]:
    found = []
    for index, head in enumerate(heads):
        flags = int(head["flags"])
        counters = head["idx"]
        n_samples, n_coils = int(head["number_of_samples"]), int(head["active_channels"])
        if n_samples == 0 or n_coils == 0:
            continue
        before, after = int(head["discard_pre"]), int(head["discard_post"])
        if before + after >= n_samples:
            before = after = 0
        reference = int(head["encoding_space_ref"])
        encoding = header.encodings[reference] if reference < len(header.encodings) else None
        found.append(
            Readout(
                role=_role(Flag(flags & _KNOWN)),
                source=index,
                n_coils=n_coils,
                n_samples=n_samples,
                y=int(counters["kspace_encode_step_1"]),
                z=int(counters["kspace_encode_step_2"]),
                slice=int(counters["slice"]),
                average=int(counters["average"]),
                repetition=int(counters["repetition"]),
                contrast=int(counters["contrast"]),
                phase=int(counters["phase"]),
                set=int(counters["set"]),
                centre_x=int(head["center_sample"]) or None,
                centre_y=encoding.centre_y if encoding else None,
                centre_z=encoding.centre_z if encoding else None,
                discard_before=before,
                discard_after=after,
                is_reversed=bool(flags & Flag.REVERSE),
            )
        )
    return tuple(found)


def _role(flags: Flag) -> Role:
    if Flag.NOISE in flags:
        return Role.NOISE
    if flags & _NEVER_IMAGING:
        return Role.OTHER
    if Flag.CALIBRATION_AND_IMAGING in flags:
        return Role.IMAGING_AND_CALIBRATION
    if Flag.CALIBRATION in flags:
        return Role.CALIBRATION
    return Role.IMAGING
