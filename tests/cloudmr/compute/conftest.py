from __future__ import annotations

from collections.abc import Iterator

import pytest

from listener import Listener, listening


@pytest.fixture
def brain() -> Iterator[Listener]:
    with listening() as listener:
        yield listener
