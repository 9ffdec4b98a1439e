"""DICOM without names, held against pydicom: what is kept is equal, what is gone is gone, and it is still DICOM."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.dataset import Dataset

from dicom_files import PERSON, SYNTAXES, image, save, with_sequences_and_private_elements
from mroptimum.errors import RawDataError, UnsupportedData
from mroptimum.rawdata.anonymise.cleaning import anonymise, cleaned, identifying_fields
from mroptimum.rawdata.patient_fields import rules

PIXELS = np.arange(48, dtype=np.uint16).reshape(6, 8) * 1000


def elements(dataset: Dataset) -> dict[str, Any]:
    """Return values by keyword or tag, of sequences too."""
    return {element.keyword or str(element.tag): element.value for element in dataset.iterall() if element.VR != "SQ"}


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name)
def test_what_describes_the_image_stays_and_all_else_goes(tmp_path: Path, syntax: Any) -> None:
    named = save(with_sequences_and_private_elements(image(PIXELS, syntax=syntax, **PERSON)), tmp_path / "named.dcm")
    clean = anonymise(named, tmp_path / "clean.dcm")
    assert set(PERSON) <= set(clean.fields)
    content = (tmp_path / "clean.dcm").read_bytes()
    assert not re.search(rb"jane|doe|roe|4711|20240206|hospital", content, re.IGNORECASE)
    before, after = pydicom.dcmread(named), pydicom.dcmread(tmp_path / "clean.dcm")
    np.testing.assert_array_equal(after.pixel_array, PIXELS)
    kept = {element["name"] for element in rules()["dicom"]["keep"]}
    old, new = elements(before), elements(after)
    assert new.keys() == old.keys()
    for name in new.keys() & kept:
        assert new[name] == old[name], name
    assert new["PatientName"] == "x" * 8
    assert (new["PatientAge"], new["StudyDate"], new["StudyTime"]) == ("000Y", "19000101", "000000.000")
    assert new["PatientWeight"] == 0
    assert new["SOPInstanceUID"].is_valid
    assert after.private_block(0x0051, "SIEMENS MR HEADER")[0x11].value in {"p2", b"p2"}


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name)
def test_cleaning_is_done_once(tmp_path: Path, syntax: Any) -> None:
    named = save(with_sequences_and_private_elements(image(PIXELS, syntax=syntax, **PERSON)), tmp_path / "named.dcm")
    anonymise(named, tmp_path / "clean.dcm")
    again = anonymise(tmp_path / "clean.dcm", tmp_path / "again.dcm")
    assert again.fields == ()
    assert (tmp_path / "again.dcm").read_bytes() == (tmp_path / "clean.dcm").read_bytes()


def test_private_elements_of_somebody_else_are_not_kept(tmp_path: Path) -> None:
    """The number of a private element means nothing without its creator."""
    dataset = image(PIXELS)
    dataset.private_block(0x0051, "ACME", create=True).add_new(0x11, "LO", "Doe^Jane")
    anonymise(save(dataset, tmp_path / "named.dcm"), tmp_path / "clean.dcm")
    assert b"Jane" not in (tmp_path / "clean.dcm").read_bytes()


def test_compressed_pictures_are_cleaned_too(tmp_path: Path) -> None:
    dataset = image(np.zeros((8, 8), np.uint8), **PERSON)
    dataset.compress(pydicom.uid.RLELossless)
    anonymise(save(dataset, tmp_path / "named.dcm"), tmp_path / "clean.dcm")
    after = pydicom.dcmread(tmp_path / "clean.dcm")
    assert after.PatientName == "x" * 8
    np.testing.assert_array_equal(after.pixel_array, 0)
    assert after.PixelData == pydicom.dcmread(tmp_path / "named.dcm").PixelData


def test_a_preamble_is_no_place_for_names(tmp_path: Path) -> None:
    content = bytearray(save(image(PIXELS), tmp_path / "named.dcm").read_bytes())
    content[:8] = b"Doe^Jane"
    (tmp_path / "named.dcm").write_bytes(content)
    assert "preamble" in identifying_fields(tmp_path / "named.dcm")


def test_text_in_the_picture_is_told(tmp_path: Path) -> None:
    with cleaned(save(image(PIXELS, BurnedInAnnotation="YES"), tmp_path / "burned.dcm")) as clean:
        assert any("burned into the picture" in note for note in clean.notes)


def test_a_deflated_file_is_refused(tmp_path: Path) -> None:
    dataset = image(PIXELS)
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.DeflatedExplicitVRLittleEndian
    with pytest.raises(UnsupportedData, match="deflated"):
        identifying_fields(save(dataset, tmp_path / "deflated.dcm"))


def test_the_names_in_the_rules_are_those_of_the_standard() -> None:
    of_dicom = rules()["dicom"]
    for element in [*of_dicom["keep"], *of_dicom["blank"]]:
        tag = int(element["tag"].replace(",", ""), 16)
        assert keyword_for_tag(tag) == element["name"]
        if "vr" in element:
            assert dictionary_VR(tag) == element["vr"]
    tags = [element["tag"] for element in [*of_dicom["keep"], *of_dicom["blank"]]]
    assert len(tags) == len(set(tags))


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name)
def test_damaged_files_are_cleaned_or_refused(tmp_path: Path, syntax: Any, rng: np.random.Generator) -> None:
    named = save(with_sequences_and_private_elements(image(PIXELS, syntax=syntax, **PERSON)), tmp_path / "named.dcm")
    original = named.read_bytes()
    path = tmp_path / "damaged.dcm"
    refusals: list[RawDataError] = []
    for number in range(200):
        damaged = bytearray(original)
        if number % 4 == 0:
            del damaged[int(rng.integers(132, len(original))) :]
        else:
            start = int(rng.integers(132, len(original) - 4))
            word = int(rng.choice([0, 1, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xE000FFFE, 0xE0DDFFFE]))
            damaged[start : start + 4] = word.to_bytes(4, "little")
        path.write_bytes(damaged)
        try:
            with cleaned(path) as clean:
                assert len(clean.read(0, clean.size_bytes)) == len(damaged)
        except RawDataError as refusal:
            refusals.append(refusal)
    assert len(refusals) > 50
    assert all(refusal.next_step for refusal in refusals)
