"""The few facts of a Siemens header that the science needs, and nothing else: other values are never looked at.

A header is several texts. `MeasYaps` is the protocol, lines of ``name = value`` (*ASCCONV*); the others are XProtocol,
``<ParamLong."name"> { value }``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from mroptimum.rawdata.acquisition import Vector

_ASCCONV_LINE = re.compile(r"^[ \t]*([\w.\[\]]+)[ \t]*=[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_ASCCONV_BLOCK = re.compile(r"### ASCCONV BEGIN[^\n]*\n(.*?)### ASCCONV END", re.DOTALL)
_XPROTOCOL_NAMES = (
    "alRegridMode",
    "chronSliceIndices",
    "flReadoutOSFactor",
    "iNoOfFourierColumns",
    "i3DFTLength",
    "iNoOfFourierLines",
    "iPEFTLength",
    "ManufacturersModelName",
    "ReceiverNoiseEquivalentBandwidth",
    "SoftwareVersions",
)
_XPROTOCOL_VALUE = re.compile(
    r'<Param(?:Bool|Long|String|Double)\."(' + "|".join(_XPROTOCOL_NAMES) + r')">\s*\{([^{}]{0,4000})\}'
)
_XPROTOCOL_ATTRIBUTE = re.compile(r'<\w+>\s*(?:"[^"]*"|[^\s"<]+)')
_SLICE = re.compile(r"sSliceArray\.asSlice\[(\d{1,3})\]\.(\w+(?:\.\w+)?)$")
_COIL = re.compile(
    r"(?:sCoilSelectMeas\.aRxCoilSelectData\[0\]|asCoilSelectMeas\[0\])\.asList\[(\d{1,3})\]\."
    r"(?:sCoilElementID\.)?(tCoilID|tElement|lADCChannelConnected|lRxChannelConnected)$"
)
_PATIENT_AXES = ("dSag", "dCor", "dTra")


@dataclass(frozen=True, kw_only=True)
class ProtocolSlice:
    """One slice as it was planned: centre (LPS), field of view and thickness, in mm."""

    centre_mm: Vector
    readout_fov_mm: float
    phase_fov_mm: float
    thickness_mm: float


@dataclass(frozen=True, kw_only=True)
class TwixHeader:
    """What a header says; None where it says nothing. Times in seconds, angles in degrees, fields in tesla.

    `phase_lines`, `partitions` and `columns` are lengths the header names for the matrix; sequences that bring their
    own matrix (Pulseq) leave stale values there, and in 2D `partitions` may name what a slab would have. The thickness
    of a slab is that of its image: `slice_oversampling` is the part encoded beyond it. `coil_names` is by channel
    number, as counted in the readouts.
    """

    software: str | None
    scanner: str | None
    sequence: str | None
    nucleus: str | None
    base_resolution: int | None
    readout_oversampling: float | None
    columns: int | None
    phase_lines: tuple[int, ...]
    partitions: tuple[int, ...]
    is_3d: bool
    trajectory: int | None
    regrid_mode: int | None
    dwell_time_s: float | None
    echo_time_s: float | None
    repetition_time_s: float | None
    flip_angle_deg: float | None
    field_strength_t: float | None
    phase_oversampling: float
    slice_oversampling: float
    noise_bandwidth_ratio: float | None
    slices: tuple[ProtocolSlice, ...]
    chronological_slices: tuple[int, ...]
    coil_names: Mapping[int, str]


def parse_header(texts: Mapping[str, str]) -> TwixHeader:
    """Read the texts of one measurement; what is missing or no number becomes None."""
    protocol = _ascconv(texts.get("MeasYaps", ""))
    parameters = _xprotocol(texts)
    positive = _Positive(protocol, parameters)
    return TwixHeader(
        software=parameters.get("SoftwareVersions"),
        scanner=parameters.get("ManufacturersModelName"),
        sequence=_sequence(protocol.get("tSequenceFileName")),
        nucleus=protocol.get("sTXSPEC.asNucleusInfo[0].tNucleus"),
        base_resolution=positive.integer("sKSpace.lBaseResolution"),
        readout_oversampling=positive.number("flReadoutOSFactor"),
        columns=positive.integer("iNoOfFourierColumns"),
        phase_lines=tuple(
            lines
            for name in ("iNoOfFourierLines", "sKSpace.lPhaseEncodingLines", "iPEFTLength")
            if (lines := positive.integer(name)) is not None
        ),
        partitions=tuple(
            partitions
            for name in ("sKSpace.lPartitions", "i3DFTLength")
            if (partitions := positive.integer(name)) is not None
        ),
        is_3d=positive.integer("sKSpace.ucDimension") == 4,
        trajectory=positive.integer("sKSpace.ucTrajectory"),
        regrid_mode=positive.integer("alRegridMode"),
        dwell_time_s=positive.scaled("sRXSPEC.alDwellTime[0]", 1e-9),
        echo_time_s=positive.scaled("alTE[0]", 1e-6),
        repetition_time_s=positive.scaled("alTR[0]", 1e-6),
        flip_angle_deg=positive.number("adFlipAngleDegree[0]"),
        field_strength_t=positive.number("sProtConsistencyInfo.flNominalB0"),
        phase_oversampling=positive.number("sKSpace.dPhaseOversamplingForDialog") or 0.0,
        slice_oversampling=positive.number("sKSpace.dSliceOversamplingForDialog") or 0.0,
        noise_bandwidth_ratio=positive.number("ReceiverNoiseEquivalentBandwidth"),
        slices=_slices(protocol),
        chronological_slices=_chronological(parameters.get("chronSliceIndices", "")),
        coil_names=_coil_names(protocol),
    )


@dataclass(frozen=True)
class _Positive:
    """Values of the protocol, else of the parameters, as positive numbers."""

    protocol: Mapping[str, str]
    parameters: Mapping[str, str]

    def number(self, name: str) -> float | None:
        text = self.protocol.get(name) or self.parameters.get(name, "")
        value = _number(text.split()[0]) if text.split() else None
        return value if value is not None and value > 0 else None

    def integer(self, name: str) -> int | None:
        value = self.number(name)
        return None if value is None else round(value)

    def scaled(self, name: str, unit: float) -> float | None:
        value = self.number(name)
        return None if value is None else value * unit


def _number(text: str) -> float | None:
    try:
        value = float(int(text, 16)) if text.lower().startswith("0x") else float(text)
    except (ValueError, OverflowError):
        return None
    return value if abs(value) < 1e15 else None


def _ascconv(text: str) -> dict[str, str]:
    block = _ASCCONV_BLOCK.search(text)
    if block is None:
        return {}
    return {name: value.strip('"') for name, value in _ASCCONV_LINE.findall(block.group(1))}


def _xprotocol(texts: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    # `Config` and `Dicom` are what the scanner settled on; `Meas` repeats them, with unset defaults among them.
    for text_name in ("Dicom", "Config", "Meas"):
        for name, raw in _XPROTOCOL_VALUE.findall(texts.get(text_name, "")):
            value = " ".join(_XPROTOCOL_ATTRIBUTE.sub(" ", raw).replace('"', " ").split())
            if value and name not in found:
                found[name] = value
    return found


def _sequence(path: str | None) -> str | None:
    return path.replace("\\", "/").rsplit("/", 1)[-1] if path else None


def _chronological(text: str) -> tuple[int, ...]:
    return tuple(int(word) for word in text.split() if word.isdecimal() and len(word) < 6)


def _slices(protocol: Mapping[str, str]) -> tuple[ProtocolSlice, ...]:
    values: dict[int, dict[str, float]] = {}
    for name, text in protocol.items():
        match = _SLICE.match(name)
        value = _number(text)
        if match and value is not None:
            values.setdefault(int(match.group(1)), {})[match.group(2)] = value
    slices = []
    for _, facts in sorted(values.items()):
        sag, cor, tra = (facts.get(f"sPosition.{axis}", 0.0) for axis in _PATIENT_AXES)
        slices.append(
            ProtocolSlice(
                centre_mm=(sag, cor, tra),
                readout_fov_mm=facts.get("dReadoutFOV", 0.0),
                phase_fov_mm=facts.get("dPhaseFOV", 0.0),
                thickness_mm=facts.get("dThickness", 0.0),
            )
        )
    return tuple(slices)


def _coil_names(protocol: Mapping[str, str]) -> dict[int, str]:
    """Name each channel by its element, which the protocol lists with the receiver it is plugged into, from 1."""
    elements: dict[int, dict[str, str]] = {}
    for name, value in protocol.items():
        match = _COIL.match(name)
        if match:
            elements.setdefault(int(match.group(1)), {})[match.group(2)] = value
    names: dict[int, str] = {}
    for facts in elements.values():
        connected = _number(facts.get("lADCChannelConnected", facts.get("lRxChannelConnected", "")))
        if connected is not None and "tElement" in facts:
            names[int(connected) - 1] = ":".join(filter(None, (facts.get("tCoilID"), facts["tElement"])))
    return names
