from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudmr.cli.left_processes import end_processes_in
from mroptimum.phantom import Written, write_demo
from real_brain import RealBrain, serving


@pytest.fixture(scope="session")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Return a 16-coil multi-raid TWIX file of SENSE factor 2, and the truth about it."""
    return write_demo(tmp_path_factory.mktemp("phantom"))


@pytest.fixture(scope="module")
def real_brain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealBrain]:
    """Return a Brain that all tests of a module share; each brings its own person."""
    with serving(tmp_path_factory.mktemp("brain")) as brain:
        yield brain


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """Return where a Brain of the test's own lives; what still runs there afterwards is ended."""
    yield tmp_path / "home"
    end_processes_in(tmp_path / "home", last_words_s=0)
