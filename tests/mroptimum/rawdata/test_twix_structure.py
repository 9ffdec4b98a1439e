from __future__ import annotations

import struct
from pathlib import Path

import pytest

from mroptimum.errors import UnreadableFile
from mroptimum.phantom import Phantom, Scan, simulate, write_twix_ve
from mroptimum.rawdata import read
from mroptimum.rawdata.twix_structure import TwixStructure, walk
from twix_bytes import TwixBytes


def walked(path: Path) -> TwixStructure:
    return walk(path, is_ve=path.name.startswith("twix-ve"))


def refusal(path: Path, content: bytes) -> UnreadableFile:
    path.write_bytes(content)
    with pytest.raises(UnreadableFile) as caught:
        walked(path)
    assert caught.value.next_step
    return caught.value


@pytest.mark.parametrize("name", ["twix-vb", "twix-ve"])
def test_a_whole_file_is_followed_to_its_end(files: dict[str, Path], accelerated: Scan, name: str) -> None:
    structure = walked(files[name])
    phantom = accelerated.phantom
    n_lines = len({*phantom.imaging_lines, *phantom.calibration_lines})
    n_image = n_lines * phantom.n_slices * phantom.n_averages * phantom.n_repetitions
    counts = [len(measurement.readout_positions) for measurement in structure.measurements]
    assert counts == ([20, n_image] if name == "twix-ve" else [20 + n_image])
    names = [text.name for text in structure.measurements[-1].texts]
    assert names == ["Config", "Dicom", "Meas", "MeasYaps", "Phoenix", "Spice"]


@pytest.mark.parametrize("name", ["twix-vb", "twix-ve"])
def test_truncation_at_every_structure_is_refused(tmp_path: Path, files: dict[str, Path], name: str) -> None:
    content = files[name].read_bytes()
    structure = walked(files[name])
    measurement = structure.measurements[-1]
    readouts = measurement.readout_positions
    cuts = {
        "in the table": 5000,
        "before the header": measurement.start + 4,
        "in the header": measurement.texts[3].start + 10,
        "before the first readout": readouts[0],
        "in the head of a readout": readouts[3] + 50,
        "in the samples of a readout": readouts[3] + 300,
        "between readouts": readouts[7],
        "before the last readout": readouts[-1],
        "in the last readout": readouts[-1] + 500,
    }
    for where, cut in cuts.items():
        error = refusal(tmp_path / name, content[:cut])
        assert "truncated" in error.message or "bytes are there" in error.message, where


def test_a_truncation_says_how_much_is_there_and_how_much_is_missing(tmp_path: Path, files: dict[str, Path]) -> None:
    content = files["twix-ve"].read_bytes()
    last = walked(files["twix-ve"]).measurements[-1]
    cut = last.readout_positions[7] + 300
    message = refusal(tmp_path / "twix-ve", content[:cut]).message
    assert f"after 7 complete readouts, and {last.end - cut:,} bytes are missing" in message


def test_where_no_length_is_known_the_least_that_is_missing_is_told(tmp_path: Path, files: dict[str, Path]) -> None:
    content = files["twix-vb"].read_bytes()
    positions = walked(files["twix-vb"]).measurements[0].readout_positions
    cut = positions[9] + 300
    message = refusal(tmp_path / "twix-vb", content[:cut]).message
    assert f"after 9 complete readouts, and at least {positions[10] - cut:,} bytes are missing" in message


def test_a_missing_end_mark_is_an_interrupted_scan(tmp_path: Path, files: dict[str, Path]) -> None:
    changed = TwixBytes(files["twix-ve"])
    last = changed.readouts()[-1]
    struct.pack_into("<Q", changed.content, 8 + 152 + 16, last - changed.structure.measurements[-1].start)
    assert "end mark" in refusal(tmp_path / "twix-ve", bytes(changed.content)).message


