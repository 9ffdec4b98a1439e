"""The XML header of ISMRMRD: the few facts the science needs. Lengths become mm, times s, angles degrees."""

from __future__ import annotations

import math
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from mroptimum.errors import UnreadableFile
from mroptimum.rawdata.anonymise.ismrmrd import filled_elements

_NEXT_STEP = "Convert the measurement again."


@dataclass(frozen=True, kw_only=True)
class Space:
    """Matrix and field of view (mm) along x, y, z."""

    matrix: tuple[int, int, int]
    fov_mm: tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """One encoding of the file; a centre is None where the header gives no limits."""

    encoded: Space
    reconstructed: Space
    trajectory: str
    centre_y: int | None
    centre_z: int | None


@dataclass(frozen=True, kw_only=True)
class MrdHeader:
    """What the header says; None where it says nothing."""

    encodings: tuple[Encoding, ...]
    is_siemens: bool
    scanner: str | None
    field_strength_t: float | None
    noise_bandwidth_ratio: float | None
    coil_names: tuple[str, ...]
    echo_time_s: float | None
    repetition_time_s: float | None
    flip_angle_deg: float | None
    sequence: str | None
    identifying_fields: tuple[str, ...]


def parse_header(xml: bytes) -> MrdHeader:
    """Read the header; raise `UnreadableFile` when it is no ISMRMRD header."""
    if b"<!DOCTYPE" in xml or b"<!ENTITY" in xml:
        raise UnreadableFile("The ISMRMRD header declares XML entities, which no converter writes.", _NEXT_STEP)
    try:
        root = ET.fromstring(xml)  # noqa: S314 - without entities there is nothing to expand
    except (ET.ParseError, ValueError, LookupError) as error:
        raise UnreadableFile("The ISMRMRD header is no XML.", _NEXT_STEP) from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    if root.tag != "ismrmrdHeader":
        raise UnreadableFile(f"The header is not of ISMRMRD (its root is {root.tag[:40]!r}).", _NEXT_STEP)
    vendor = _text(root, "acquisitionSystemInformation/systemVendor") or ""
    labels = [
        (_number(label, "coilNumber"), _text(label, "coilName"))
        for label in root.iterfind("acquisitionSystemInformation/coilLabel")
    ]
    return MrdHeader(
        encodings=tuple(_encoding(element) for element in root.iterfind("encoding")),
        is_siemens="siemens" in vendor.lower(),
        scanner=_text(root, "acquisitionSystemInformation/systemModel"),
        field_strength_t=_positive(root, "acquisitionSystemInformation/systemFieldStrength_T"),
        noise_bandwidth_ratio=_positive(root, "acquisitionSystemInformation/relativeReceiverNoiseBandwidth"),
        coil_names=tuple(name or "" for _, name in sorted(labels, key=lambda label: label[0] or 0)),
        echo_time_s=_milliseconds(root, "sequenceParameters/TE"),
        repetition_time_s=_milliseconds(root, "sequenceParameters/TR"),
        flip_angle_deg=_positive(root, "sequenceParameters/flipAngle_deg"),
        sequence=_text(root, "sequenceParameters/sequence_type"),
        identifying_fields=filled_elements(root),
    )


def _encoding(element: ET.Element) -> Encoding:
    return Encoding(
        encoded=_space(element, "encodedSpace"),
        reconstructed=_space(element, "reconSpace"),
        trajectory=(_text(element, "trajectory") or "").lower(),
        centre_y=_centre(element, "encodingLimits/kspace_encoding_step_1"),
        centre_z=_centre(element, "encodingLimits/kspace_encoding_step_2"),
    )


def _space(element: ET.Element, name: str) -> Space:
    matrix = [_positive(element, f"{name}/matrixSize/{axis}") for axis in "xyz"]
    fov = [_positive(element, f"{name}/fieldOfView_mm/{axis}") for axis in "xyz"]
    if None in matrix or None in fov:
        raise UnreadableFile(f"The ISMRMRD header gives no matrix or field of view in {name}.", _NEXT_STEP)
    x, y, z = (round(length) for length in matrix if length is not None)
    fov_x, fov_y, fov_z = (length for length in fov if length is not None)
    return Space(matrix=(x, y, z), fov_mm=(fov_x, fov_y, fov_z))


def _centre(element: ET.Element, path: str) -> int | None:
    value = _number(element, f"{path}/center")
    return round(value) if value is not None and value > 0 else None


def _text(element: ET.Element, path: str) -> str | None:
    text = element.findtext(path)
    return text.strip() if text and text.strip() else None


def _number(element: ET.Element, path: str) -> float | None:
    try:
        value = float(_text(element, path) or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) < 1e9 else None


def _positive(element: ET.Element, path: str) -> float | None:
    value = _number(element, path)
    return value if value is not None and value > 0 else None


def _milliseconds(element: ET.Element, path: str) -> float | None:
    value = _positive(element, path)
    return None if value is None else value / 1000
