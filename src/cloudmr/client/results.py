"""What a job left, brought to this machine: every file held to the manifest, the manifest to what the Brain knows."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ConfigDict, ValidationError

from cloudmr.client.answers import ResultFile, ResultPackage, SignedLink
from cloudmr.client.connection import Connection
from cloudmr.client.download import Expected, fetch
from cloudmr.client.errors import DamagedTransfer, NoResult
from cloudmr.client.progress import Advance
from cloudmr.model.results import MANIFEST

_CHUNK_BYTES = 1024 * 1024


class _Output(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    path: str
    size_bytes: int
    sha256: str

    @property
    def expected(self) -> Expected:
        return Expected(size_bytes=self.size_bytes, sha256=self.sha256)


class _Manifest(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    outputs: tuple[_Output, ...]

    @classmethod
    def parse(cls, body: bytes) -> _Manifest:
        try:
            return cls.model_validate_json(body)
        except ValidationError:
            raise DamagedTransfer(MANIFEST, "it is no manifest") from None


def get_result(connection: Connection, job_id: str) -> ResultPackage:
    """Return what an ended job left."""
    return connection.ask(ResultPackage, "GET", f"/api/job/{job_id}/result")


def fetch_files(
    connection: Connection, result: ResultPackage, folder: Path, *, overwrite: bool, advance: Advance
) -> list[Path]:
    """Bring every file of a result into a folder and return their paths, the manifest's last.

    Raise `NoResult`, `DamagedTransfer`, `TransferFailed`, and `LocalFileError` for a file that is there already and
    holds something else, unless `overwrite`.
    """
    files = {file.name: file for file in result.files}
    if MANIFEST not in files:
        raise NoResult(result.job_id)

    def bring(name: str, expected: Expected) -> Path:
        if name not in files:
            raise DamagedTransfer(name, "the manifest names it, and it is not there")
        path = _inside(folder, name)
        fetch(
            connection,
            _links(connection, result.job_id, files[name], lambda fresh: fresh.files),
            path,
            expected,
            advance=advance,
            overwrite=overwrite,
        )
        return path

    manifest_path = bring(MANIFEST, _of_manifest(result, files[MANIFEST]))
    manifest = _Manifest.parse(manifest_path.read_bytes())
    return [*(bring(output.path, output.expected) for output in manifest.outputs), manifest_path]


def fetch_package(
    connection: Connection, result: ResultPackage, destination: Path, *, overwrite: bool, advance: Advance
) -> None:
    """Bring a result as one zip file, and hold what is in it to the manifest in it.

    Raise as `fetch_files` does.
    """
    if result.package is None:
        raise NoResult(result.job_id)
    fetch(
        connection,
        _links(connection, result.job_id, result.package, lambda fresh: (fresh.package,) if fresh.package else ()),
        destination,
        Expected(size_bytes=result.package.size_bytes),
        advance=advance,
        overwrite=overwrite,
    )
    try:
        _check_package(destination, result.manifest_sha256)
    except DamagedTransfer:
        destination.unlink()
        raise


def _of_manifest(result: ResultPackage, file: ResultFile) -> Expected:
    return Expected(size_bytes=file.size_bytes, sha256=result.manifest_sha256)


def _links(
    connection: Connection, job_id: str, file: ResultFile, find: Callable[[ResultPackage], tuple[ResultFile, ...]]
) -> Callable[[], SignedLink]:
    """Return what gives a file's link: the one at hand, and from the second time on a fresh one."""
    at_hand: list[SignedLink] = [file]

    def sign() -> SignedLink:
        if at_hand:
            return at_hand.pop()
        fresh = {found.name: found for found in find(get_result(connection, job_id))}
        if file.name not in fresh:
            raise NoResult(job_id)
        return fresh[file.name]

    return sign


def _check_package(path: Path, manifest_sha256: str | None) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            body = archive.read(MANIFEST)
            if manifest_sha256 is not None and hashlib.sha256(body).hexdigest() != manifest_sha256:
                raise DamagedTransfer(path.name, "its manifest is another than the Brain knows")
            for output in _Manifest.parse(body).outputs:
                # The size first: an archive that inflates without end is not read to its end.
                size_bytes = archive.getinfo(output.path).file_size
                if size_bytes != output.size_bytes or _sha256(archive, output.path) != output.sha256:
                    raise DamagedTransfer(path.name, f"{output.path} in it is not what the manifest says")
    except (zipfile.BadZipFile, KeyError) as error:
        raise DamagedTransfer(path.name, f"it is no whole archive ({error})") from None


def _sha256(archive: zipfile.ZipFile, name: str) -> str:
    digest = hashlib.sha256()
    with archive.open(name) as member:
        while chunk := member.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _inside(folder: Path, name: str) -> Path:
    """Return where a file of a result goes. A name that would lead out of the folder is no file of a result."""
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or parts[0] == "/" or "\\" in name or not name.isprintable():
        raise DamagedTransfer("The result", "it names a file outside itself")
    return folder.joinpath(*parts)
