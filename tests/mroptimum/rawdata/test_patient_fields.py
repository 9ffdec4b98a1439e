from __future__ import annotations

import re
from pathlib import Path

import ismrmrd
import numpy as np
import pytest

from mroptimum.errors import UnsupportedData
from mroptimum.phantom import Phantom, simulate, write_mrd
from mroptimum.rawdata import inspect, read, read_noise
from mroptimum.rawdata.anonymise.blanks import Kind, is_filled, names_of
from mroptimum.rawdata.anonymise.ismrmrd import HeaderText, header_patches
from mroptimum.rawdata.anonymise.siemens_texts import patches_of_texts
from mroptimum.rawdata.patient_fields import rules
from twix_bytes import TwixBytes

NAME = "Doe^Jane"
"""As long as what the phantom writes in the name's place."""


@pytest.mark.parametrize(
    "value", ["", "xxxxxxxx", "XXXX", "00000000", "000.000000", "x.x.xxxx", '"xxxx"', "  ", "0000-00-00"]
)
def test_blank_values_are_not_filled(value: str) -> None:
    assert not is_filled(Kind.TEXT, value.encode())


@pytest.mark.parametrize("value", ["Doe^Jane", "19700101", "70.5", "1.3.12.2.1107", "M"])
def test_other_values_are(value: str) -> None:
    assert is_filled(Kind.TEXT, value.encode())


def parameter(name: str, value: str, kind: str = "String") -> str:
    return f'<Param{kind}."{name}">  {{ {value}  }}\n'


def fields_in(text: str) -> tuple[str, ...]:
    return names_of(patches_of_texts([(0, text.encode("latin-1"))]))


@pytest.mark.parametrize(
    ("name", "kind", "filled", "blank"),
    [
        ("tPatientName", "String", '"Doe^Jane"', '"xxxxxxxx"'),
        ("PatientName", "String", '<Visible> "true" "Doe^Jane"', '<Visible> "true" "xxxxxxxx"'),
        ("PatientsName", "String", '"Doe^Jane"', '""'),
        ("Patient", "String", '"1.2.840.4711"', '"x.x.xxx.xxxx"'),
        ("PatientID", "String", '"4711"', '"xxxx"'),
        ("PatientLOID", "String", '"1.3.12"', '"x.x.xx"'),
        ("PatientLoid", "String", '"1.3.12"', '"0.0.00"'),
        ("PatientBirthDay", "String", '"19700101"', '"00000000"'),
        ("PatientsBirthDate", "String", '"19700101"', '"xxxxxxxx"'),
        ("PatientSex", "Long", "2", "0"),
        ("lPatientSex", "Long", "1", ""),
        ("flPatientAge", "Double", "<Precision> 6  42.000000", "<Precision> 6  00.000000"),
        ("flUsedPatientWeight", "Double", "<Precision> 6  70.500000", "<Precision> 6  00.000000"),
        ("flPatientHeight", "Double", '<Unit> "[mm]" <Precision> 6  1720.0', '<Unit> "[mm]" <Precision> 6  0000.0'),
        ("tPerfPhysiciansName", "String", '"Roe^Richard"', '"xxxxxxxxxxx"'),
        ("OperatorsName", "String", '"Roe"', '"xxx"'),
        ("AccessionNumber", "String", '"A123"', '"xxxx"'),
        ("StudyLOID", "String", '"1.3.12.2.1107.5"', '"x.x.xx.x.xxxx.x"'),
        ("tFrameOfReference", "String", '"1.3.12.2.1107.5.20240206"', '""'),
        ("tStudyDescription", "String", '"Head of Jane"', '"xxxxxxxxxxxx"'),
        ("tImageComment", "String", '"moved"', '"xxxxx"'),
        ("InstitutionName", "String", '"General Hospital"', '"xxxxxxxxxxxxxxxx"'),
    ],
)
def test_filled_fields_of_a_siemens_header_are_named(name: str, kind: str, filled: str, blank: str) -> None:
    assert fields_in(parameter(name, filled, kind)) == (name,)
    assert fields_in(parameter(name, blank, kind)) == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PatientPosition", '"HFS"'),
        ("tPatientPosition", '"HFS"'),
        ("sPatPosition", '"HFS"'),
        ("SoftwareVersions", '"syngo MR E11"'),
        ("flReadoutOSFactor", "2.0"),
        ("ManufacturersModelName", '"Skyra"'),
    ],
)
def test_fields_that_identify_nobody_are_not_named(name: str, value: str) -> None:
    assert fields_in(parameter(name, value)) == ()


