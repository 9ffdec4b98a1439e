"""Checks that are programs of their own, installed by the Makefile: one that is missing fails, it is not skipped."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import hatch_build

ROOT = Path(__file__).parents[2]
_PYTHON_CHECKS = ROOT / ".venv-lint" / "bin"
_NODE_CHECKS = ROOT / "tools" / "static" / "node_modules" / ".bin"


def complaints(check: str, *arguments: str | Path) -> str:
    """Return what a check has to say about files, nothing where all is well."""
    _, environment = hatch_build.find_npm()
    program = next(path for path in (_PYTHON_CHECKS / check, _NODE_CHECKS / check) if path.exists())
    done = subprocess.run(
        [program, *arguments], cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr
