"""What a synthetic acquisition is: object, coils, noise, sampling and place, all of it chosen."""

from __future__ import annotations

from dataclasses import dataclass

Vector = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Region:
    """A part of the object with constant signal: ``|x/a|^p + |y/b|^p < 1``, turned by an angle.

    Lengths are fractions of half the field of view, along (readout, phase); `exponent` 2 is an ellipse, more is a
    rounded rectangle. Amplitudes of overlapping regions add.
    """

    amplitude: float
    centre: tuple[float, float] = (0.0, 0.0)
    semi_axes: tuple[float, float]
    angle_deg: float = 0.0
    exponent: float = 2.0


LOAF = (
    Region(amplitude=1.0, semi_axes=(0.92, 0.95), exponent=6.0),
    Region(amplitude=-0.35, semi_axes=(0.2, 0.3), centre=(-0.35, 0.1)),
    Region(amplitude=-0.25, semi_axes=(0.16, 0.36), centre=(0.35, -0.05), angle_deg=20.0),
    Region(amplitude=0.2, semi_axes=(0.14, 0.14), centre=(0.02, 0.5)),
    Region(amplitude=0.2, semi_axes=(0.08, 0.12), centre=(0.0, -0.55)),
)
"""A body that nearly fills the field of view, as a phantom bottle does, with a few inserts."""