def test_the_rules_are_plain_enough_for_other_languages() -> None:
    """Patterns are shared with a client in TypeScript: no inline flags, named groups or look-behind."""
    twix = rules()["twix"]
    for rule in [*twix["xprotocol"], *twix["ascconv"], *rules()["ismrmrd"], *rules()["ismrmrd_parameters"]]:
        assert re.fullmatch(r"[\w()|?*\\]+", rule["name"]), rule
        assert "(?" not in rule["name"]
        assert rule["why"]
        re.compile(rule["name"])
    assert twix["measurement_table"]["offset"] + twix["measurement_table"]["bytes"] <= 152


def test_a_name_in_a_siemens_file_is_told_and_goes_no_further(tmp_path: Path, files: dict[str, Path]) -> None:
    changed = TwixBytes(files["twix-ve"])
    changed.replace_text(b"xxxxxxxx", NAME.encode())
    path = changed.save(tmp_path / "named.dat")
    inspection, acquisition, noise = inspect(path), read(path), read_noise(path)
    assert inspection.identifying_fields == ("measurement table: patient", "tPatientName")
    assert acquisition.removed_fields == inspection.identifying_fields
    shown = repr(inspection) + repr(acquisition) + repr(noise)
    assert not re.search("doe|jane", shown, re.IGNORECASE)


def test_a_name_in_the_protocol_name_goes_no_further(tmp_path: Path, files: dict[str, Path]) -> None:
    changed = TwixBytes(files["twix-vb"])
    changed.replace_text(b"phantom_gre", b"gre_JaneDoe")
    path = changed.save(tmp_path / "protocol.dat")
    assert "Jane" not in repr(read(path)) + repr(inspect(path))


def test_a_name_does_not_go_into_an_error(tmp_path: Path, files: dict[str, Path]) -> None:
    changed = TwixBytes(files["twix-ve"])
    changed.replace_text(b"xxxxxxxx", NAME.encode())
    changed.replace_text(b"AdjCoilSens", b"Jane_Doe_70")
    changed.replace_text(b"ucTrajectory\t = \t0x1", b"ucTrajectory\t = \t0x2")
    with pytest.raises(UnsupportedData) as caught:
        read(changed.save(tmp_path / "radial.dat"))
    assert not re.search("doe|jane", str(caught.value), re.IGNORECASE)


def test_fields_of_an_ismrmrd_header(tmp_path: Path) -> None:
    write_mrd(tmp_path / "anonymous.h5", simulate(Phantom(n_x=16, n_y=16, n_coils=1, n_noise_readouts=0)))
    subject = (
        "<subjectInformation><patientName>Doe^Jane</patientName><patientWeight_kg>70</patientWeight_kg>"
        "<patientID>xxxx</patientID><patientGender>F</patientGender></subjectInformation>"
        "<studyInformation><studyDate>2024-02-06</studyDate></studyInformation>"
    )
    with (
        ismrmrd.Dataset(tmp_path / "anonymous.h5", mode="r") as old,
        ismrmrd.Dataset(tmp_path / "named.h5") as new,
    ):
        xml = old.read_xml_header().decode()
        new.write_xml_header(re.sub("(<acquisitionSystemInformation>)", subject + r"\1", xml).encode())
        for number in range(old.number_of_acquisitions()):
            new.append_acquisition(old.read_acquisition(number))
    expected = ("patientGender", "patientName", "patientWeight_kg", "studyDate")
    assert inspect(tmp_path / "named.h5").identifying_fields == expected
    acquisition = read(tmp_path / "named.h5")
    assert acquisition.removed_fields == expected
    assert "Jane" not in repr(acquisition)
    np.testing.assert_array_equal(acquisition.kspace, read(tmp_path / "anonymous.h5").kspace)


def test_ismrmrd_fields_that_identify_nobody() -> None:
    xml = b"<patientPosition>HFS</patientPosition><systemModel>Skyra</systemModel><TR>100</TR>"
    assert list(header_patches(HeaderText(position=0, content=xml))) == []
