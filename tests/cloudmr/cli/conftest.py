from __future__ import annotations

from collections.abc import Iterator

import pytest

from real_brain import RealBrain, serving


@pytest.fixture(scope="module")
def real_brain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealBrain]:
    """Return a Brain that all tests of a module share; each brings its own person."""
    with serving(tmp_path_factory.mktemp("brain")) as brain:
        yield brain
