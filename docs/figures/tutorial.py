"""The figure of the tutorial, by the code that stands in it."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from code_blocks import ROOT, blocks, run_blocks


def draw(folder: Path) -> None:
    """Run the tutorial and keep `tutorial.png`."""
    with TemporaryDirectory() as here:
        run_blocks(blocks(ROOT / "docs" / "tutorial.md"), Path(here))
        shutil.copy(Path(here) / "tutorial.png", folder)
