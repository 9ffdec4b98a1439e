"""Small files that name somebody, and what they become: vectors for every language in which headers are cleaned.

`tests/vectors/anonymise.json` holds them as base64; run this file to write it anew after a change of the rules.
"""

from __future__ import annotations

import base64
import io
import json
import struct
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np

from dicom_files import BIG_ENDIAN, EXPLICIT, IMPLICIT, PERSON, image, with_sequences_and_private_elements

VECTORS = Path(__file__).parents[1] / "vectors" / "anonymise.json"
_CONFIG = b"""<XProtocol>
{
  <ParamMap."">
  {
    <ParamString."PatientID">  { "4711-08"  }
    <ParamString."tPatientName">  { "Doe^Jane"  }
    <ParamLong."PatientSex">  { 1  }
    <ParamDouble."flPatientAge">  { <Precision> 6  54.000000  }
    <ParamString."PatientName">  { <Visible> "true"  "Doe^Jane {2}" "" }
    <ParamString."tStudyDescription">  { "Head of Jane"  }
    <ParamArray."StudyLOIDS4Split">
    {
      <DefaultSize> 1
      <MaxSize> 50
      <Default> <ParamString."">{ }
      { "1.3.12.2.1107.5.2.63.20240206101112" }
      { }
    }
    <ParamString."SoftwareVersions">  { "syngo MR E11"  }
    <ParamString."tProtocolName">  { "gre_JaneDoe_1.3.12.2.1107.5.2.63.20240206101112"  }
    <ParamString."PatientPosition">  { "HFS"  }
  }
}
"""
_PROTOCOL = b"""### ASCCONV BEGIN ###
tProtocolName\t = \t"gre_JaneDoe"
tPatientName = "Doe^Jane"
tReferenceImage0\t = \t""1.3.12.2.1107.5.2.63.20240206""
sKSpace.lBaseResolution\t = \t16
### ASCCONV END ###
"""


@dataclass(frozen=True, kw_only=True)
class Vector:
    """One file: what kind it is, its bytes, those it becomes, and the names of the fields that were blanked."""

    name: str
    format: str
    input: bytes
    output: bytes
    fields: tuple[str, ...]


def vectors() -> tuple[Vector, ...]:
    """Return what the file of vectors holds."""
    return tuple(
        Vector(
            name=row["name"],
            format=row["format"],
            input=base64.b64decode(row["input"]),
            output=base64.b64decode(row["output"]),
            fields=tuple(row["fields"]),
        )
        for row in json.loads(VECTORS.read_text())["vectors"]
    )


def inputs() -> dict[str, bytes]:
    """Return the files by name; the part of a name before the first blank is the format."""
    pixels = np.arange(12, dtype=np.uint16).reshape(3, 4)
    found = {"twix-vb": _twix_vb(), "twix-ve of two measurements": _twix_ve(), "nifti": _nifti()}
    for name, syntax in {"implicit": IMPLICIT, "explicit": EXPLICIT, "big endian": BIG_ENDIAN}.items():
        dataset = with_sequences_and_private_elements(image(pixels, syntax=syntax, **PERSON))
        content = io.BytesIO()
        dataset.save_as(content, enforce_file_format=True)
        found[f"dicom {name}"] = content.getvalue()
    return found


def _header(texts: dict[bytes, bytes], at_least: int) -> bytes:
    body = struct.pack("<I", len(texts))
    for name, text in texts.items():
        body += name + b"\0" + struct.pack("<I", len(text)) + text
    length = max(4 + len(body), at_least)
    return (struct.pack("<I", length) + body).ljust(length, b"\0")


def _end_mark(mask_offset: int, n_bytes: int) -> bytes:
    mark = bytearray(n_bytes)
    struct.pack_into("<I", mark, 0, n_bytes)
    struct.pack_into("<Q", mark, mask_offset, 1)
    return bytes(mark)


def _twix_vb() -> bytes:
    return _header({b"Config": _CONFIG, b"MeasYaps": _PROTOCOL}, 10240) + _end_mark(20, 128)


def _twix_ve() -> bytes:
    """Write two measurements, each a header and an end mark, behind a table that names patient and protocol."""
    content = bytearray(10240)
    struct.pack_into("<II", content, 0, 0, 2)
    measurement = _header({b"Meas": _CONFIG, b"Phoenix": _PROTOCOL}, 0) + _end_mark(40, 192)
    for number, protocol in enumerate((b"AdjCoilSens", b"gre_JaneDoe")):
        struct.pack_into("<IIQQ64s64s", content, 8 + 152 * number, number, number, len(content), len(measurement),
                         b"Doe^Jane", protocol)  # fmt: skip
        content += measurement.ljust(-(-len(measurement) // 512) * 512, b"\0")
    return bytes(content)


def _nifti() -> bytes:
    volume = nibabel.Nifti1Image(np.arange(24, dtype=np.uint8).reshape(2, 3, 4), np.eye(4))
    volume.header["descrip"] = b"Doe^Jane 2024-02-06"
    volume.header["db_name"] = b"4711-08"
    volume.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"Head of Jane"))
    content: bytes = volume.to_bytes()
    return content


def _write() -> None:
    import tempfile

    from mroptimum.rawdata.anonymise.cleaning import cleaned

    rows = []
    for name, content in inputs().items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "file"
            path.write_bytes(content)
            with cleaned(path) as clean:
                rows.append(
                    {
                        "name": name,
                        "format": clean.file_format,
                        "fields": clean.fields,
                        "input": base64.b64encode(content).decode(),
                        "output": base64.b64encode(clean.read(0, clean.size_bytes)).decode(),
                    }
                )
    VECTORS.write_text(json.dumps({"about": (__doc__ or "").strip(), "vectors": rows}, indent=1) + "\n")


if __name__ == "__main__":
    _write()
