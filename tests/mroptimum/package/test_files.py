"""Folders and zip files as packages; what no writer of ours makes is refused before anything of it is read."""

from __future__ import annotations

import io
import os
import struct
import warnings
import zipfile
from pathlib import Path

import pytest

from mroptimum.package import files
from mroptimum.package.errors import DamagedPackage, NotAPackage
from mroptimum.package.files import is_plain_name, opened, opened_archive, read_bytes, sha256_of
from packages import write_zip

EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def refusal_of(content: bytes) -> str:
    with pytest.raises(DamagedPackage) as refusal, opened_archive(io.BytesIO(content), len(content)):
        pass
    return refusal.value.message


def zipped(*members: tuple[zipfile.ZipInfo | str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as archive:
        warnings.simplefilter("ignore", UserWarning)  # of a name that is there twice
        for member, content in members:
            archive.writestr(member, content)
    return buffer.getvalue()


def test_a_folder_and_its_zip_file_are_the_same_package(tmp_path: Path) -> None:
    (tmp_path / "p" / "data").mkdir(parents=True)
    (tmp_path / "p" / "info.json").write_bytes(b"{}")
    (tmp_path / "p" / "data" / "empty").write_bytes(b"")
    write_zip(tmp_path / "p.zip", {"info.json": b"{}", "data/empty": b""})
    for path in (tmp_path / "p", tmp_path / "p.zip"):
        with opened(path) as package:
            assert package.names == {"info.json", "data/empty"}
            assert read_bytes(package, "info.json", limit_bytes=2) == b"{}"
            assert (package.size_bytes("info.json"), sha256_of(package, "data/empty")) == (2, EMPTY_SHA256)
            with pytest.raises(DamagedPackage, match="has no file nothing"):
                read_bytes(package, "nothing", limit_bytes=10)
            with pytest.raises(DamagedPackage, match="2 bytes; no more than 1"):
                read_bytes(package, "info.json", limit_bytes=1)


def test_a_link_does_not_lead_out_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "p" / "info.json").symlink_to(tmp_path / "secret")
    (tmp_path / "p" / "gone").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "p" / "pipe")
    with opened(tmp_path / "p") as package:
        assert package.names == frozenset()


def test_what_is_no_package_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"\xff\xd8\xff\xe0 no zip file")
    for path in (tmp_path / "nothing", tmp_path / "a.zip"):
        with pytest.raises(NotAPackage) as refusal, opened(path):
            pass
        assert "package.zip" in refusal.value.next_step


@pytest.mark.parametrize(
    "name", ["../a", "/a", "a/../../b", "a//b", "./a", "C:\\a", "C:a", "a\\b", "a\nb", "a\x1b[2Jb", "", "x" * 600]
)
def test_names_that_lead_out_of_a_package_are_refused(name: str) -> None:
    assert not is_plain_name(name)
    member = zipfile.ZipInfo("placeholder")
    member.filename = name
    if name:
        assert "outside itself" in refusal_of(zipped((member, b"x")))


@pytest.mark.parametrize("name", ["info.json", "data/snr.nii.gz", "data/größe 1.nii.gz", "..a/b..", "a b"])
def test_plain_names_are_not(name: str) -> None:
    assert is_plain_name(name)


def test_a_file_listed_twice_is_refused() -> None:
    assert "twice" in refusal_of(zipped(("a", b"1"), ("a", b"2")))


def test_a_link_in_an_archive_is_refused() -> None:
    link = zipfile.ZipInfo("a")
    link.external_attr = 0o120777 << 16
    assert "not a plain file" in refusal_of(zipped((link, b"/etc/passwd")))


def test_unusual_compression_is_refused() -> None:
    member = zipfile.ZipInfo("a")
    member.compress_type = zipfile.ZIP_BZIP2
    assert "unusual way" in refusal_of(zipped((member, b"x")))


def test_encryption_is_refused() -> None:
    content = bytearray(zipped(("a", b"x")))
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + flags] |= 1
    assert "encrypted" in refusal_of(bytes(content))


def test_a_bomb_is_refused_by_what_it_claims() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression=zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(50_000_000))
    assert "would become 50000000" in refusal_of(buffer.getvalue())


def test_members_that_share_their_bytes_are_refused() -> None:
    """The bomb of David Fifield: many entries of the directory point at one compressed member."""
    content = zipped(("0", bytes(1000)))
    directory = content.index(b"PK\x01\x02")
    entry = content[directory : content.index(b"PK\x05\x06")]
    entries = b"".join(entry[:-1] + bytes([ord("0") + i]) for i in range(8))
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 8, 8, len(entries), directory, 0)
    assert "overlap" in refusal_of(content[:directory] + entries + end)


def test_too_many_files_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(files, "MAX_FILES", 3)
    assert "lists 4 files" in refusal_of(zipped(*[(str(i), b"") for i in range(4)]))
    for i in range(4):
        (tmp_path / str(i)).write_bytes(b"")
    with pytest.raises(NotAPackage, match="more than 3 files"), opened(tmp_path):
        pass


def test_a_member_that_says_less_than_it_holds_gives_no_more_than_it_says() -> None:
    """The size in the directory is changed after the fact: what is read is cut short and fails its checksum."""
    content = bytearray(zipped(("a", b"x" * 1000)))
    place = content.index(b"PK\x01\x02") + 24
    content[place : place + 4] = struct.pack("<I", 10)
    with (
        opened_archive(io.BytesIO(bytes(content)), len(content)) as package,
        pytest.raises(DamagedPackage, match="cannot be read to its end"),
    ):
        read_bytes(package, "a", limit_bytes=100)
