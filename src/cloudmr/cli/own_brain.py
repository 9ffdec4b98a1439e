"""A Brain for a while: a process of its own, with a home of its own that goes with it, at a port that was free."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from mroptimum.errors import ExplainedError, MissingExtra

_STOP_S = 20


class BrainDidNotStart(ExplainedError):
    """The process of a Brain ended before it answered."""

    code = "brain_did_not_start"


@contextmanager
def own_brain(home: Path, *, port: int = 0) -> Iterator[str]:
    """Start a Brain that keeps everything in `home`, yield its address, and end it. Port 0 is any free one.

    Raise `BrainDidNotStart`, in the Brain's own words where it had any, and `MissingExtra`.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (home / "brain.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - this program itself
            [sys.executable, "-m", "cloudmr.cli", "serve", "--host", "127.0.0.1", "--port", str(port), "--json"],
            env=_environment(os.environ, home),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            # An interrupt at the keyboard is for the demo alone: it ends its job first, then its Brain.
            start_new_session=True,
        )
    try:
        assert process.stdout is not None
        yield _address(process.stdout, home)
    finally:
        _stop(process)


def _environment(environment: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return the environment without what belongs to another Brain."""
    kept = {name: value for name, value in environment.items() if name != "DATABASE_URL" and name[:8] != "CLOUDMR_"}
    return kept | {"CLOUDMR_HOME": str(home)}


def _address(output: IO[str], home: Path) -> str:
    """Read the one JSON document that a Brain prints when it answers, or when it cannot start."""
    text = ""
    for line in output:
        text += line
        try:
            answer: dict[str, Any] = json.loads(text)
        except ValueError:
            continue
        if "error" in answer:
            error = answer["error"]
            if error["code"] == MissingExtra.code:
                raise MissingExtra(error["message"], error["next_step"])
            raise BrainDidNotStart(error["message"], error["next_step"], code=error["code"])
        return str(answer["url"])
    raise BrainDidNotStart(
        "CloudMR Brain ended before it answered.", f"What it said last: {_last_words(home / 'brain.log')}"
    )


def _last_words(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "nothing"


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
