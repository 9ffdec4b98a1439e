"""Raw data without names: every measured byte as it was, in every format, and in files of real scanners."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import h5py
import ismrmrd
import nibabel
import numpy as np
import pytest

from mroptimum.errors import UnreadableFile, UnsupportedData
from mroptimum.phantom import Phantom, simulate, write_mrd
from mroptimum.rawdata import inspect, read, read_noise
from mroptimum.rawdata.anonymise.cleaning import anonymise, cleaned, identifying_fields
from mroptimum.rawdata.recognise import recognise
from mroptimum.rawdata.twix_structure import walk
from twix_bytes import TwixBytes

TWIX = ("twix-vb", "twix-ve")
SUBJECT = (
    "<subjectInformation><patientName>Doe^Jane &amp; Co</patientName><patientWeight_kg>70.5</patientWeight_kg>"
    "<patientID>4711-08</patientID><patientBirthdate>1970-01-02</patientBirthdate><patientGender>F</patientGender>"
    "</subjectInformation><studyInformation><studyDate>2024-02-06</studyDate><studyTime>10:11:12</studyTime>"
    "<studyDescription>Head of Jane</studyDescription></studyInformation>"
)
PARAMETERS = (
    "<userParameters><userParameterString><name>PatientName</name><value>Doe^Jane</value></userParameterString>"
    "<userParameterBase64><name>SiemensBuffer_Meas</name><value>SmFuZSBEb2U=</value></userParameterBase64>"
    "</userParameters>"
)


def named_twix(source: Path, path: Path) -> Path:
    """Put a name into every measurement's header, into the table, and into the name of a protocol."""
    changed = TwixBytes(source)
    changed.replace_text(b"xxxxxxxx", b"Doe^Jane")
    changed.replace_text(b"phantom_gre", b"gre_DoeJane")
    return changed.save(path)


def outside_the_headers(path: Path) -> bytes:
    """Return every byte of a Siemens file that belongs to no text of a header and to no table."""
    structure = walk(path, is_ve=recognise(path).value == "twix-ve")
    content = bytearray(path.read_bytes())
    for measurement in structure.measurements:
        for text in measurement.texts:
            content[text.start : text.start + text.length] = bytes(text.length)
    if structure.is_ve:
        for number in range(len(structure.measurements)):
            content[8 + 152 * number + 24 : 8 + 152 * (number + 1)] = bytes(128)
    return bytes(content)


@pytest.mark.parametrize("name", TWIX)
def test_the_measurement_of_a_siemens_file_stays(tmp_path: Path, files: dict[str, Path], name: str) -> None:
    named, clean = named_twix(files[name], tmp_path / "named.dat"), tmp_path / "clean.dat"
    assert {"tPatientName", "repeated in other texts"} <= set(anonymise(named, clean).fields)
    assert not re.search(rb"doe|jane", clean.read_bytes(), re.IGNORECASE)
    assert outside_the_headers(clean) == outside_the_headers(named)
    before, after = read(named), read(clean)
    assert (before.removed_fields != (), after.removed_fields) == (True, ())
    np.testing.assert_array_equal(after.kspace, before.kspace)
    without_arrays = {"kspace": None, "sampled": None, "noise": None, "calibration": None, "removed_fields": None}
    for field in dataclasses.fields(before):
        if field.name not in without_arrays:
            assert getattr(after, field.name) == getattr(before, field.name), field.name
    np.testing.assert_array_equal(read_noise(clean).samples, read_noise(named).samples)


@pytest.mark.parametrize("name", TWIX)
def test_what_inspect_lists_is_what_is_cleaned(tmp_path: Path, files: dict[str, Path], name: str) -> None:
    named = named_twix(files[name], tmp_path / "named.dat")
    assert inspect(named).identifying_fields == identifying_fields(named) != ()


