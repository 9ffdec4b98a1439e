"""The processes that still work in a folder when that is about to be removed."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil

_N_ROUNDS = 5
"""A process that is killed may just have started another."""


def end_processes_in(folder: Path, *, last_words_s: float = 2) -> None:
    """End every process whose command line or working folder lies in `folder`, after a moment to end by itself.

    The processes of a unit outlive their Brain on purpose, to tell the next one; this is for where there is no next.
    """
    for _ in range(_N_ROUNDS):
        found = _processes_in(folder)
        if not found:
            return
        _, left = psutil.wait_procs(found, timeout=last_words_s)
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=last_words_s)


def _processes_in(folder: Path) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["cmdline", "cwd"])
        if any(_lies_in(text, folder) for text in (process.info["cwd"], *(process.info["cmdline"] or ())))
    ]


def _lies_in(text: str | None, folder: Path) -> bool:
    return text is not None and text.startswith("/") and Path(text).is_relative_to(folder)
