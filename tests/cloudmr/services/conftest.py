from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import Bench
from cloudmr.model.people import Caller


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


@pytest.fixture
def ada(bench: Bench) -> Caller:
    return bench.person()


@pytest.fixture
def bob(bench: Bench) -> Caller:
    return bench.person()
