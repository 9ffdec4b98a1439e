"""Siemens TWIX (.dat) of VA/VB, VD/VE and XA software, with one or several measurements in a file."""

from __future__ import annotations

from pathlib import Path

from mroptimum.errors import UnreadableFile, UnsupportedData
from mroptimum.rawdata.acquisition import Acquisition, FileFormat, Inspection, NoiseScan
from mroptimum.rawdata.cartesian import DeclaredMatrix, GridPlan, fill_grid, plan_grid
from mroptimum.rawdata.echo import echo_contrast
from mroptimum.rawdata.plausibility import refuse_implausible_noise, refuse_implausible_signal
from mroptimum.rawdata.readout import alike, stack
from mroptimum.rawdata.summary import Summary, summarise
from mroptimum.rawdata.twix_content import TwixContent, TwixMeasurement, open_twix
from mroptimum.rawdata.twix_geometry import geometry, partition_oversampling, slice_order
from mroptimum.rawdata.twix_header import TwixHeader
from mroptimum.rawdata.twix_noise import noise_of, noise_of_image
from mroptimum.rawdata.twix_readouts import Flag

_CARTESIAN = 1
_NO_REGRIDDING = 1


def read_twix(path: Path, file_format: FileFormat, *, image_measurement_only: bool = False) -> Acquisition:
    """Read the image, the last measurement that holds imaging lines, with the noise lines of any measurement.

    With `image_measurement_only`, other measurements are left alone.
    """
    with open_twix(path, file_format) as content:
        image = _image(content)
        header, lines = image.header, image.lines
        _refuse_unsupported(image)
        plan = plan_grid(
            lines.readouts, _declared(header), file_bytes=content.structure.size, slice_order=slice_order(image)
        )
        kspace, calibration = fill_grid(plan, lines.samples)
        refuse_implausible_signal(kspace, plan.sampling.lines)
        oversampling, oversampling_warnings = _readout_oversampling(header, plan)
        noise, noise_warnings = noise_of_image(
            [image] if image_measurement_only else content.measurements, image, file_bytes=content.structure.size
        )
        slices = geometry(image, plan)
        return Acquisition(
            kspace=kspace,
            sampled=plan.sampling.lines,
            file_format=file_format,
            dwell_time_s=header.dwell_time_s,
            readout_oversampling=oversampling,
            partition_oversampling=partition_oversampling(header, plan),
            acceleration=plan.sampling.acceleration,
            noise=noise,
            calibration=calibration,
            geometry=slices,
            coil_names=image.coil_names(plan.imaging[0]),
            field_strength_t=header.field_strength_t,
            flip_angle_deg=header.flip_angle_deg,
            echo_time_s=header.echo_time_s,
            repetition_time_s=header.repetition_time_s,
            protocol=_protocol(header),
            removed_fields=content.identifying_fields,
            warnings=(
                *plan.warnings,
                *oversampling_warnings,
                *noise_warnings,
                *_flag_warnings(lines.flags),
                *_orientation_warnings(header),
                *(() if slices else ("The file does not say where its slices lie.",)),
            ),
        )


def read_twix_noise(path: Path, file_format: FileFormat) -> NoiseScan:
    """Read a file given as the noise: its noise lines, else all its readouts, unsorted and unaveraged."""
    with open_twix(path, file_format) as content:
        size = content.structure.size
        marked = [noise_of(measurement, file_bytes=size) for measurement in content.measurements if measurement.noise]
        if marked:
            return max(marked, key=lambda scan: scan.samples.size)
        with_readouts = [measurement for measurement in content.measurements if measurement.lines.readouts]
        if not with_readouts:
            raise UnreadableFile("The file holds no readouts.", "Export the noise measurement again.")
        measurement = with_readouts[-1]
        readouts = measurement.lines.readouts
        samples = stack(readouts, measurement.lines.samples, file_bytes=size)
        refuse_implausible_noise(samples)
        return NoiseScan(
            samples=samples,
            dwell_time_s=measurement.header.dwell_time_s,
            noise_bandwidth_ratio=measurement.header.noise_bandwidth_ratio,
            origin="all readouts of a file that holds no lines marked as noise; dwell time: header",
            coil_names=measurement.coil_names(alike(readouts)[0]),
        )


def inspect_twix(path: Path, file_format: FileFormat) -> Inspection:
    """Say what a file holds."""
    with open_twix(path, file_format) as content:
        image = next((m for m in reversed(content.measurements) if m.imaging), None)
        if image is None:
            kind = "noise" if any(m.noise for m in content.measurements) else "unknown"
        elif is_spectroscopy(image):
            kind = "spectroscopy"
        else:
            contrast = echo_contrast(image.lines.samples(r) for r in alike(image.imaging))
            kind = "noise" if contrast.is_noise else "imaging"
        return Inspection(
            file_format=file_format,
            kind=kind,
            size_bytes=content.structure.size,
            measurements=tuple(_summary(measurement) for measurement in content.measurements),
            identifying_fields=content.identifying_fields,
            notes=() if image is None else _flag_warnings(image.lines.flags),
        )


