"""Code in Markdown documents: finding it, and running it as a reader would, from top to bottom in one folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PROSE = "text"
"""The language of blocks that are set apart and are no code: equations, listings."""
INDENTED = "indented"
_FENCE = re.compile(r"^( *)(`{3,})([\w+-]*)\s*$")


@dataclass(frozen=True, kw_only=True)
class Block:
    """One block of a document: where it is, what its fence calls it (`indented` without a fence), what it says."""

    document: str
    line: int
    language: str
    text: str

    @property
    def first_line(self) -> str:
        return self.text.splitlines()[0].strip()

    def __str__(self) -> str:
        return f"{self.document}:{self.line} ({self.language or 'no language'}: {self.first_line})"


def documents() -> list[Path]:
    """Return every Markdown document of the repository that people read."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(path: Path) -> list[Block]:
    """Return the blocks of a document, fenced or indented, in their order."""
    return list(_blocks(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8").splitlines()))


def _blocks(document: str, lines: list[str]) -> Iterator[Block]:
    index = 0
    while index < len(lines):
        fence = _FENCE.match(lines[index])
        start = index
        index += 1
        if fence:
            while index < len(lines) and lines[index].rstrip() != fence[1] + fence[2]:
                index += 1
            text = [line.removeprefix(fence[1]) for line in lines[start + 1 : index]]
            index += 1
        elif _is_indented(lines[start]) and (start == 0 or not lines[start - 1].strip()):
            while index < len(lines) and (_is_indented(lines[index]) or not lines[index].strip()):
                index += 1
            text = [line[4:] for line in lines[start:index]]
        else:
            continue
        language = fence[3] if fence else INDENTED
        yield Block(document=document, line=start + 1, language=language, text="\n".join(text).rstrip() + "\n")


def _is_indented(line: str) -> bool:
    return line.startswith("    ") and bool(line.strip())


def run_blocks(some: Iterable[Block], folder: Path) -> None:
    """Run Python and shell blocks in their order in a folder; Python ones share their names.

    Raises what the Python raises, and `CalledProcessError` for a command that fails, with what it said.
    """
    names: dict[str, Any] = {"__name__": "__document__"}
    for block in some:
        if block.language == "python":
            lines = "\n" * block.line + block.text
            with chdir(folder):
                exec(compile(lines, block.document, "exec"), names)
        elif block.language == "sh":
            _run_commands(block, folder)


def _run_commands(block: Block, folder: Path) -> None:
    beside_python = Path(sys.executable).parent
    done = subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", block.text],
        cwd=folder,
        env=os.environ | {"PATH": f"{beside_python}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise AssertionError(f"{block} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