def test_every_measurement_of_a_file_is_cleaned(tmp_path: Path, files: dict[str, Path]) -> None:
    named = named_twix(files["twix-ve"], tmp_path / "named.dat")
    n_measurements = len(TwixBytes(named).structure.measurements)
    assert n_measurements == 2
    with cleaned(named) as clean:
        starts = {m.start for m in walk(named, is_ve=True).measurements}
        ends = [
            next(s for s in sorted(starts, reverse=True) if s <= p.position) for p in clean.patches if p.position > 9736
        ]
    assert set(ends) == starts


def named_mrd(path: Path, *, extra: str = "") -> Path:
    write_mrd(path.with_suffix(".old"), simulate(Phantom(n_x=16, n_y=16, n_coils=2, n_noise_readouts=8)))
    with (
        ismrmrd.Dataset(path.with_suffix(".old"), mode="r") as old,
        ismrmrd.Dataset(path) as new,
    ):
        xml = old.read_xml_header().decode()
        xml = re.sub("(<acquisitionSystemInformation>)", SUBJECT + extra + r"\1", xml)
        xml = xml.replace("</ismrmrdHeader>", PARAMETERS + "</ismrmrdHeader>")
        new.write_xml_header(xml.encode())
        for number in range(old.number_of_acquisitions()):
            new.append_acquisition(old.read_acquisition(number))
    return path


def test_the_measurement_of_an_ismrmrd_file_stays(tmp_path: Path) -> None:
    named, clean = named_mrd(tmp_path / "named.h5"), tmp_path / "clean.h5"
    fields = anonymise(named, clean).fields
    assert fields == (
        "PatientName", "SiemensBuffer_Meas", "patientBirthdate", "patientGender", "patientID", "patientName",
        "patientWeight_kg", "studyDate", "studyDescription", "studyTime",
    )  # fmt: skip
    before, after = named.read_bytes(), clean.read_bytes()
    assert len(after) == len(before)
    assert not re.search(rb"doe|jane|4711|1970|2024-02|SmFuZ", after, re.IGNORECASE)
    np.testing.assert_array_equal(read(clean).kspace, read(named).kspace)
    assert read(clean).removed_fields == ()
    with h5py.File(named) as a, h5py.File(clean) as b:
        np.testing.assert_array_equal(a["dataset/data"]["head"], b["dataset/data"]["head"])


def test_a_clean_ismrmrd_header_is_still_valid(tmp_path: Path) -> None:
    anonymise(named_mrd(tmp_path / "named.h5"), tmp_path / "clean.h5")
    with ismrmrd.Dataset(tmp_path / "clean.h5", mode="r") as dataset:
        header = ismrmrd.xsd.CreateFromDocument(dataset.read_xml_header())
    subject, study = header.subjectInformation, header.studyInformation
    assert (subject.patientName, subject.patientWeight_kg, subject.patientID) == ("x" * 17, 0.0, "xxxxxxx")
    assert str(subject.patientBirthdate) == str(study.studyDate) == "1900-01-01"
    assert str(study.studyTime) == "00:00:00"


def test_a_text_of_fixed_length_is_cleaned_where_it_is(tmp_path: Path) -> None:
    named = named_mrd(tmp_path / "named.h5")
    with h5py.File(named, "a") as file:
        xml = file["dataset/xml"][0]
        del file["dataset/xml"]
        file["dataset"].create_dataset("xml", data=np.array([xml.replace(b"Doe", b"Roe")], f"S{len(xml) + 5}"))
    with h5py.File(named) as old, h5py.File(tmp_path / "rewritten.h5", "w") as new:
        old.copy("dataset", new)
    anonymise(tmp_path / "rewritten.h5", tmp_path / "clean.h5")
    assert identifying_fields(tmp_path / "clean.h5") == ()
    assert b"Jane" not in (tmp_path / "clean.h5").read_bytes()