def _summary(measurement: TwixMeasurement) -> Summary:
    header = measurement.header
    return {
        **_protocol(header),
        **summarise(measurement.lines.readouts),
        "base_resolution": header.base_resolution,
        "readout_oversampling": header.readout_oversampling,
        "dwell_time_s": header.dwell_time_s,
        "field_strength_t": header.field_strength_t,
    }


def _image(content: TwixContent) -> TwixMeasurement:
    for measurement in reversed(content.measurements):
        if measurement.imaging:
            return measurement
    raise UnsupportedData(
        "The file holds no imaging lines.",
        "Give the file of the imaging measurement; a noise or adjustment scan alone gives no image.",
    )


def _refuse_unsupported(image: TwixMeasurement) -> None:
    header = image.header
    if is_spectroscopy(image):
        raise UnsupportedData(
            "The file holds spectroscopy or a single projection: one line of k-space, no image.",
            "Give an imaging measurement.",
        )
    if header.trajectory not in (None, _CARTESIAN):
        raise UnsupportedData(
            f"The trajectory is not Cartesian (trajectory {header.trajectory} in the header): radial, spiral and BLADE "
            "data are not handled.",
            "Measure SNR with a Cartesian sequence.",
        )
    if header.regrid_mode not in (None, _NO_REGRIDDING):
        raise UnsupportedData(
            "The file is an EPI with ramp sampling: its samples do not lie on a grid, and its lines need a phase "
            "correction.",
            "Regrid and phase-correct it first, or measure SNR with a gradient-echo or spin-echo sequence.",
        )
    if Flag.MULTIBAND_REFERENCE in image.lines.flags:
        raise UnsupportedData(
            "The file holds simultaneously excited slices (multi-band).", "Acquire the slices one by one."
        )


def is_spectroscopy(measurement: TwixMeasurement) -> bool:
    """Whether a measurement has no second dimension to image."""
    return measurement.header.base_resolution == 1 or len({(r.y, r.z) for r in measurement.imaging}) == 1


def _declared(header: TwixHeader) -> DeclaredMatrix:
    return DeclaredMatrix(
        x=[header.columns] if header.columns else [],
        y=header.phase_lines,
        z=header.partitions if header.is_3d else (),
    )


def _readout_oversampling(header: TwixHeader, plan: GridPlan) -> tuple[float, tuple[str, ...]]:
    """Return how much longer the readout is than the image, and warnings.

    Only `flReadoutOSFactor` can be trusted: sequences that bring their own matrix (Pulseq) leave the base resolution at
    a stale value, and another field says 2 whatever was done.
    """
    n_samples, base = plan.x.length, header.base_resolution
    factor = header.readout_oversampling
    if factor is None:
        if base and header.columns == n_samples and n_samples % base == 0:
            return n_samples / base, ()
        return 1.0, ("The header does not give the readout oversampling; none is assumed.",)
    if factor < 1 or (n_samples / factor) % 1:
        return 1.0, (
            f"The header's readout oversampling ({factor:g}) does not divide {n_samples} samples; none is assumed.",
        )
    if base and round(n_samples / factor) != base:
        warning = (
            f"The header's matrix ({base}) is not the recorded one ({n_samples / factor:.0f} without oversampling), as "
            "with sequences that bring their own; positions and field of view may be stale, too."
        )
        return factor, (warning,)
    return factor, ()


def _flag_warnings(flags: Flag) -> tuple[str, ...]:
    warnings = []
    if Flag.RAW_DATA_CORRECTION in flags:
        warnings.append(
            "The lines are marked for a correction factor for each channel, which the scanner applies later. Signal "
            "and noise are left as recorded, so SNR does not depend on it."
        )
    if Flag.SCAN_SCALE_FACTOR in flags:
        warnings.append(
            "Some readouts are marked to be scaled by the scanner's reconstruction; they are left as recorded."
        )
    return tuple(warnings)


def _orientation_warnings(header: TwixHeader) -> tuple[str, ...]:
    """Warn of sequences that turn their axes themselves: a measured brain lies otherwise than its header says."""
    if "pulseq" not in (header.sequence or "").lower():
        return ()
    return ("Pulseq sequences set their own orientation, which the header does not tell: maps may lie turned.",)


def _protocol(header: TwixHeader) -> dict[str, str]:
    """Return what may be shown of the protocol. Its name is left out: people write names of patients there."""
    facts = {
        "scanner": header.scanner,
        "software": header.software,
        "sequence": header.sequence,
        "nucleus": header.nucleus,
    }
    return {name: value for name, value in facts.items() if value}
