"""ISMRMRD raw data (HDF5), also called MRD."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from mroptimum.errors import UnreadableFile, UnsupportedData, WrongKindOfFile
from mroptimum.rawdata.acquisition import Acquisition, FileFormat, Inspection, NoiseScan, SliceGeometry
from mroptimum.rawdata.cartesian import DeclaredMatrix, GridPlan, fill_grid, plan_grid
from mroptimum.rawdata.echo import echo_contrast
from mroptimum.rawdata.mrd_content import CONVERT_AGAIN, MrdContent, open_mrd
from mroptimum.rawdata.mrd_header import Encoding
from mroptimum.rawdata.plausibility import refuse_implausible_noise, refuse_implausible_signal
from mroptimum.rawdata.readout import Readout, alike, stack
from mroptimum.rawdata.slice_axes import in_space, slice_geometry
from mroptimum.rawdata.summary import summarise


def read_mrd(path: Path) -> Acquisition:
    """Read the image and, if the file holds noise measurements, the noise."""
    with open_mrd(path) as content:
        imaging = content.imaging
        if not imaging:
            raise UnsupportedData("The file holds no imaging lines.", "Give the file of the imaging measurement.")
        encoding = _encoding(content, imaging)
        if len({(r.y, r.z) for r in imaging}) == 1:
            raise UnsupportedData(
                "The file holds spectroscopy or a single projection: one line of k-space, no image.",
                "Give an imaging measurement.",
            )
        plan = plan_grid(
            content.readouts,
            DeclaredMatrix(
                x=[encoding.encoded.matrix[0]], y=[encoding.encoded.matrix[1]], z=[encoding.encoded.matrix[2]]
            ),
            file_bytes=content.size,
            slice_order=_slice_order(content, imaging),
        )
        kspace, calibration = fill_grid(plan, content.samples)
        refuse_implausible_signal(kspace, plan.sampling.lines)
        noise, warnings = _noise(content, plan.n_coils)
        oversampling = _oversampling(encoding, plan.x.length, axis=0)
        of_partitions = _oversampling(encoding, plan.z.length, axis=2) if plan.z.length > 1 else 1.0
        header = content.header
        return Acquisition(
            kspace=kspace,
            sampled=plan.sampling.lines,
            file_format=FileFormat.ISMRMRD,
            dwell_time_s=_dwell_time(content, imaging[0]),
            readout_oversampling=oversampling,
            partition_oversampling=of_partitions,
            acceleration=plan.sampling.acceleration,
            noise=noise,
            calibration=calibration,
            geometry=_geometry(content, encoding, plan, (oversampling, of_partitions)),
            coil_names=header.coil_names if len(header.coil_names) == plan.n_coils else (),
            field_strength_t=header.field_strength_t,
            flip_angle_deg=header.flip_angle_deg,
            echo_time_s=header.echo_time_s,
            repetition_time_s=header.repetition_time_s,
            protocol={
                name: value for name, value in (("scanner", header.scanner), ("sequence", header.sequence)) if value
            },
            removed_fields=header.identifying_fields,
            warnings=(*plan.warnings, *warnings),
        )


def read_mrd_noise(path: Path) -> NoiseScan:
    """Read a file given as the noise: its noise measurements, else all its readouts."""
    with open_mrd(path) as content:
        noise = content.noise
        chosen = noise or list(content.readouts)
        if not chosen:
            raise UnreadableFile("The file holds no readouts.", CONVERT_AGAIN)
        return _noise_scan(content, chosen, "noise measurements" if noise else "all readouts, none is marked as noise")


def inspect_mrd(path: Path) -> Inspection:
    """Say what a file holds."""
    with open_mrd(path) as content:
        imaging = content.imaging
        kind = "unknown"
        if imaging:
            contrast = echo_contrast(content.samples(r) for r in alike(imaging))
            kind = "noise" if contrast.is_noise else "imaging"
        elif content.noise:
            kind = "noise"
        return Inspection(
            file_format=FileFormat.ISMRMRD,
            kind=kind,
            size_bytes=content.size,
            measurements=(
                {
                    **summarise(content.readouts),
                    "scanner": content.header.scanner,
                    "sequence": content.header.sequence,
                    "field_strength_t": content.header.field_strength_t,
                    "noise_bandwidth_ratio": content.header.noise_bandwidth_ratio,
                },
            ),
            identifying_fields=content.header.identifying_fields,
        )


def _encoding(content: MrdContent, imaging: Sequence[Readout]) -> Encoding:
    references = Counter(content.encoding_number(r) for r in imaging)
    if len(references) > 1:
        raise UnsupportedData(
            f"The imaging lines belong to {len(references)} encodings; one is handled.",
            "Convert the measurements one by one.",
        )
    (reference,) = references
    if reference >= len(content.header.encodings):
        raise UnreadableFile(f"The header does not describe encoding {reference} of the readouts.", CONVERT_AGAIN)
    encoding = content.header.encodings[reference]
    if encoding.trajectory != "cartesian":
        raise UnsupportedData(
            f"The trajectory is {encoding.trajectory or 'not given'}, not Cartesian.",
            "Measure SNR with a Cartesian sequence.",
        )
    return encoding


def _oversampling(encoding: Encoding, n_encoded: int, *, axis: int) -> float:
    """Return how much longer an axis is encoded than reconstructed, 1 where that is no whole number of voxels."""
    factor = encoding.encoded.fov_mm[axis] / encoding.reconstructed.fov_mm[axis]
    n_voxels = round(n_encoded / factor)
    if n_voxels < 1 or abs(n_encoded / n_voxels - factor) > 1e-3 * factor:
        return 1.0
    return max(n_encoded / n_voxels, 1.0)


def _noise(content: MrdContent, n_coils: int) -> tuple[NoiseScan | None, tuple[str, ...]]:
    fitting = [readout for readout in content.noise if readout.n_coils == n_coils]
    warnings: list[str] = []
    if len(fitting) < len(content.noise):
        n_other = len(content.noise) - len(fitting)
        warnings.append(f"{n_other} noise lines were left out: they have other coils than the image.")
    if not fitting:
        return None, tuple(warnings)
    try:
        return _noise_scan(content, fitting, "noise measurements"), tuple(warnings)
    except WrongKindOfFile as error:
        return None, (*warnings, f"The noise lines of the file were left out. {error.message}")


def _noise_scan(content: MrdContent, readouts: Sequence[Readout], origin: str) -> NoiseScan:
    samples = stack(readouts, content.samples, file_bytes=content.size)
    refuse_implausible_noise(samples)
    names = content.header.coil_names
    return NoiseScan(
        samples=samples,
        dwell_time_s=_dwell_time(content, alike(readouts)[0]),
        noise_bandwidth_ratio=content.header.noise_bandwidth_ratio,
        origin=f"{origin} of the file; dwell time: header of the readout",
        coil_names=names if len(names) == samples.shape[1] and all(names) else (),
    )


def _dwell_time(content: MrdContent, readout: Readout) -> float | None:
    microseconds = content.sample_time_us(readout)
    return microseconds * 1e-6 if math.isfinite(microseconds) and microseconds > 0 else None


def _first_of_slices(imaging: Sequence[Readout]) -> dict[int, Readout]:
    first: dict[int, Readout] = {}
    for readout in imaging:
        first.setdefault(readout.slice, readout)
    return first


def _slice_order(content: MrdContent, imaging: Sequence[Readout]) -> tuple[int, ...] | None:
    """Return the slice counters in ascending order along the slice direction, None where positions do not tell."""
    centres = {counter: content.vector(readout, "position") for counter, readout in _first_of_slices(imaging).items()}
    return in_space(centres, content.vector(imaging[0], "slice_dir"))


def _geometry(
    content: MrdContent, encoding: Encoding, plan: GridPlan, oversampling: tuple[float, float]
) -> tuple[SliceGeometry, ...]:
    first = _first_of_slices(content.imaging)
    fov_x, fov_y, fov_z = encoding.encoded.fov_mm
    found = []
    for counter in plan.slices:
        readout = first[counter]
        axes = (
            content.vector(readout, "read_dir"),
            content.vector(readout, "phase_dir"),
            content.vector(readout, "slice_dir"),
        )
        if not all(abs(math.hypot(*axis) - 1) < 0.01 for axis in axes):  # also for NaN
            return ()
        one = slice_geometry(
            content.vector(readout, "position"), axes, (fov_x / oversampling[0], fov_y, fov_z / oversampling[1])
        )
        if one is None:
            return ()
        found.append(one)
    return tuple(found)
