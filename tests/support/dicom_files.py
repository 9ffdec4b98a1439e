"""DICOM files as scanners write them, made with pydicom, which has nothing in common with the code under test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MRImageStorage,
    SecondaryCaptureImageStorage,
)

IMPLICIT, EXPLICIT, BIG_ENDIAN = ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian
SYNTAXES = (IMPLICIT, EXPLICIT, BIG_ENDIAN)
ROOT = "1.2.840.4711.5.20240206101112"
PERSON = {
    "PatientName": "Doe^Jane",
    "PatientID": "4711-08",
    "PatientBirthDate": "19700102",
    "PatientSex": "F",
    "PatientAge": "054Y",
    "PatientWeight": "70.5",
    "StudyDate": "20240206",
    "StudyTime": "101112.500",
    "AcquisitionDateTime": "20240206101112.500",
    "InstitutionName": "General Hospital",
    "ReferringPhysicianName": "Roe^Richard",
    "StudyDescription": "Head of Jane",
    "ProtocolName": "gre_JaneDoe",
    "AccessionNumber": "A123",
    "DeviceSerialNumber": "35287",
}
"""What a scanner writes of a person and a visit."""


def image(pixels: NDArray[np.integer[Any]], *, syntax: Any = EXPLICIT, **elements: Any) -> FileDataset:
    """Return one slice (y, x) as an MR image of a place in the patient; `elements` replace or add, None removes."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = UID(f"{ROOT}.3")
    meta.TransferSyntaxUID = syntax
    found = FileDataset(
        "",
        {},
        file_meta=meta,
        preamble=bytes(128),
        is_implicit_VR=syntax == IMPLICIT,
        is_little_endian=syntax != BIG_ENDIAN,
    )
    stored = {
        "SOPClassUID": MRImageStorage,
        "SOPInstanceUID": f"{ROOT}.3",
        "StudyInstanceUID": f"{ROOT}.1",
        "SeriesInstanceUID": f"{ROOT}.2",
        "FrameOfReferenceUID": f"{ROOT}.4",
        "Modality": "MR",
        "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"],
        "Manufacturer": "SIEMENS",
        "ManufacturerModelName": "Skyra",
        "MagneticFieldStrength": "2.89362",
        "RepetitionTime": "100",
        "EchoTime": "5",
        "FlipAngle": "25",
        "SliceThickness": "5",
        "PixelSpacing": ["1.5", "1.25"],
        "ImagePositionPatient": ["-40", "-30", "12.5"],
        "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"],
        "InstanceNumber": "1",
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": pixels.shape[0],
        "Columns": pixels.shape[1],
        "BitsAllocated": 8 * pixels.dtype.itemsize,
        "BitsStored": 8 * pixels.dtype.itemsize,
        "HighBit": 8 * pixels.dtype.itemsize - 1,
        "PixelRepresentation": int(pixels.dtype.kind == "i"),
    }
    for keyword, value in {**stored, **elements}.items():
        if value is not None:
            setattr(found, keyword, value)
    stored_type = pixels.dtype.newbyteorder(">" if syntax == BIG_ENDIAN else "<")
    found.PixelData = pixels.astype(stored_type).tobytes()
    found["PixelData"].VR = "OB" if pixels.dtype.itemsize == 1 else "OW"
    return found


def with_sequences_and_private_elements(dataset: FileDataset) -> FileDataset:
    """Add what hides deeper: a referenced image, a physician in a sequence, and elements of a manufacturer's own."""
    referenced = Dataset()
    referenced.ReferencedSOPClassUID = MRImageStorage
    referenced.ReferencedSOPInstanceUID = f"{ROOT}.9"
    dataset.ReferencedImageSequence = Sequence([referenced])
    request = Dataset()
    request.RequestedProcedureID = "P4711"
    inner = Dataset()
    inner.PersonName = "Roe^Richard"
    inner.add_new(0x00401101, "SQ", Sequence([]))
    request.add_new(0x0040A073, "SQ", Sequence([inner]))
    dataset.RequestAttributesSequence = Sequence([request])
    header = dataset.private_block(0x0051, "SIEMENS MR HEADER", create=True)
    header.add_new(0x11, "LO", "p2")
    header.add_new(0x0C, "LO", "4711 of Jane")
    csa = dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
    csa.add_new(0x10, "OB", b'SV10 tPatientName "Doe^Jane" ')
    return dataset


def save(dataset: FileDataset, path: Path) -> Path:
    """Write the file."""
    dataset.save_as(path, enforce_file_format=True)
    return path


__all__ = ["BIG_ENDIAN", "EXPLICIT", "IMPLICIT", "PERSON", "SYNTAXES", "SecondaryCaptureImageStorage", "image", "save"]
