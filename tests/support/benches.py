"""Brains on benches, for tests that run on every kind of database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from bench import Bench
from databases import NewDatabase

MakeBench = Callable[..., Bench]
"""Makes a Brain with a database and a folder of its own; takes what `Bench` takes, and closes it after the test."""


@pytest.fixture
def make_bench(
    tmp_path: Path, new_database: NewDatabase, database_kind: str, request: pytest.FixtureRequest
) -> Iterator[MakeBench]:
    """Makes Brains on databases of the kind that the test runs with."""
    made: list[Bench] = []
    numbers = count(1)
    known = {} if database_kind == "sqlite" else {"open_engine": request.getfixturevalue("server_databases").engine}

    def make(**options: Any) -> Bench:
        if "database_url" not in options:
            options["database_url"] = new_database()
        made.append(Bench(tmp_path / f"bench-{next(numbers)}", **known | options))
        return made[-1]

    yield make
    for bench in made:
        bench.close()
