from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from cloudmr.client.errors import LocalFileError
from cloudmr.client.source_file import SourceFile
from cloudmr.client.upload_records import UploadRecords
from cloudmr.storage.checksums import checksum_file, composite


@pytest.fixture
def raw_file(tmp_path: Path) -> Path:
    path = tmp_path / "meas.dat"
    path.write_bytes(bytes(range(250)) * 10)
    return path


def test_parts_join_to_the_file(raw_file: Path) -> None:
    source = SourceFile.of(raw_file)
    parts = [source.part(number, 999) for number in range(1, source.n_parts(999) + 1)]
    contents = [source.read(part.start, part.size_bytes) for part in parts]
    assert b"".join(contents) == raw_file.read_bytes()
    assert [len(content) for content in contents] == [999, 999, 502]
    assert [part.digest for part in parts] == [hashlib.sha256(content).digest() for content in contents]


def test_parts_have_the_composite_checksum_of_the_storage(raw_file: Path) -> None:
    source = SourceFile.of(raw_file)
    part_size_bytes = 10 * 1024 * 1024
    [number] = range(1, source.n_parts(part_size_bytes) + 1)
    assert composite([source.part(number, part_size_bytes).digest]) == checksum_file(raw_file).composite


@pytest.mark.parametrize(("size_bytes", "n_parts"), [(0, 1), (1, 1), (10, 1), (11, 2), (20, 2)])
def test_number_of_parts(tmp_path: Path, size_bytes: int, n_parts: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(size_bytes))
    assert SourceFile.of(path).n_parts(10) == n_parts


def test_a_file_that_changed_is_not_read(raw_file: Path) -> None:
    source = SourceFile.of(raw_file)
    os.utime(raw_file, ns=(source.modified_ns, source.modified_ns + 1))
    with pytest.raises(LocalFileError) as caught:
        source.part(1, 999)
    assert caught.value.instance_code == "file_changed"


def test_a_file_that_was_removed_is_explained(raw_file: Path) -> None:
    source = SourceFile.of(raw_file)
    raw_file.unlink()
    with pytest.raises(LocalFileError, match="No such file"):
        source.part(1, 999)


@pytest.mark.parametrize("name", ["absent.dat", "."])
def test_what_is_no_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(LocalFileError):
        SourceFile.of(tmp_path / name)


def test_a_record_is_of_one_version_of_a_file_and_one_destination(raw_file: Path, tmp_path: Path) -> None:
    records = UploadRecords(folder=tmp_path / "uploads")
    source = SourceFile.of(raw_file)
    records.keep(source, "https://brain unit_1", "data_1")
    assert records.find(source, "https://brain unit_1") == "data_1"
    assert records.find(source, "https://brain unit_2") is None
    os.utime(raw_file, ns=(source.modified_ns, source.modified_ns + 1))
    assert records.find(SourceFile.of(raw_file), "https://brain unit_1") is None
    records.forget(source, "https://brain unit_1")
    assert records.find(source, "https://brain unit_1") is None


def test_a_record_says_nothing_of_the_file(raw_file: Path, tmp_path: Path) -> None:
    records = UploadRecords(folder=tmp_path / "uploads")
    records.keep(SourceFile.of(raw_file), "https://brain", "data_1")
    [path] = records.folder.iterdir()
    assert path.read_text() == '{"data_id":"data_1"}'
    assert "meas" not in path.name


def test_a_record_that_cannot_be_read_is_no_record(raw_file: Path, tmp_path: Path) -> None:
    records = UploadRecords(folder=tmp_path / "uploads")
    source = SourceFile.of(raw_file)
    records.keep(source, "https://brain", "data_1")
    [path] = records.folder.iterdir()
    path.write_text("half")
    assert records.find(source, "https://brain") is None
