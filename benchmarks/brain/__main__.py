"""Measure CloudMR Brain as a server: `python -m benchmarks.brain [PART ...]`, all parts if none is named.

    submissions   jobs taken a second, beside Prefect's server on the same PostgreSQL
    starts        from submission to start, beside Prefect's workers
    crowd         200 people who look at jobs, by asking and on streams, while 50 submit
    uploads       a file into the local store, beside a plain copy and its SHA-256
    lists         what is said of jobs among 1 000 and among 200 000 of them

`make bench` installs what they need.
"""

from __future__ import annotations

import logging
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks import brain_scale
from benchmarks.brain import crowd, prefect, starts, submissions, uploads
from benchmarks.brain.ours import OwnBrain, own_brain
from postgres_server import postgres_server


@contextmanager
def both() -> Iterator[tuple[OwnBrain, prefect.Prefect]]:
    """Run both servers, each with a database of its own on one durable PostgreSQL."""
    with tempfile.TemporaryDirectory() as name, postgres_server(is_durable=True) as server:
        folder = Path(name)
        with (
            prefect.prefect_server(folder / "theirs", server.create("theirs")) as theirs,
            own_brain(folder / "ours", server.create("ours")) as ours,
        ):
            yield ours, theirs


def compare_submissions() -> None:
    """Print how fast both take jobs."""
    with both() as (ours, theirs):
        ours.occupy()
        rows = submissions.measure((ours, theirs))
    reference = {row.n_clients: row for row in rows if row.name == prefect.Prefect.name}
    for row in rows:
        other = reference[row.n_clients]
        print(
            f"{row.name:14} {row.n_clients:2} clients  {row.per_second:7.1f} jobs/s  median {row.median_ms:6.1f} ms  "
            f"p95 {row.p95_ms:6.1f} ms  cores {row.cores_ms:6.2f} ms a job  "
            f"{row.per_second / other.per_second:5.2f} x the rate, 1/{other.cores_ms / row.cores_ms:.2f} of the cores",
            flush=True,
        )


def compare_starts() -> None:
    """Print how soon jobs of both start."""
    own: list[float] = []
    rows: list[starts.Starting] = []
    with both() as (ours, theirs):
        ways = {
            "Prefect, a worker that asks every 10 s (default)": theirs.worker(10),
            "Prefect, a worker that asks every second": theirs.worker(1),
            "Prefect, a served flow that asks every second": theirs.served(1),
        }
        for name, running in ways.items():
            own += starts.measure(ours, ours.name).started_s
            with running:
                rows.append(starts.measure(theirs, name))
    rows.insert(0, starts.Starting(name=OwnBrain.name, started_s=tuple(own)))
    for row in rows:
        texts = " ".join(f"{seconds:.1f}" for seconds in row.started_s)
        print(
            f"{row.name:50} median {row.median_s:5.2f} s {row.median_s / rows[0].median_s:6.1f} x  ({texts})",
            flush=True,
        )


@contextmanager
def alone() -> Iterator[tuple[OwnBrain, Path]]:
    """Run a Brain with a database on durable PostgreSQL, and a folder of its own."""
    with tempfile.TemporaryDirectory() as name, postgres_server(is_durable=True) as server:
        folder = Path(name) / "ours"
        with own_brain(folder, server.create("ours")) as ours:
            yield ours, folder


def serve_crowd() -> None:
    """Print how long a crowd waits for what."""
    with alone() as (ours, _):
        ours.occupy()
        print(crowd.as_lines(crowd.measure(ours)), flush=True)


def carry_uploads() -> None:
    """Print how fast files come in."""
    with tempfile.TemporaryDirectory() as name, own_brain(Path(name), f"sqlite:///{name}/brain.sqlite") as ours:
        _print_carried("SQLite", *uploads.measure(ours, Path(name)))
    with alone() as (ours, folder):
        _print_carried("PostgreSQL", *uploads.measure(ours, folder))


def _print_carried(database: str, floor: uploads.Carried, uploaded: uploads.Carried) -> None:
    for row in (floor, uploaded):
        texts = " ".join(f"{rate:.0f}" for rate in row.rates)
        ratio = f"{row.rate / floor.rate:6.2f} x"
        print(f"{database:10} {row.what:26} {row.rate:6.0f} MB/s {ratio}  ({texts})", flush=True)


PARTS: dict[str, Callable[[], None]] = {
    "submissions": compare_submissions,
    "starts": compare_starts,
    "crowd": serve_crowd,
    "uploads": carry_uploads,
    "lists": lambda: brain_scale.main([]),
}
_BESIDE = ("submissions", "starts")


def main(arguments: Sequence[str]) -> None:
    """Measure and print the parts that are named."""
    if unknown := sorted(set(arguments) - {*PARTS}):
        sys.exit(f"{', '.join(unknown)}: no such part. {__doc__}")
    chosen = arguments or tuple(PARTS)
    if any(part in chosen for part in _BESIDE) and not prefect.is_installed():
        sys.exit(f"There is no Prefect in {prefect.PROGRAMS}. `make bench` installs it.")
    logging.disable(logging.CRITICAL)
    # Servers are ended with us, also where we are told to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    for part in PARTS:
        if part in chosen:
            print(f"\n{part}", flush=True)
            PARTS[part]()


if __name__ == "__main__":
    main(sys.argv[1:])
