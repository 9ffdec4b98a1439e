from __future__ import annotations

import time

import pytest

from mroptimum.rawdata.twix_header import TwixHeader, parse_header


def header(protocol: str = "", meas: str = "", dicom: str = "") -> TwixHeader:
    return parse_header(
        {
            "MeasYaps": f"### ASCCONV BEGIN object=MrProtDataImpl version=1 ###\n{protocol}\n### ASCCONV END ###",
            "Meas": meas,
            "Dicom": dicom,
        }
    )


def test_both_spellings_of_a_protocol_line_are_read() -> None:
    for spelling in ("sKSpace.lBaseResolution                  = 128", "sKSpace.lBaseResolution\t = \t128"):
        assert header(spelling).base_resolution == 128


@pytest.mark.parametrize(("text", "value"), [("0x4", True), ("4", True), ("0x2", False), ("2", False), ("", False)])
def test_numbers_may_be_hexadecimal(text: str, value: bool) -> None:
    assert header(f"sKSpace.ucDimension = {text}").is_3d is value


def test_units_are_converted_here() -> None:
    facts = header(
        "sRXSPEC.alDwellTime[0] = 11600\nalTE[0] = 3000\nalTR[0] = 10000\nadFlipAngleDegree[0] = 15\n"
        "sProtConsistencyInfo.flNominalB0 = 2.89362"
    )
    assert facts.dwell_time_s == pytest.approx(11.6e-6)
    assert facts.echo_time_s == pytest.approx(3e-3)
    assert facts.repetition_time_s == pytest.approx(10e-3)
    assert facts.flip_angle_deg == 15
    assert facts.field_strength_t == 2.89362


def test_attributes_of_a_parameter_are_no_values() -> None:
    facts = header(
        meas='<ParamDouble."flReadoutOSFactor">  { <Precision> 6  2.000000  }\n'
        '<ParamDouble."ReceiverNoiseEquivalentBandwidth"> { <Visible> "true" <Precision> 16  0.793 }\n'
        '<ParamLong."alRegridMode">  { 2 1 }\n<ParamLong."iNoOfFourierLines"> { <MinSize> 1 <MaxSize> 1 }'
    )
    assert facts.readout_oversampling == 2.0
    assert facts.noise_bandwidth_ratio == 0.793
    assert facts.regrid_mode == 2
    assert facts.phase_lines == ()


def test_the_oversampling_of_the_interface_is_not_that_of_the_readout() -> None:
    """`ReadoutOversamplingFactor` is 2 in files whose readouts are not oversampled."""
    assert header(meas='<ParamDouble."ReadoutOversamplingFactor">  { 2.0 }').readout_oversampling is None


def test_slices_have_zeros_where_the_protocol_leaves_a_coordinate_out() -> None:
    facts = header(
        "sSliceArray.asSlice[0].sPosition.dCor = -15.5\nsSliceArray.asSlice[0].dReadoutFOV = 256\n"
        "sSliceArray.asSlice[1].sPosition.dTra = 8\nsSliceArray.asSlice[1].dThickness = 5"
    )
    assert [one.centre_mm for one in facts.slices] == [(0.0, -15.5, 0.0), (0.0, 0.0, 8.0)]
    assert facts.slices[0].readout_fov_mm == 256
    assert facts.slices[1].thickness_mm == 5


def test_more_than_ten_slices_keep_their_order() -> None:
    order = " ".join(str(index) for index in (*range(0, 24, 2), *range(1, 24, 2)))
    facts = header(meas=f'<ParamString."chronSliceIndices">  {{ "{order} -1 -1 -1" }}')
    assert facts.chronological_slices == (*range(0, 24, 2), *range(1, 24, 2))


def test_coils_are_named_by_the_receiver_they_are_plugged_into() -> None:
    ve = "sCoilSelectMeas.aRxCoilSelectData[0].asList[{0}].{1}"
    lines = []
    for index, (element, receiver) in enumerate((("H4", 6), ("H5", 34))):
        lines += [
            f'{ve.format(index, "sCoilElementID.tCoilID")} = "Head_32"',
            f'{ve.format(index, "sCoilElementID.tElement")} = "{element}"',
            f"{ve.format(index, 'lADCChannelConnected')} = {receiver}",
            f"{ve.format(index, 'lRxChannelConnected')} = 3",
        ]
    assert header("\n".join(lines)).coil_names == {5: "Head_32:H4", 33: "Head_32:H5"}


def test_the_sequence_is_named_without_its_folder() -> None:
    assert header('tSequenceFileName = "%CustomerSeq%\\\\gre_xn"').sequence == "gre_xn"


def test_nothing_is_known_of_an_empty_header() -> None:
    facts = parse_header({})
    assert facts.software is None
    assert facts.slices == ()
    assert facts.readout_oversampling is None
    assert facts.phase_oversampling == 0.0


@pytest.mark.parametrize(
    "protocol",
    [
        pytest.param("sSliceArray.asSlice[999999999].dThickness = 5", id="an index that would fill the memory"),
        pytest.param("a." * 20_000 + "b = 1", id="a deep name"),
        pytest.param("sKSpace.lBaseResolution = " + "9" * 5000, id="a number beyond numbers"),
        pytest.param("sKSpace.lBaseResolution = nan", id="no number"),
        pytest.param("sKSpace.lBaseResolution = -128", id="a negative number"),
        pytest.param("sKSpace.lBaseResolution = 0x" + "F" * 400, id="a hexadecimal number beyond numbers"),
    ],
)
def test_absurd_protocols_are_harmless(protocol: str) -> None:
    facts = header(protocol)
    assert facts.slices == ()
    assert facts.base_resolution is None


def test_parsing_takes_time_in_proportion_to_the_text() -> None:
    hostile = '<ParamLong."alRegridMode">  ' + "{ <A> " * 50_000 + "sKSpace.x = " * 20_000
    started = time.process_time()
    header(hostile, hostile, hostile)
    assert time.process_time() - started < 2
