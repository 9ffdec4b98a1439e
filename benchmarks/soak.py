"""Long trials of the promise that every job reaches exactly one end: `python -m benchmarks.soak --jobs N --seeds N`.

    simulation   jobs in simulated weather, many seeds (tests/failures/test_simulation.py runs a few)
    siege        real Brains on PostgreSQL under load, while processes are killed (test_siege.py runs a short one)

Prints a row a trial, and exits with 1 if a job was lost, doubled or stuck, or the Brain's memory grew. `make soak` runs
it with what it needs.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from postgres_server import postgres_server
from siege import Siege
from simulation import Simulation

JOBS_A_SEED = 40
MOST_GROWTH = 1.05
"""Of a Brain's memory over two thousand requests."""


def simulate(n_seeds: int, first_seed: int) -> bool:
    """Run simulations and print what came of them; tell whether all was well."""
    ends: Counter[str] = Counter()
    n_deaths, is_well, began_s = 0, True, time.monotonic()
    for seed in range(first_seed, first_seed + n_seeds):
        with TemporaryDirectory() as folder:
            try:
                report = Simulation(Path(folder) / "brain", seed=seed, n_jobs=JOBS_A_SEED).run()
            except AssertionError as error:
                print(f"simulation, seed {seed}: {error} {' '.join(error.__notes__)}", flush=True)
                is_well = False
                continue
        ends.update(report.ends)
        n_deaths += report.n_deaths
    print(
        f"simulation: {ends.total()} jobs of {n_seeds} seeds, one end each, in {time.monotonic() - began_s:.0f} s\n"
        f"  {n_deaths} ends of a Brain in mid-work; ends {dict(ends)}",
        flush=True,
    )
    return is_well


def besiege(n_jobs: int, n_people: int, seed: int) -> bool:
    """Run a siege and print what came of it; tell whether all was well."""
    with TemporaryDirectory() as folder, postgres_server() as server:
        report = Siege(
            Path(folder),
            server,
            n_jobs=n_jobs,
            n_people=n_people,
            seed=seed,
            blow_every_s=(3, 9),
            limit_s=600 + 12 * n_jobs,
            n_calm_requests=2000,
        ).run()
    before_mb, after_mb = report.calm_rss_mb
    print(
        f"siege: {report.n_jobs} jobs of {n_people} people through two Brains in {report.duration_s:.0f} s: "
        f"{report.n_lost} lost, {report.n_doubled} doubled, {report.n_stuck} stuck\n"
        f"  ends {report.ends}, failures {report.failures}, tried twice {report.n_retried}\n"
        f"  killed {report.blows}\n"
        f"  a submission took {report.median_submission_s:.2f} s (median) to {report.slowest_submission_s:.1f} s\n"
        f"  memory of a Brain {before_mb:.0f} MB, after 2000 more requests {after_mb:.0f} MB",
        flush=True,
    )
    is_whole = (report.n_jobs, report.n_lost, report.n_doubled, report.n_stuck) == (n_jobs, 0, 0, 0)
    return is_whole and after_mb <= MOST_GROWTH * before_mb


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1000, help="jobs of the siege (0: none)")
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=50, help=f"simulations, of {JOBS_A_SEED} jobs each (0: none)")
    parser.add_argument(
        "--seed", type=int, default=int(time.time()), help="the first seed; by default another each time"
    )
    chosen = parser.parse_args()
    print(f"seed {chosen.seed}", flush=True)
    logging.disable(logging.CRITICAL)  # what Brains say of troubles that were made for them
    is_well = True
    if chosen.seeds:
        is_well &= simulate(chosen.seeds, chosen.seed)
    if chosen.jobs:
        is_well &= besiege(chosen.jobs, chosen.people, chosen.seed)
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
