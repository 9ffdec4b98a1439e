"""Siemens TWIX files of a simulated acquisition, written as a scanner would: VB with one measurement, VE with several.

A scanner demodulates with the opposite sign, so the conjugate of k-space is stored.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np

from mroptimum.phantom.description import Phantom, Vector
from mroptimum.phantom.schedule import Line, Purpose, centre_y, centre_z, image_lines, noise_lines
from mroptimum.phantom.simulation import Scan
from mroptimum.phantom.twix_protocol import NOT_A_PATIENT, Protocol, header_bytes

_TABLE_BYTES = 10240
_MEASUREMENT_ALIGNMENT = 512

_END_MARK = 1 << 0
_ONLINE = 1 << 3
_CALIBRATION = 1 << 22
_CALIBRATION_AND_IMAGING = 1 << 23
_NOISE = 1 << 25
_FIRST_IN_SLICE = 1 << 28
_LAST_IN_SLICE = 1 << 29
_PURPOSE_FLAGS = {
    Purpose.IMAGING: 0,
    Purpose.CALIBRATION: _CALIBRATION,
    Purpose.IMAGING_AND_CALIBRATION: _CALIBRATION | _CALIBRATION_AND_IMAGING,
    Purpose.NOISE: _NOISE,
}
_TICK_S = 2.5e-3


@dataclass(frozen=True, kw_only=True)
class _Measurement:
    """What one measurement of a file says of itself, and its readouts."""

    protocol: Protocol
    lines: Iterable[Line]


def write_twix_vb(path: Path, scan: Scan) -> None:
    """Write one measurement with the noise lines in front of the image.

    Readers cannot learn from a VB file how fast noise lines were sampled. Scanners sample them at 130 Hz per pixel, or
    as the image; give the phantom a `noise_dwell_time_s` of either kind (`vendor_noise_dwell_time_s`).
    """
    measurement = _Measurement(
        protocol=Protocol(phantom=scan.phantom, name="phantom_gre", dwell_time_s=scan.phantom.dwell_time_s),
        lines=chain(noise_lines(scan), image_lines(scan)),
    )
    with path.open("wb") as file:
        for part in _bytes_of(measurement, 1, is_ve=False):
            file.write(part)


def write_twix_ve(path: Path, scan: Scan) -> None:
    """Write a multi-raid file: the noise scan as a measurement of its own (if the scan has one), then the image."""
    phantom = scan.phantom
    measurements = []
    if phantom.n_noise_readouts:
        measurements.append(
            _Measurement(
                protocol=Protocol(
                    phantom=_plain(phantom),
                    name="AdjCoilSens",
                    dwell_time_s=phantom.noise_dwell_time_s,
                ),
                lines=noise_lines(scan),
            )
        )
    measurements.append(
        _Measurement(
            protocol=Protocol(phantom=phantom, name="phantom_gre", dwell_time_s=phantom.dwell_time_s),
            lines=image_lines(scan),
        )
    )
    entries = []
    with path.open("wb") as file:
        file.write(bytes(_TABLE_BYTES))
        for number, measurement in enumerate(measurements, 1):
            start = file.tell()
            for part in _bytes_of(measurement, number, is_ve=True):
                file.write(part)
            entries.append((start, file.tell() - start, measurement.protocol.name))
            file.write(bytes(-file.tell() % _MEASUREMENT_ALIGNMENT))
        file.seek(0)
        file.write(struct.pack("<II", 0, len(entries)))
        for number, (start, length, name) in enumerate(entries, 1):
            file.write(struct.pack("<IIQQ64s64s", number, number, start, length, NOT_A_PATIENT.encode(), name.encode()))


def _plain(phantom: Phantom) -> Phantom:
    """Return what the noise measurement is: one slice, nothing accelerated."""
    return replace(
        phantom,
        n_slices=1,
        acceleration=1,
        first_line=0,
        n_calibration_lines=0,
        is_3d=False,
        partition_oversampling=1.0,
        partition_acceleration=1,
        first_partition=0,
        n_calibration_partitions=0,
        n_omitted_partitions=0,
    )


def vendor_noise_dwell_time_s(n_samples: int) -> float:
    """Return the dwell time of noise lines that a Siemens sequence records in front of an image: 130 Hz per pixel."""
    return 1 / (130 * n_samples)


def quaternion(phantom: Phantom) -> tuple[float, float, float, float]:
    """Return the rotation (w, x, y, z) whose columns are the phase, readout and slice directions."""
    rotation = np.array([phantom.phase_direction, phantom.readout_direction, phantom.slice_direction]).T
    # The eigenvector of the largest eigenvalue (Bar-Itzhack 2000): right for every rotation, half turns too.
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = rotation
    symmetric = np.array(
        [
            [xx - yy - zz, yx + xy, zx + xz, zy - yz],
            [yx + xy, yy - xx - zz, zy + yz, xz - zx],
            [zx + xz, zy + yz, zz - xx - yy, yx - xy],
            [zy - yz, xz - zx, yx - xy, xx + yy + zz],
        ]
    )
    x, y, z, w = np.linalg.eigh(symmetric)[1][:, -1]
    sign = -1.0 if w < 0 else 1.0
    return (sign * float(w), sign * float(x), sign * float(y), sign * float(z))


def _bytes_of(measurement: _Measurement, number: int, *, is_ve: bool) -> Iterator[bytes]:
    yield header_bytes(measurement.protocol, is_ve=is_ve)
    block = _ve_block if is_ve else _vb_block
    count = 0
    for count, line in enumerate(measurement.lines, 1):
        yield block(_Block.of(measurement.protocol.phantom, line, count, number))
    end = _Block(
        mask=_END_MARK,
        samples=np.zeros((measurement.protocol.phantom.n_coils, 16), np.complex64),
        count=count + 1,
        measurement_number=number,
    )
    yield block(end)


@dataclass(frozen=True, kw_only=True)
class _Block:
    """One block of the file, before it takes the form of VB or VE."""

    mask: int
    samples: np.ndarray[tuple[int, int], np.dtype[np.complex64]]
    count: int
    measurement_number: int
    y: int = 0
    z: int = 0
    average: int = 0
    slice: int = 0
    repetition: int = 0
    centre_x: int = 0
    centre_y: int = 0
    centre_z: int = 0
    position: Vector = (0.0, 0.0, 0.0)
    quaternion: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 0.0)

    @classmethod
    def of(cls, phantom: Phantom, line: Line, count: int, measurement_number: int) -> _Block:
        """Give a readout its flags, counters and place."""
        mask = _ONLINE | _PURPOSE_FLAGS[line.purpose]
        mask |= _FIRST_IN_SLICE if line.is_first_in_slice else 0
        mask |= _LAST_IN_SLICE if line.is_last_in_slice else 0
        samples = np.conj(line.samples).astype("<c8")
        return cls(
            mask=mask,
            samples=samples.reshape(phantom.n_coils, -1),
            count=count,
            measurement_number=measurement_number,
            y=line.y,
            z=line.z,
            average=line.average,
            slice=line.acquired_slice,
            repetition=line.repetition,
            centre_x=samples.shape[1] // 2,
            centre_y=centre_y(phantom),
            centre_z=centre_z(phantom),
            position=phantom.centre_mm if phantom.is_3d else phantom.slice_centres_mm[line.slice],
            quaternion=quaternion(phantom),
        )

    @property
    def is_end(self) -> bool:
        return bool(self.mask & _END_MARK)

    def start(self, length: int, *, flags: int = 0) -> bytes:
        """Return the first fields: length, measurement, count and times (ticks of 2.5 ms)."""
        ticks = round(self.count * 10e-3 / _TICK_S)
        return struct.pack("<IiIII", flags | length, self.measurement_number, self.count, ticks, ticks)

    def counters(self) -> bytes:
        """Return the fields from the evaluation mask to the centre of k-space, alike in VB and VE."""
        n_channels, n_samples = self.samples.shape
        loop_counters = (self.y, self.average, self.slice, self.z, 0, 0, self.repetition, 0, 0, 0, 0, 0, 0, 0)
        return (
            struct.pack("<QHH14H", self.mask, n_samples, n_channels, *loop_counters)
            + struct.pack("<HH", 0, 0)  # samples to cut off at either end
            + struct.pack("<HH", self.centre_x, 0)
            + struct.pack("<fI", 0.0, 0)
            + struct.pack("<HH", self.centre_y, self.centre_z)
        )

    def place(self) -> bytes:
        """Return the slice's position and rotation."""
        return struct.pack("<7f", *self.position, *self.quaternion)


