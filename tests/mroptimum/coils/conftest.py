from __future__ import annotations

from pathlib import Path

import pytest

REAL_DATA = Path(__file__).parents[4] / "shared" / "data"


@pytest.fixture
def real_data() -> Path:
    """The folder of scanner files, which are not part of the repository."""
    if not REAL_DATA.is_dir():
        pytest.skip("the scanner files (../shared/data beside the repository) are not here")
    return REAL_DATA