def test_synchronisation_data_are_stepped_over(tmp_path: Path, files: dict[str, Path]) -> None:
    changed = TwixBytes(files["twix-ve"])
    first, second = changed.readouts()[:2]
    changed.add_flags(first, 1 << 5)
    path = tmp_path / "twix-ve"
    changed.save(path)
    positions = walked(path).measurements[-1].readout_positions
    assert positions[0] == second
    assert len(positions) == len(changed.readouts()) - 1


@pytest.mark.parametrize("length", [0, 1, 191])
def test_a_block_of_no_length_is_no_endless_loop(tmp_path: Path, files: dict[str, Path], length: int) -> None:
    changed = TwixBytes(files["twix-ve"])
    first = changed.readouts()[0]
    changed.add_flags(first, 1 << 5)
    struct.pack_into("<I", changed.content, first, length)
    assert f"synchronisation data of {length} bytes" in refusal(tmp_path / "twix-ve", bytes(changed.content)).message


@pytest.mark.parametrize(("samples", "channels"), [(0, 3), (32, 0), (65535, 65535), (32, 60_000)])
def test_absurd_readouts_are_refused(tmp_path: Path, files: dict[str, Path], samples: int, channels: int) -> None:
    for name, offset in (("twix-ve", 48), ("twix-vb", 28)):
        changed = TwixBytes(files[name])
        struct.pack_into("<HH", changed.content, changed.readouts()[4] + offset, samples, channels)
        message = refusal(tmp_path / name, bytes(changed.content)).message
        assert "damaged" in message or "truncated" in message


def table(entries: list[tuple[int, int]], size: int = 30_000) -> bytes:
    content = bytearray(size)
    struct.pack_into("<II", content, 0, 0, len(entries))
    for index, (start, length) in enumerate(entries):
        struct.pack_into("<IIQQ", content, 8 + 152 * index, 1, 1, start, length)
    return bytes(content)


@pytest.mark.parametrize(
    ("entries", "cause"),
    [
        pytest.param([(10240, 100), (10240, 100)], "overlaps", id="twice the same"),
        pytest.param([(100, 100)], "overlaps", id="in the table itself"),
        pytest.param([(10240, 0), (20000, 100)], "no length", id="no length among several"),
        pytest.param([(10240, 2**63), (20000, 100)], "overlaps", id="a length beyond any disk"),
        pytest.param([(2**40, 100)], "truncated", id="a start beyond the end"),
    ],
)
def test_a_damaged_table_is_refused(tmp_path: Path, entries: list[tuple[int, int]], cause: str) -> None:
    content = bytearray(table(entries))
    struct.pack_into("<II", content, 10240, 2**31, 6)
    assert cause in refusal(tmp_path / "twix-ve", bytes(content)).message


@pytest.mark.parametrize(
    ("offset", "value", "cause"),
    [(0, 2**31, "bytes are there"), (4, 0, "0 texts"), (4, 2**31, "texts"), (8, 0, "no name"), (15, 2**31, "longer")],
)
def test_a_damaged_header_is_refused(
    tmp_path: Path, files: dict[str, Path], offset: int, value: int, cause: str
) -> None:
    changed = TwixBytes(files["twix-vb"])
    struct.pack_into("<I", changed.content, offset, value)
    assert cause in refusal(tmp_path / "twix-vb", bytes(changed.content)).message


def test_the_end_mark_of_one_measurement_bounds_it(tmp_path: Path) -> None:
    """Bytes between measurements, which scanners use to align them, are never read."""
    scan = simulate(Phantom(n_x=16, n_y=16, n_coils=2, n_noise_readouts=3))
    write_twix_ve(tmp_path / "ve.dat", scan)
    changed = TwixBytes(tmp_path / "ve.dat")
    gap = changed.structure.measurements[0].end
    assert gap < changed.structure.measurements[1].start
    changed.content[gap : changed.structure.measurements[1].start] = b"\xff" * (
        changed.structure.measurements[1].start - gap
    )
    noise = read(changed.save(tmp_path / "gap.dat")).noise
    assert noise is not None
    assert len(noise.samples) == 3
