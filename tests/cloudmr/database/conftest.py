from __future__ import annotations

import pytest

from bench import Bench
from benches import MakeBench


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:
    return make_bench()
