"""Measure, and print as ratios of one run: `python -m benchmarks [PART ...]`, all parts if none is named.

    floors    against the least that the same work takes: one transform of all coils, or drawing the normals
    peers     the same work done by SigPy, pygrappa and BART, and how well results agree
    cores     a job of several slices on one core and on two, and how long importing takes
    scaling   time and memory over coils, matrix, replicas and slices, with fitted exponents, as Markdown

`make bench` installs the libraries in an environment of their own. `--json` prints the first three for programs.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict

# Before NumPy is imported: its BLAS reads this once.
os.environ.update({"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"})

from benchmarks import analytic, cores, espirit, grappa, peers, replicas, scaling
from benchmarks.timing import Timing, noisiness


def floors() -> Iterator[Sequence[Timing]]:
    """Yield tables of what we take, as multiples of the least that the same work takes."""
    for measure in (analytic.measure, grappa.measure, espirit.measure):
        for n_coils, n in analytic.SIZES:
            yield measure(n_coils, n)
    yield from replicas.measure(8, 256)


def beside_peers() -> Iterator[Sequence[Timing]]:
    """Yield tables of what the libraries of the field take, as multiples of what we take."""
    for n_coils, n in peers.SIZES:
        yield from peers.measure(n_coils, n)


PARTS: dict[str, Callable[[], Iterator[Sequence[Timing]]]] = {
    "floors": floors,
    "peers": beside_peers,
    "cores": cores.measure,
}
SCALING = "scaling"


def main(arguments: Sequence[str]) -> None:
    """Measure and print the parts that are named."""
    chosen = [argument for argument in arguments if not argument.startswith("--")] or [*PARTS, SCALING]
    if unknown := sorted(set(chosen) - {*PARTS, SCALING}):
        sys.exit(f"{', '.join(unknown)}: no such part. {__doc__}")
    if "peers" in chosen and (missing := peers.missing()):
        sys.exit(f"Not installed: {', '.join(missing)}. `make bench` installs them, or leave out the part peers.")
    for part in PARTS:
        for table in PARTS[part]() if part in chosen else ():
            if "--json" in arguments:
                print(json.dumps([asdict(row) for row in table]))
            else:
                _print(table)
    if SCALING in chosen:
        print(scaling.as_markdown())


def _print(table: Sequence[Timing]) -> None:
    for row in table:
        agreement = f"   agrees to {row.agreement:.5f}" if isinstance(row, peers.PeerTiming) else ""
        print(f"{row.name:55} {1e3 * row.best_s:9.2f} ms {row.ratio:8.2f} x {row.cores_ratio:8.2f} x{agreement}")
    print(f"(by the clock, and in core time; median rounds took {100 * noisiness(table):.0f} % longer)\n", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
