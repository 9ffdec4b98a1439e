from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mroptimum.errors import UnreadableFile
from mroptimum.rawdata import inspect, read, read_noise
from mroptimum.rawdata.acquisition import FileFormat
from mroptimum.rawdata.recognise import recognise


@pytest.mark.parametrize("name", ["twix-vb", "twix-ve", "ismrmrd", "npz"])
def test_a_format_is_told_by_content_not_by_name(files: dict[str, Path], name: str) -> None:
    assert files[name].suffix == ".raw"
    assert recognise(files[name]) is FileFormat(name)


FOREIGN = {
    "empty": (b"", "empty (0 bytes)"),
    "jpeg": (b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(5000), "a JPEG picture"),
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(5000), "a PNG picture"),
    "dicom": (bytes(128) + b"DICM" + bytes(5000), "a DICOM image"),
    "pdf": (b"%PDF-1.7\n" + bytes(5000), "a PDF document"),
    "gzip": (b"\x1f\x8b\x08" + bytes(5000), "a gzip archive"),
    "tiny": (b"\x07" * 100, "only 100 bytes long"),
    "text": (b"subject,age\n" * 1000, "unknown kind"),
    "zeros": (bytes(100_000), "unknown kind"),
    "random": (np.random.default_rng(3).bytes(100_000), "unknown kind"),
}


@pytest.mark.parametrize(("content", "cause"), FOREIGN.values(), ids=FOREIGN.keys())
def test_a_file_that_is_no_raw_data_is_named_for_what_it_is(tmp_path: Path, content: bytes, cause: str) -> None:
    path = tmp_path / "measurement.dat"
    path.write_bytes(content)
    for reader in (read, read_noise, inspect):
        with pytest.raises(UnreadableFile, match=r".") as caught:
            reader(path)
        assert cause in caught.value.message
        assert caught.value.next_step


def test_random_bytes_are_never_taken_for_twix(tmp_path: Path) -> None:
    path = tmp_path / "random"
    generator = np.random.default_rng(11)
    for _ in range(50):
        path.write_bytes(generator.bytes(300))
        with pytest.raises(UnreadableFile):
            recognise(path)


@pytest.mark.parametrize("start", [b"\0", b"\x01", b"A", b"PK\x03\x04", b"\xff"])
def test_files_of_a_few_bytes_are_refused_in_words(tmp_path: Path, start: bytes) -> None:
    for size in range(1, 72):
        (tmp_path / "small").write_bytes((start * size)[:size])
        with pytest.raises(UnreadableFile) as caught:
            read(tmp_path / "small")
        assert caught.value.next_step
