from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from cloudmr.storage.base import PART_SIZE_BYTES
from cloudmr.storage.checksums import checksum_file, composite
from cloudmr.storage.conformance import composite_of


def test_composite_as_s3_makes_it() -> None:
    # printf abc | openssl dgst -sha256 -binary | openssl dgst -sha256 -binary | base64
    assert composite([hashlib.sha256(b"abc").digest()]) == "T4tCwi3TcptRm6b2jS2nzFstYG0F2u1a1RKMwD5sY1g=-1"


@pytest.mark.parametrize(
    "size_bytes",
    [0, 1, PART_SIZE_BYTES - 1, PART_SIZE_BYTES, PART_SIZE_BYTES + 1, 2 * PART_SIZE_BYTES, 2 * PART_SIZE_BYTES + 7],
)
def test_a_file_has_the_checksum_of_its_parts(tmp_path: Path, size_bytes: int) -> None:
    content = (b"0123456" * (size_bytes // 7 + 1))[:size_bytes]
    (tmp_path / "file").write_bytes(content)
    parts = [content[start : start + PART_SIZE_BYTES] for start in range(0, size_bytes, PART_SIZE_BYTES)] or [b""]
    found = checksum_file(tmp_path / "file")
    assert found.size_bytes == size_bytes
    assert found.sha256 == hashlib.sha256(content).hexdigest()
    assert found.composite == composite_of(*parts)