@dataclass(frozen=True, kw_only=True)
class Phantom:
    """One synthetic Cartesian acquisition, 2D multi-slice or, if `is_3d`, one slab whose partitions are the slices.

    `sigma` is the standard deviation of **one real component** (real or imaginary) of the noise in a coil image, in the
    flat part of the receiver's pass band; over coils, the root of the mean variance. FFTs are unitary, so a sample of
    k-space has the same when the noise is white.

    `readout_oversampling` records the readout that many times longer than the image. `noise_bandwidth_ratio` is the
    noise-equivalent bandwidth of the receiver over the sampling bandwidth: 1 is white noise, 0.79 a Siemens receiver.
    `noise_dwell_time_s` is the dwell time of the noise scan; its power goes with its bandwidth, 1/dwell.

    `acceleration` records every R-th line from `first_line` on, and `n_calibration_lines` around the centre besides.
    `n_omitted_lines` leaves out lines at the start of k-space (partial Fourier).

    In 3D the same holds of partitions: every `partition_acceleration`-th from `first_partition` on, none of the first
    `n_omitted_partitions`, and `partition_oversampling` times as many as there are in the image. Calibration is then a
    block of `n_calibration_lines` by `n_calibration_partitions` around the centre (0: all partitions).

    The slice direction is phase direction x readout direction, as Siemens has it; directions and `centre_mm` are in
    patient coordinates (LPS). `centre_mm` is the middle of the stack; of a slab, it is where partition n // 2 lies.
    """

    n_x: int = 96
    n_y: int = 96
    n_coils: int = 8
    n_slices: int = 1
    n_repetitions: int = 1
    n_averages: int = 1
    regions: tuple[Region, ...] = LOAF
    amplitude: float = 1.0
    sigma: float = 0.02
    coil_correlation: float = 0.3
    readout_oversampling: int = 1
    noise_bandwidth_ratio: float = 1.0
    n_noise_readouts: int = 128
    dwell_time_s: float = 10e-6
    noise_dwell_time_s: float = 10e-6
    acceleration: int = 1
    first_line: int = 0
    n_calibration_lines: int = 0
    n_omitted_lines: int = 0
    is_3d: bool = False
    partition_oversampling: float = 1.0
    partition_acceleration: int = 1
    first_partition: int = 0
    n_calibration_partitions: int = 0
    n_omitted_partitions: int = 0
    fov_mm: tuple[float, float] = (220.0, 220.0)
    slice_thickness_mm: float = 5.0
    slice_spacing_mm: float = 8.0
    centre_mm: Vector = (0.0, 0.0, 0.0)
    readout_direction: Vector = (-1.0, 0.0, 0.0)
    phase_direction: Vector = (0.0, 1.0, 0.0)
    field_strength_t: float = 2.89362
    flip_angle_deg: float = 20.0
    echo_time_s: float = 5e-3
    repetition_time_s: float = 0.1
    seed: int = 1

    def __post_init__(self) -> None:
        counts = (self.n_x, self.n_y, self.n_coils, self.n_slices, self.n_repetitions, self.n_averages)
        if min(counts) < 1 or self.n_noise_readouts < 0:
            raise ValueError("counts start at 1")
        if not 1 <= self.acceleration <= self.n_y or not 0 <= self.first_line < self.acceleration:
            raise ValueError("the first line lies within the first period of the acceleration")
        if not 0 <= self.n_calibration_lines <= self.n_y or not 0 <= self.n_omitted_lines < self.n_y // 2:
            raise ValueError("calibration lines fit into k-space, and its centre is recorded")
        if not self.is_3d and (self.n_recorded_z, self.partition_acceleration) != (self.n_slices, 1):
            raise ValueError("only a slab has partitions to oversample or to leave out")
        if not 0 <= self.first_partition < self.partition_acceleration <= self.n_recorded_z:
            raise ValueError("the first partition lies within the first period of the acceleration")
        if not 0 <= self.n_calibration_partitions <= self.n_recorded_z:
            raise ValueError("calibration partitions fit into k-space")
        if self.n_omitted_partitions and not self.n_omitted_partitions < self.n_recorded_z // 2:
            raise ValueError("the centre of k-space is recorded")
        if not 0.75 <= self.noise_bandwidth_ratio <= 1:
            raise ValueError("a receiver whose pass band is flat over its inner half has a ratio of at least 0.75")

    @property
    def n_recorded_x(self) -> int:
        """Samples of one readout, oversampling included."""
        return self.n_x * self.readout_oversampling

    @property
    def n_recorded_z(self) -> int:
        """Partitions of a slab, oversampling included; in 2D, slices."""
        return round(self.n_slices * self.partition_oversampling)

    @property
    def imaging_partitions(self) -> tuple[int, ...]:
        """The partitions of the image of a slab, on the full grid."""
        return tuple(
            partition
            for partition in range(self.first_partition, self.n_recorded_z, self.partition_acceleration)
            if partition >= self.n_omitted_partitions
        )

    @property
    def calibration_partitions(self) -> tuple[int, ...]:
        """The partitions that calibration lines lie in, on the full grid."""
        count = self.n_calibration_partitions or self.n_recorded_z
        start = self.n_recorded_z // 2 - count // 2
        return tuple(part for part in range(start, start + count) if part >= self.n_omitted_partitions)

    @property
    def imaging_lines(self) -> tuple[int, ...]:
        """The lines of the image, on the full grid."""
        return tuple(
            line for line in range(self.first_line, self.n_y, self.acceleration) if line >= self.n_omitted_lines
        )

    @property
    def calibration_lines(self) -> tuple[int, ...]:
        """The calibration lines, on the full grid, those that are imaging lines, too, among them."""
        start = self.n_y // 2 - self.n_calibration_lines // 2
        return tuple(line for line in range(start, start + self.n_calibration_lines) if line >= self.n_omitted_lines)

    @property
    def slice_direction(self) -> Vector:
        """The unit vector along which slices are counted."""
        return _cross(self.phase_direction, self.readout_direction)

    @property
    def slice_centres_mm(self) -> tuple[Vector, ...]:
        """The centre of each slice or partition (LPS)."""
        normal = self.slice_direction
        middle = self.n_slices // 2 if self.is_3d else (self.n_slices - 1) / 2
        step = self.slice_thickness_mm if self.is_3d else self.slice_spacing_mm
        heights = [step * (index - middle) for index in range(self.n_slices)]
        x, y, z = self.centre_mm
        return tuple((x + h * normal[0], y + h * normal[1], z + h * normal[2]) for h in heights)


def _cross(a: Vector, b: Vector) -> Vector:
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