def _ve_block(block: _Block) -> bytes:
    n_channels, n_samples = (0, 0) if block.is_end else block.samples.shape
    channel_bytes = 32 + 8 * n_samples
    length = 192 + (160 if block.is_end else n_channels * channel_bytes)
    parts = [
        block.start(length),
        bytes(20),  # system type and table position
        block.counters() if not block.is_end else struct.pack("<Q", block.mask) + bytes(48),
        block.place(),
        bytes(48 + 8 + 8),  # parameters of the scanner's reconstruction
    ]
    if block.is_end:
        return b"".join(parts) + bytes(160)
    for channel in range(n_channels):
        parts.append(
            struct.pack("<IiIiIIHHI", channel_bytes << 8, block.measurement_number, block.count, 0, 0, 0, channel, 0, 0)
        )
        parts.append(block.samples[channel].tobytes())
    return b"".join(parts)


def _vb_block(block: _Block) -> bytes:
    n_channels, n_samples = block.samples.shape
    length = n_channels * (128 + 8 * n_samples)
    parts = []
    for channel in range(n_channels):
        parts += [
            block.start(length, flags=1 << 31),
            block.counters(),
            bytes(8 + 8),  # parameters of the scanner's reconstruction
            block.place(),
            struct.pack("<HH", channel, 0),
            block.samples[channel].tobytes(),
        ]
    return b"".join(parts)
