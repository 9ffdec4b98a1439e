from __future__ import annotations

import subprocess
import sys

import pytest

ALLOCATE = """
import resource
from cloudmr.worker.entry import limit_memory
limit_memory({given!r})
print("before", flush=True)
content = bytearray({n_bytes})
print("after")
"""
MIB = 2**20


@pytest.mark.parametrize(
    ("given", "n_bytes", "printed"),
    [
        ("512", 600 * MIB, ["before"]),
        ("512", 100 * MIB, ["before", "after"]),
        ("", 600 * MIB, ["before", "after"]),
        ("much", 600 * MIB, ["before", "after"]),
    ],
)
def test_more_memory_than_the_function_has_is_refused(given: str, n_bytes: int, printed: list[str]) -> None:
    program = ALLOCATE.format(given=given, n_bytes=n_bytes)
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert ended.stdout.split() == printed
    assert ("MemoryError" in ended.stderr) == ("after" not in printed)
