"""The header of a Siemens measurement: the facts of a phantom in the words and places where readers look for them."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mroptimum.phantom.description import Phantom
from mroptimum.phantom.schedule import acquisition_order

NOT_A_PATIENT = "xxxxxxxx"
"""What stands where a scanner writes the name of the patient."""
_VB_HEADER_AT_LEAST = 16384
"""Readers take a file whose first number is below 10 000 for VE."""


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """What a measurement says of itself."""

    phantom: Phantom
    name: str
    dwell_time_s: float


def header_bytes(protocol: Protocol, *, is_ve: bool) -> bytes:
    """Return the header of a measurement: its length, the number of its texts, and the texts, padded."""
    texts = {
        "Config": _xprotocol(_config(protocol)),
        "Dicom": _xprotocol(_dicom(protocol, is_ve=is_ve)),
        "Meas": _xprotocol(_meas(protocol)),
        "MeasYaps": _ascconv(_yaps(protocol, is_ve=is_ve)),
        "Phoenix": _ascconv({}),
        "Spice": _xprotocol([]),
    }
    body = struct.pack("<I", len(texts))
    for name, text in texts.items():
        encoded = text.encode("latin-1") + b"\0"
        body += name.encode() + b"\0" + struct.pack("<I", len(encoded)) + encoded
    length = 4 + len(body)
    length += -length % 32
    if not is_ve:
        length = max(length, _VB_HEADER_AT_LEAST)
    return struct.pack("<I", length) + body.ljust(length - 4, b"\0")


def _ascconv(values: dict[str, str]) -> str:
    # No blanks within a line's value: readers stop there.
    lines = "".join(f"{name}\t = \t{value}\n" for name, value in values.items())
    return f"### ASCCONV BEGIN ###\n{lines}### ASCCONV END ###"


def _xprotocol(parameters: Iterable[str]) -> str:
    body = "".join(f"  {parameter}\n" for parameter in parameters)
    return f'<XProtocol>\n{{\n<ParamMap."">\n{{\n{body}}}\n}}\n'


def _text(name: str, value: str) -> str:
    return f'<ParamString."{name}">  {{ "{value}"  }}'


def _integers(name: str, *values: int) -> str:
    return f'<ParamLong."{name}">  {{ {" ".join(str(value) for value in values)}  }}'


def _number(name: str, value: float) -> str:
    return f'<ParamDouble."{name}">  {{ <Precision> 6  {value:.6f}  }}'


def _config(protocol: Protocol) -> Iterator[str]:
    phantom = protocol.phantom
    slices = acquisition_order(phantom)
    order = [*slices, *(-1 for _ in range(128 - len(slices)))]
    yield _text("tPatientName", NOT_A_PATIENT)
    yield _text("SequenceDescription", protocol.name)
    yield _text("chronSliceIndices", " ".join(str(index) for index in order))
    yield _text("PatientPosition", "HFS")
    yield _integers("MeasUID", 1)
    yield _integers("NSlc", len(slices))
    yield _integers("NRep", phantom.n_repetitions)


def _dicom(protocol: Protocol, *, is_ve: bool) -> Iterator[str]:
    phantom = protocol.phantom
    yield _text("SoftwareVersions", "syngo MR E11" if is_ve else "syngo MR B17")
    yield _text("Manufacturer", "SIEMENS")
    yield _text("ManufacturersModelName", "Synthetic")
    yield _number("flMagneticFieldStrength", phantom.field_strength_t)
    yield _number("flReadoutOSFactor", float(phantom.readout_oversampling))


def _meas(protocol: Protocol) -> Iterator[str]:
    phantom = protocol.phantom
    yield _integers("alRegridMode", 1, 1)
    yield _integers("iNoOfFourierColumns", phantom.n_recorded_x)
    yield _integers("iNoOfFourierLines", phantom.n_y - phantom.n_omitted_lines)
    yield _integers(
        "iNoOfFourierPartitions", phantom.n_recorded_z - phantom.n_omitted_partitions if phantom.is_3d else 1
    )
    yield _integers("i3DFTLength", phantom.n_recorded_z if phantom.is_3d else 1)
    yield _integers("NImageCols", phantom.n_x)
    yield _integers("NImageLins", phantom.n_y)
    yield _integers("iMaxNoOfRxChannels", phantom.n_coils)
    yield _text("tPatientPosition", "HFS")
    if phantom.noise_bandwidth_ratio < 1:
        yield _number("ReceiverNoiseEquivalentBandwidth", phantom.noise_bandwidth_ratio)


def _yaps(protocol: Protocol, *, is_ve: bool) -> dict[str, str]:
    phantom = protocol.phantom
    slabs = (phantom.centre_mm,) if phantom.is_3d else phantom.slice_centres_mm
    thickness = phantom.slice_thickness_mm * (phantom.n_slices if phantom.is_3d else 1)
    values = {
        "tSequenceFileName": '"%SiemensSeq%\\gre"',
        "tProtocolName": f'"{protocol.name}"',
        "sProtConsistencyInfo.flNominalB0": f"{phantom.field_strength_t}",
        "sTXSPEC.asNucleusInfo[0].tNucleus": '"1H"',
        "sTXSPEC.asNucleusInfo[0].lFrequency": f"{round(phantom.field_strength_t * 42.577478518e6)}",
        "sRXSPEC.alDwellTime[0]": f"{protocol.dwell_time_s * 1e9:.3f}",
        "alTR[0]": f"{round(phantom.repetition_time_s * 1e6)}",
        "alTE[0]": f"{round(phantom.echo_time_s * 1e6)}",
        "adFlipAngleDegree[0]": f"{phantom.flip_angle_deg}",
        "lContrasts": "1",
        "lAverages": f"{phantom.n_averages}",
        "lRepetitions": f"{phantom.n_repetitions - 1}",
        "sSliceArray.lSize": f"{len(slabs)}",
        "sKSpace.lBaseResolution": f"{phantom.n_x}",
        "sKSpace.lPhaseEncodingLines": f"{phantom.n_y}",
        "sKSpace.lPartitions": f"{phantom.n_recorded_z if phantom.is_3d else 1}",
        "sKSpace.lImagesPerSlab": f"{phantom.n_slices if phantom.is_3d else 1}",
        "sKSpace.dSliceOversamplingForDialog": f"{phantom.partition_oversampling - 1:.12g}",
        "sKSpace.ucDimension": "0x4" if phantom.is_3d else "0x2",
        "sKSpace.ucTrajectory": "0x1",
        "sKSpace.dPhaseResolution": "1",
        "sPat.lAccelFactPE": f"{phantom.acceleration}",
        "sPat.lAccelFact3D": f"{phantom.partition_acceleration}",
        "sPat.lRefLinesPE": f"{phantom.n_calibration_lines}",
        "sPat.lRefLines3D": f"{phantom.n_calibration_partitions}",
        "sPat.ucPATMode": "0x2" if phantom.acceleration * phantom.partition_acceleration > 1 else "0x1",
        "sPat.ucRefScanMode": "0x4" if phantom.n_calibration_lines else "0x1",
    }
    for index, centre in enumerate(slabs):
        one = f"sSliceArray.asSlice[{index}]."
        for axis, position, normal in zip(("Sag", "Cor", "Tra"), centre, phantom.slice_direction, strict=True):
            values[f"{one}sPosition.d{axis}"] = f"{position:.9g}"
            values[f"{one}sNormal.d{axis}"] = f"{normal:.9g}"
        values[f"{one}dThickness"] = f"{thickness:.12g}"
        values[f"{one}dReadoutFOV"] = f"{phantom.fov_mm[0]}"
        values[f"{one}dPhaseFOV"] = f"{phantom.fov_mm[1]}"
    for coil in range(phantom.n_coils):
        place = (
            f"sCoilSelectMeas.aRxCoilSelectData[0].asList[{coil}]." if is_ve else f"asCoilSelectMeas[0].asList[{coil}]."
        )
        connected = "lADCChannelConnected" if is_ve else "lRxChannelConnected"
        values[f"{place}sCoilElementID.tCoilID"] = '"Phantom"'
        values[f"{place}sCoilElementID.tElement"] = f'"P{coil + 1}"'
        values[f"{place}{connected}"] = f"{coil + 1}"
    return values
