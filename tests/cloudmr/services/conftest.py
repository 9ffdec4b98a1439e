from __future__ import annotations

import pytest

from bench import Bench
from benches import MakeBench
from cloudmr.model.people import Caller


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:
    return make_bench()


@pytest.fixture
def ada(bench: Bench) -> Caller:
    return bench.person()


@pytest.fixture
def bob(bench: Bench) -> Caller:
    return bench.person()