def test_what_is_left_in_free_space_of_hdf5_is_refused(tmp_path: Path) -> None:
    """A header that was replaced leaves its old text behind, which nobody would find by reading the file."""
    named = named_mrd(tmp_path / "named.h5")
    with h5py.File(named, "a") as file:
        xml = file["dataset/xml"][0]
        del file["dataset/xml"]
        file["dataset"].create_dataset("xml", data=[xml], dtype=h5py.special_dtype(vlen=bytes))
    assert named.read_bytes().count(b"Doe^Jane &amp; Co") == 2
    with pytest.raises(UnsupportedData, match="elsewhere") as caught:
        anonymise(named, tmp_path / "clean.h5")
    assert "h5repack" in caught.value.next_step
    assert not (tmp_path / "clean.h5").exists()


def test_a_header_that_cannot_be_cleaned_in_place_is_refused(tmp_path: Path) -> None:
    extra = "<studyInformation><studyDescription><![CDATA[Jane]]></studyDescription></studyInformation>"
    with pytest.raises(UnsupportedData, match="studyDescription"):
        anonymise(named_mrd(tmp_path / "named.h5", extra=extra), tmp_path / "clean.h5")


@pytest.mark.parametrize("name", ["twix-vb", "twix-ve", "ismrmrd", "npz"])
def test_a_file_that_names_nobody_is_copied(tmp_path: Path, files: dict[str, Path], name: str) -> None:
    clean = anonymise(files[name], tmp_path / "copy")
    assert clean.fields == ()
    assert (tmp_path / "copy").read_bytes() == files[name].read_bytes()


def test_hdf5_of_something_else_is_not_let_through(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["name"] = "Doe^Jane"
    with pytest.raises(UnreadableFile, match="no ISMRMRD"):
        identifying_fields(tmp_path / "other.h5")


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("suffix", ["nii", "nii.gz"])
def test_a_nifti_header_is_cleaned(tmp_path: Path, kind: type[nibabel.Nifti1Image], suffix: str) -> None:
    volume = kind(np.arange(60, dtype=np.int16).reshape(3, 4, 5), np.diag([2.0, 3.0, 4.0, 1.0]))
    volume.header["descrip"] = b"Doe^Jane"
    volume.header["aux_file"] = b"jane.hdr"
    volume.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"Head of Jane"))
    volume.to_filename(tmp_path / f"named.{suffix}")
    clean = anonymise(tmp_path / f"named.{suffix}", tmp_path / f"clean.{suffix}")
    assert clean.fields == ("aux_file", "descrip", "header extension")
    again = kind.from_filename(tmp_path / f"clean.{suffix}")
    np.testing.assert_array_equal(np.asanyarray(again.dataobj), np.asanyarray(volume.dataobj))
    np.testing.assert_array_equal(again.affine, volume.affine)
    assert len(again.header.extensions) == 0
    assert b"ane" not in again.to_bytes()
    assert identifying_fields(tmp_path / f"clean.{suffix}") == ()


@pytest.mark.real_data
def test_files_of_scanners_keep_every_measured_byte(real_data: Path, tmp_path: Path) -> None:
    paths = sorted((real_data / "twix").glob("*.dat"))
    assert len(paths) == 9
    for path in paths:
        clean = tmp_path / path.name
        fields = anonymise(path, clean).fields
        assert {"StudyLOID", "InstitutionName", "tFrameOfReference"} <= set(fields)
        assert outside_the_headers(clean) == outside_the_headers(path)
        assert identifying_fields(clean) == ()
        texts = [t for m in walk(clean, is_ve=recognise(clean).value == "twix-ve").measurements for t in m.texts]
        content = clean.read_bytes()
        for text in texts:
            header = content[text.start : text.start + text.length]
            assert not re.search(rb'"[^"\n]*20(19|2\d)[01]\d[0-3]\d', header), "the day of the visit, in whatever field"
        before, after = inspect(path), inspect(clean)
        assert (after.kind, after.measurements) == (before.kind, before.measurements)
