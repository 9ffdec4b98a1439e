from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from mroptimum.flags import Flags
from mroptimum.package import DamagedPackage, NotAPackage, opened
from mroptimum.verify import FileProblem, FileState, Integrity, check_integrity
from packages import contents_of, write_result, write_scan, write_zip


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    return write_result(folder / "out", write_scan(folder / "scan.dat"), Flags(reconstruction="sense"))


@pytest.fixture
def package(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "package"))


def checked(path: Path) -> Integrity:
    with opened(path) as files:
        return check_integrity(files)


def problem(path: str, state: FileState) -> FileProblem:
    return FileProblem(path=path, state=state)


def test_a_package_as_it_was_written_is_whole_in_a_folder_and_as_a_zip_file(package: Path) -> None:
    for path in (package, package / "package.zip"):
        found = checked(path)
        assert found.is_whole
        assert found.manifest_sha256 == hashlib.sha256((package / "manifest.json").read_bytes()).hexdigest()
        assert found.n_files == len(json.loads((package / "manifest.json").read_bytes())["outputs"])


def test_every_change_is_named(package: Path) -> None:
    (package / "data" / "snr.nii.gz").unlink()
    report = package / "report.html"
    report.write_bytes(report.read_bytes()[:-1] + b" ")
    (package / "data" / "image.nii.gz").write_bytes(b"shorter")
    (package / "notes.txt").write_text("mine")
    assert checked(package).problems == (
        problem("data/image.nii.gz", FileState.CHANGED),
        problem("data/snr.nii.gz", FileState.MISSING),
        problem("report.html", FileState.CHANGED),
        problem("notes.txt", FileState.EXTRA),
    )


def test_the_archive_beside_the_files_is_held_to_the_same_manifest(package: Path) -> None:
    archive = package / "package.zip"
    contents = contents_of(archive)
    write_zip(archive, {**contents, "report.html": b"other", "more": b""})
    assert checked(package).problems == (
        problem("package.zip/report.html", FileState.CHANGED),
        problem("package.zip/more", FileState.EXTRA),
    )
    write_zip(archive, {**contents, "manifest.json": contents["manifest.json"] + b" "})
    assert checked(package).problems == (problem("package.zip/manifest.json", FileState.CHANGED),)
    archive.write_bytes(archive.read_bytes()[:1000])
    assert checked(package).problems == (problem("package.zip", FileState.CHANGED),)
    archive.unlink()
    assert checked(package).is_whole


def test_a_changed_file_in_a_zip_file_alone_is_named(package: Path, tmp_path: Path) -> None:
    contents = contents_of(package / "package.zip")
    del contents["task.json"]
    path = write_zip(tmp_path / "sent.zip", {**contents, "info.json": b"{}"})
    assert checked(path).problems == (
        problem("info.json", FileState.CHANGED),
        problem("task.json", FileState.MISSING),
    )


def test_bytes_that_cannot_be_read_count_as_changed(package: Path, tmp_path: Path) -> None:
    content = bytearray((package / "package.zip").read_bytes())
    content[len(content) // 2] ^= 0xFF
    (tmp_path / "sent.zip").write_bytes(content)
    assert [p.state for p in checked(tmp_path / "sent.zip").problems] == [FileState.CHANGED]


def test_without_a_manifest_there_is_nothing_to_hold_files_to(package: Path) -> None:
    (package / "manifest.json").unlink()
    with pytest.raises(NotAPackage, match="written last"):
        checked(package)
    (package / "manifest.json").write_text('{"schema": 1}')
    with pytest.raises(DamagedPackage, match=r"manifest\.json"):
        checked(package)


def test_a_manifest_cannot_vouch_for_files_elsewhere(package: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    manifest = json.loads((package / "manifest.json").read_bytes())
    manifest["outputs"].append({"path": "../secret", "size_bytes": 6, "sha256": hashlib.sha256(b"secret").hexdigest()})
    (package / "manifest.json").write_text(json.dumps(manifest))
    assert problem("../secret", FileState.MISSING) in checked(package).problems
