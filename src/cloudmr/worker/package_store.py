"""Putting a package into the unit's storage so that it is there whole or, as far as anybody can tell, not at all."""

from __future__ import annotations

import hashlib
from pathlib import Path

from cloudmr.storage.base import Bucket, ObjectStore
from cloudmr.storage.errors import ObjectNotFound
from mroptimum.export.package import MANIFEST

_MAX_MANIFEST_BYTES = 16 * 1024 * 1024


def committed_manifest(storage: ObjectStore, bucket: Bucket, prefix: str) -> str | None:
    """Return the SHA-256 of the manifest below a prefix, None if no package was committed there."""
    try:
        manifest = storage.read(bucket, f"{prefix}/{MANIFEST}", limit_bytes=_MAX_MANIFEST_BYTES)
    except ObjectNotFound:
        return None
    return hashlib.sha256(manifest).hexdigest()


def store_package(folder: Path, *, storage: ObjectStore, bucket: Bucket, prefix: str) -> str:
    """Store every file of a package below a prefix, the manifest last, and return the manifest's SHA-256.

    A package that is committed there already stays, and its manifest's digest is returned.
    """
    committed = committed_manifest(storage, bucket, prefix)
    if committed is not None:
        return committed
    manifest = folder / MANIFEST
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path != manifest):
        storage.put(bucket, f"{prefix}/{path.relative_to(folder).as_posix()}", path)
    storage.put(bucket, f"{prefix}/{MANIFEST}", manifest)
    return hashlib.sha256(manifest.read_bytes()).hexdigest()
