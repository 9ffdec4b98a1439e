"""An ISMRMRD file, opened: its header read, the heads of its readouts decoded, its samples within reach."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import IntFlag
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mroptimum.errors import UnreadableFile
from mroptimum.rawdata.acquisition import Complex64, Vector
from mroptimum.rawdata.anonymise.ismrmrd import HeaderText
from mroptimum.rawdata.bounded_file import BoundedFile
from mroptimum.rawdata.hdf5_records import REFERENCE_BYTES, GlobalHeap, Records, read_records
from mroptimum.rawdata.limits import refuse_if_absurd
from mroptimum.rawdata.mrd_header import MrdHeader, parse_header
from mroptimum.rawdata.readout import Readout, Role

CONVERT_AGAIN = "Convert the measurement again."
_HEAD_FIELDS = {
    "flags", "number_of_samples", "active_channels", "discard_pre", "discard_post", "center_sample",
    "encoding_space_ref", "sample_time_us", "position", "read_dir", "phase_dir", "slice_dir", "idx",
}  # fmt: skip
_COUNTERS = {
    "kspace_encode_step_1", "kspace_encode_step_2", "average", "slice", "contrast", "phase", "repetition", "set",
}  # fmt: skip
_VECTORS = ("position", "read_dir", "phase_dir", "slice_dir")
_STRING_CLASS = 3
"""H5T_STRING."""
_DAMAGE = (OSError, ValueError, TypeError, KeyError, IndexError, RuntimeError, OverflowError, MemoryError)
"""What the HDF5 library raises on damaged bytes; it has no error of its own for it."""


class Flag(IntFlag):
    """The bits of a readout's flags that matter here; others, such as the last line of a slice, do not."""

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


@dataclass(frozen=True, kw_only=True)
class MrdContent:
    """An open file: its header, its readouts in the order of the file, and their samples while it is open."""

    header: MrdHeader
    readouts: tuple[Readout, ...]
    size: int
    _heads: NDArray[np.void]
    _records: Records
    _data_offset: int
    _heap: GlobalHeap

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
        reference = self._records.reference(readout.source, self._data_offset)
        stored = np.frombuffer(self._heap.array(reference, item_bytes=4), "<f4")
        if stored.size != 2 * readout.n_coils * readout.n_samples:
            raise UnreadableFile(
                f"Readout {readout.source} holds {stored.size / 2:g} samples; {readout.n_coils} coils of "
                f"{readout.n_samples} were announced.",
                CONVERT_AGAIN,
            )
        samples = stored.view(np.complex64).reshape(readout.n_coils, readout.n_samples)
        return np.conjugate(samples) if self.header.is_siemens else samples.copy()

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

    with ExitStack() as stack:
        with _damage_explained():
            file = stack.enter_context(h5py.File(path, "r"))
        content = BoundedFile.of(stack.enter_context(path.open("rb")))
        with _damage_explained():
            group = _group(file)
            heap = GlobalHeap(content, int(file.userblock_size))
            header = parse_header(_header_text(group["xml"], content, heap).content)
            dataset = group["data"]
            head_offset, head_type, data_offset = _layout(dataset)
            record_bytes = int(dataset.id.get_type().get_size())
            refuse_if_absurd(dataset.size * record_bytes, content.size, "The list of readouts")
            records = read_records(dataset, content, record_bytes)
        heads = records.field(head_offset, head_type)
        yield MrdContent(
            header=header,
            readouts=_readouts(heads, header),
            size=content.size,
            _heads=heads,
            _records=records,
            _data_offset=data_offset,
            _heap=heap,
        )


def header_texts(path: Path) -> tuple[HeaderText, ...]:
    """Return the header of every group that has one, and where it lies in the file. Raise `UnreadableFile`."""
    import h5py

    with ExitStack() as stack:
        with _damage_explained():
            file = stack.enter_context(h5py.File(path, "r"))
        content = BoundedFile.of(stack.enter_context(path.open("rb")))
        with _damage_explained():
            heap = GlobalHeap(content, int(file.userblock_size))
            groups = [item for item in (file.get(name) for name in file) if isinstance(item, h5py.Group)]
            return tuple(
                _header_text(group["xml"], content, heap)
                for group in groups
                if isinstance(group.get("xml"), h5py.Dataset)
            )


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
    import h5py

    for name in ("dataset", *file):
        item = file.get(name)
        if isinstance(item, h5py.Group) and all(isinstance(item.get(key), h5py.Dataset) for key in ("xml", "data")):
            return item
    raise UnreadableFile(
        "The HDF5 file holds no ISMRMRD raw data (no group with a header `xml` and readouts `data`).",
        "Convert the scanner's raw data to ISMRMRD, or give the scanner's file itself.",
    )


def _header_text(dataset: Any, content: BoundedFile, heap: GlobalHeap) -> HeaderText:
    kind = dataset.id.get_type()
    if dataset.shape != (1,) or kind.get_class() != _STRING_CLASS:
        raise UnreadableFile("The header is not stored as ISMRMRD does.", CONVERT_AGAIN)
    refuse_if_absurd(kind.get_size(), content.size, "The header")
    if kind.is_variable_str():
        reference = read_records(dataset, content, REFERENCE_BYTES).reference(0, 0)
        position, count = heap.place(reference, item_bytes=1)
        return HeaderText(position=position, content=content.read_at(position, count))
    records = read_records(dataset, content, kind.get_size())
    return HeaderText(position=records.position, content=records.content[0].tobytes().rstrip(b"\0"))


def _layout(dataset: Any) -> tuple[int, np.dtype[Any], int]:
    """Return offset and type of a record's head, and the offset of the reference to its samples."""
    kind = dataset.id.get_type()
    names = dataset.dtype.names or ()
    if dataset.ndim != 1 or not {"head", "data"} <= set(names):
        raise UnreadableFile("The readouts are not stored as ISMRMRD does.", CONVERT_AGAIN)
    offsets = {kind.get_member_name(i).decode(): int(kind.get_member_offset(i)) for i in range(kind.get_nmembers())}
    head_type = kind.get_member_type(kind.get_member_index(b"head")).dtype
    data_type = kind.get_member_type(kind.get_member_index(b"data"))
    known = set(head_type.names or ())
    if not (
        known >= _HEAD_FIELDS
        and set(head_type["idx"].names or ()) >= _COUNTERS
        and not head_type.hasobject
        and all(head_type[name].shape == (3,) for name in _VECTORS)
        and data_type.get_size() == REFERENCE_BYTES
        and max(offsets["head"] + head_type.itemsize, offsets["data"] + REFERENCE_BYTES) <= kind.get_size()
    ):
        raise UnreadableFile("The readouts are not stored as ISMRMRD does.", CONVERT_AGAIN)
    return offsets["head"], head_type, offsets["data"]


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
