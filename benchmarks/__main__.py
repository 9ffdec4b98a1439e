"""Run every benchmark and print the ratios; `--json` for programs."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict

# Before NumPy is imported: its BLAS reads this once.
os.environ.update({"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"})


def main() -> None:
    """Measure and print."""
    from benchmarks import analytic, espirit, grappa, replicas

    tables = [
        measure(n_coils, n)
        for measure in (analytic.measure, grappa.measure, espirit.measure)
        for n_coils, n in analytic.SIZES
    ]
    tables.append(replicas.measure(8, 256))
    if "--json" in sys.argv:
        print(json.dumps([[asdict(row) for row in table] for table in tables], indent=1))
        return
    for table in tables:
        for row in table:
            print(f"{row.name:45} {1e3 * row.best_s:9.2f} ms   {row.ratio:6.2f} x")
        print()


if __name__ == "__main__":
    main()
