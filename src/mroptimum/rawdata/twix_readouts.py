"""The readouts of one TWIX measurement: headers decoded by twixtools, samples read when asked for.

twixtools is used for single blocks only, at positions that `twix_structure` has checked; its file reader, which
believes every length, and its header parser are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from mroptimum.rawdata.acquisition import Complex64, Vector
from mroptimum.rawdata.readout import Readout, Role
from mroptimum.rawdata.twix_structure import VB_CHANNEL_HEADER_BYTES, Measurement

if TYPE_CHECKING:
    from twixtools.mdb import Mdb


_VB_CHANNEL_ID_OFFSET = 124
_BYTES_PER_SAMPLE = 8


class Flag(IntFlag):
    """The bits of a readout's evaluation mask that matter here."""

    REALTIME_FEEDBACK = 1 << 1
    """Evaluated during the scan, not part of the image."""
    HIGH_PERFORMANCE_FEEDBACK = 1 << 2
    """Evaluated during the scan, not part of the image."""
    RAW_DATA_CORRECTION = 1 << 10
    """The scanner's own reconstruction multiplies each channel by a factor."""
    SCAN_SCALE_FACTOR = 1 << 12
    """The scanner's own reconstruction multiplies this readout by a factor."""
    REFERENCE_PHASE_STABILISATION = 1 << 14
    """A navigator."""
    PHASE_STABILISATION = 1 << 15
    """A navigator."""
    PHASE_CORRECTION = 1 << 21
    """A line without phase encoding, for EPI."""
    CALIBRATION = 1 << 22
    """A reference line for parallel imaging."""
    CALIBRATION_AND_IMAGING = 1 << 23
    """A reference line that belongs to the image, too."""
    REFLECT = 1 << 24
    """Read backwards."""
    NOISE = 1 << 25
    """Receivers on, no excitation."""
    MULTIBAND_REFERENCE = 1 << 38
    """A single-band reference of simultaneous multi-slice imaging."""
    PACE = 1 << 44
    """A navigator."""
    DUMMY = 1 << 51
    """A readout of a heartbeat that is thrown away."""
    B1_CONTROL = 1 << 53
    """Measures the transmitter."""


_NEVER_IMAGING = (
    Flag.REALTIME_FEEDBACK
    | Flag.HIGH_PERFORMANCE_FEEDBACK
    | Flag.REFERENCE_PHASE_STABILISATION
    | Flag.PHASE_STABILISATION
    | Flag.PHASE_CORRECTION
    | Flag.MULTIBAND_REFERENCE
    | Flag.PACE
    | Flag.DUMMY
    | Flag.B1_CONTROL
)


@dataclass(frozen=True, kw_only=True)
class SlicePlacement:
    """Where a readout's slice lies: centre (LPS, mm) and the quaternion (w, x, y, z) of its axes."""

    centre_mm: Vector
    quaternion: tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class TwixReadouts:
    """The readouts of one measurement, in the order of the file; valid while the file is open."""

    readouts: tuple[Readout, ...]
    flags: Flag
    """All flags that any readout carries."""
    blocks: tuple[Mdb, ...]

    def samples(self, readout: Readout) -> Complex64:
        """Return the samples ``(coil, sample)``, conjugated.

        Siemens demodulates with the opposite sign: only the conjugate, transformed by the inverse FFT, gives an image
        whose axes run along the directions in the header.
        """
        recorded: Complex64 = self.blocks[readout.source].data
        return np.conjugate(recorded)

    def placement(self, readout: Readout) -> SlicePlacement:
        """Return where the readout's slice lies."""
        data = self.blocks[readout.source].mdh.SliceData
        position = data.SlicePos
        w, x, y, z = (float(component) for component in data.Quaternion)
        return SlicePlacement(
            centre_mm=(float(position.Sag), float(position.Cor), float(position.Tra)), quaternion=(w, x, y, z)
        )

    def channel_numbers(self, readout: Readout) -> tuple[int, ...]:
        """Return the number of the channel behind each coil index, as the scanner counts them, from 0."""
        block = self.blocks[readout.source]
        if block.version_is_ve:
            return tuple(int(header.ChannelId) for header in block.channel_hdr)
        # A VB block has one header for each channel, of which twixtools decodes the first.
        stride = VB_CHANNEL_HEADER_BYTES + _BYTES_PER_SAMPLE * readout.n_samples
        numbers = []
        for channel in range(readout.n_coils):
            block.fid.seek(block.mem_pos + channel * stride + _VB_CHANNEL_ID_OFFSET)
            numbers.append(int.from_bytes(block.fid.read(2), "little"))
        return tuple(numbers)


def decode(file: BinaryIO, measurement: Measurement, *, is_ve: bool) -> TwixReadouts:
    """Decode the headers of all readouts of one measurement."""
    from twixtools.mdb import Mdb  # takes a second to import

    blocks: list[Mdb] = []
    for position in measurement.readout_positions:
        file.seek(position)
        blocks.append(Mdb(file, is_ve))
    masks = [Flag(int(block.mdh.EvalInfoMask)) for block in blocks]
    readouts = tuple(_readout(i, block.mdh, mask) for i, (block, mask) in enumerate(zip(blocks, masks, strict=True)))
    every = Flag(0)
    for mask in masks:
        every |= mask
    return TwixReadouts(readouts=readouts, flags=every, blocks=tuple(blocks))


def _readout(index: int, header: Any, mask: Flag) -> Readout:
    counter, cut = header.Counter, header.CutOff
    n_samples = int(header.SamplesInScan)
    before, after = int(cut.Pre), int(cut.Post)
    if before + after >= n_samples:
        before = after = 0
    return Readout(
        role=_role(mask),
        source=index,
        n_coils=int(header.UsedChannels),
        n_samples=n_samples,
        y=int(counter.Lin),
        z=int(counter.Par),
        slice=int(counter.Sli),
        average=int(counter.Ave),
        repetition=int(counter.Rep),
        contrast=int(counter.Eco),
        phase=int(counter.Phs),
        set=int(counter.Set),
        # A centre at 0 is one that the sequence did not set (Pulseq sets none for lines).
        centre_x=int(header.CenterCol) or None,
        centre_y=int(header.CenterLin) or None,
        centre_z=int(header.CenterPar) or None,
        discard_before=before,
        discard_after=after,
        is_reversed=Flag.REFLECT in mask,
    )


def _role(mask: Flag) -> Role:
    if Flag.NOISE in mask:
        return Role.NOISE
    if mask & _NEVER_IMAGING:
        return Role.OTHER
    if Flag.CALIBRATION_AND_IMAGING in mask:
        return Role.IMAGING_AND_CALIBRATION
    if Flag.CALIBRATION in mask:
        return Role.CALIBRATION
    return Role.IMAGING
