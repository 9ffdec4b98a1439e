"""Result packages for tests, small enough to be made in a blink, and ways of tampering with them."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

from mroptimum.errors import ExplainedError
from mroptimum.export.package import Provenance, write_failure_package, write_package
from mroptimum.flags import Flags
from mroptimum.phantom import Phantom, simulate, write_twix_ve
from mroptimum.run import NoSnr
from tasks import run_flags

PHANTOM = Phantom(n_coils=4, n_x=24, n_y=20, n_slices=3, acceleration=2, n_calibration_lines=12, sigma=0.01)


def write_scan(path: Path, phantom: Phantom = PHANTOM) -> Path:
    write_twix_ve(path, simulate(phantom))
    return path


def write_result(folder: Path, scan: Path, flags: Flags) -> Path:
    """Do a task on a scan and write its package; without noise in the scan, the failure package with the image."""
    try:
        write_package(run_flags(flags, scan), folder, provenance=Provenance())
    except NoSnr as refusal:
        write_failure_package(
            folder,
            error=refusal.explain(),
            document=refusal.partial.document,
            log=refusal.partial.log,
            provenance=Provenance(),
            partial=refusal.partial,
        )
    return folder


def contents_of(archive: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as file:
        return {name: file.read(name) for name in file.namelist()}


def write_zip(path: Path, contents: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name, content in contents.items():
            file.writestr(name, content)
    return path


def changed(contents: Mapping[str, bytes], name: str, content: bytes) -> dict[str, bytes]:
    """Replace a file and make the manifest say so, as somebody would who wants it to go unnoticed."""
    manifest = json.loads(contents["manifest.json"])
    for output in manifest["outputs"]:
        if output["path"] == name:
            output |= {"size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    return {**contents, name: content, "manifest.json": json.dumps(manifest).encode()}


def code_of(error: ExplainedError) -> str:
    return error.explain()["code"]
