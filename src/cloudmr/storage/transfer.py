"""The two transfers that a Brain serves itself, ready for any web framework: a part comes in, an object goes out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeVar
from urllib.parse import quote

from cloudmr.storage.part_files import PartFile, PartWriter

Result = TypeVar("Result")
_BATCH_BYTES = 1024 * 1024
_BATCH_CHUNKS = 256


@dataclass(frozen=True, kw_only=True)
class Download:
    """An answer to a GET or HEAD: send status and headers, and for a GET the chunks (a blocking iterator)."""

    status: int
    headers: dict[str, str]
    chunks: Iterator[bytes]


async def receive(writer: PartWriter, chunks: AsyncIterable[bytes], *, expected: bytes | None) -> PartFile:
    """Take a part's bytes as they arrive; hashing and writing run in threads, so the event loop stays free."""
    with writer:
        batch: list[bytes] = []
        n_bytes = 0
        async for chunk in chunks:
            # Kept apart: to put them together would be the loop's work, and more of it than all the rest.
            batch.append(chunk)
            n_bytes += len(chunk)
            if n_bytes >= _BATCH_BYTES or len(batch) >= _BATCH_CHUNKS:
                await _in_thread(partial(writer.write, batch))
                batch, n_bytes = [], 0
        if batch:
            await _in_thread(partial(writer.write, batch))
        return await _in_thread(partial(writer.commit, expected=expected))


def attachment(filename: str) -> str:
    """Return a `Content-Disposition` that offers a download under this name, whatever characters it has (RFC 6266)."""
    printable = "".join(character for character in filename if character.isprintable()) or "download"
    plain = "".join(c if c.isascii() and c not in '"\\%' else "_" for c in printable)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(printable, safe='')}"


async def _in_thread(work: Callable[[], Result]) -> Result:
    running = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(running)
    finally:
        # Cancelled, the thread still has the file: nobody may close it before the thread is done.
        if not running.done():
            await asyncio.wait([running])
