"""Jobs in simulated weather. A failure names its seed, and happens again with it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from databases import NewDatabase
from simulation import Report, Simulation
from weather import CLEAR, STORM, Weather

Simulate = Callable[..., Report]
N_JOBS = 30


@pytest.fixture
def simulate(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Simulate:
    numbers = count()

    def run(seed: int, n_jobs: int, *, storm: Weather = STORM, database_url: str = "") -> Report:
        # What a Brain says of its troubles is not what is tested here, and there are many.
        with caplog.at_level(logging.CRITICAL + 1):
            folder = tmp_path / f"simulation-{next(numbers)}"
            return Simulation(folder, seed=seed, n_jobs=n_jobs, storm=storm, database_url=database_url).run()

    return run


@pytest.mark.parametrize("seed", range(3))
def test_every_job_reaches_one_end_in_any_weather(simulate: Simulate, seed: int) -> None:
    report = simulate(seed, N_JOBS)
    assert sum(report.ends.values()) == N_JOBS
    assert report.n_deaths > 0


def test_so_it_does_on_every_database(simulate: Simulate, new_database: NewDatabase) -> None:
    assert sum(simulate(11, 15, database_url=new_database()).ends.values()) == 15


def test_what_happened_once_happens_again(simulate: Simulate) -> None:
    first = simulate(5, 8)
    assert simulate(5, 8) == first
    assert simulate(6, 8) != first


def test_in_clear_weather_nothing_is_tried_twice_and_nothing_waits(simulate: Simulate) -> None:
    report = simulate(1, 20, storm=CLEAR)
    assert report.n_deaths == report.n_retried == report.n_refused_messages == 0
    assert report.ends.keys() <= {"succeeded", "failed", "cancelled"}
    assert report.settled_s < 1000
