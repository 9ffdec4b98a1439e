"""How long jobs take and how much memory they need: small ones are timed, and the coefficients of the estimate fitted.

    python -m benchmarks.estimates -o src/cloudmr/model/calibration.json

Each pair of method and reconstruction is run on synthetic scans of several sizes, each in a process of its own, from
the reading of the file to the written package. With V million voxels, S = coils x V, C coils and K replicas (or
repetitions of the scan)

    seconds = a + b V + c S + d S C + e S K      memory = f + g V + h S + i S K      output = j + k V

are fitted with coefficients that are not negative, so that the relative deviations are least. Seconds are those of a
processor: what else the machine does hardly changes them, and a job that has the machine to itself takes no longer.
What the file says of the error is measured on sizes that were left out of the fit.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import nnls

from mroptimum.phantom import Phantom, simulate, write_npz

METHODS = ("ac", "mr", "pmr", "cr")
RECONSTRUCTIONS = ("rss", "b1", "sense", "grappa")
SIZES = ((4, 64, 1), (8, 96, 2), (8, 192, 1), (32, 64, 2), (16, 128, 4), (32, 128, 1), (24, 192, 2))
"""Coils, lines (half as many as samples of a readout) and slices."""
HELD_OUT = ((16, 96, 3), (32, 160, 1))
N_MEASURED = 2
"""The quicker of so many runs counts: what else the machine does only ever makes it slower."""
_REPLICAS = {"pmr": (60, 600), "cr": (4, 12), "mr": (6, 12)}
"""Replicas, or repetitions of the scan, at sizes in turn."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One case and what it took."""

    method: str
    reconstruction: str
    n_coils: int
    n_voxels: int
    n_replicas: int
    seconds: float
    memory_bytes: int
    output_bytes: int


def time_features(n_voxels: int, n_coils: int, n_replicas: int) -> list[float]:
    """Return what the coefficients of the time are multiplied by."""
    voxels = n_voxels / 1e6
    samples = voxels * n_coils
    return [1.0, voxels, samples, samples * n_coils, samples * n_replicas]


def size_features(n_voxels: int, n_coils: int, n_replicas: int) -> list[float]:
    """Return what the coefficients of the memory are multiplied by; a scan's repetitions are all read."""
    voxels = n_voxels / 1e6
    return [1.0, voxels, voxels * n_coils, voxels * n_coils * n_replicas]


def run_case(method: str, reconstruction: str, n_replicas: int, scan: Path) -> dict[str, Any]:
    """Run one case in this process and return what it took. Meant for a process of its own."""
    from mroptimum.export.package import Provenance, write_package
    from mroptimum.flags import Flags
    from mroptimum.run import run
    from mroptimum.task import FileReference

    def local(path: Path) -> FileReference:
        return FileReference.model_validate({"type": "file", "options": {"type": "local", "filename": str(path)}})

    is_accelerated = reconstruction in {"sense", "grappa"}
    flags = Flags(
        method=method,
        reconstruction=reconstruction,
        acceleration=2 if is_accelerated else None,
        replicas=n_replicas if method in {"pmr", "cr"} else None,
        box_size=2 if method == "cr" else None,
    )
    document = flags.document(local(scan), None)
    started = time.process_time()
    result = run(document, locate=lambda reference: Path(reference.options.filename))
    with tempfile.TemporaryDirectory() as folder:
        write_package(result, Path(folder) / "package", provenance=Provenance())
        files = [path for path in Path(folder).rglob("*") if path.is_file()]
        output_bytes = sum(path.stat().st_size for path in files)
    return {
        "seconds": time.process_time() - started,
        "memory_bytes": _peak_memory_bytes(),
        "output_bytes": output_bytes,
    }


def _peak_memory_bytes() -> int:
    # Not getrusage, whose peak is inherited from whoever started this process.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


def measure(folder: Path, sizes: Sequence[tuple[int, int, int]]) -> Iterator[Measured]:
    """Yield every pair of method and reconstruction at these sizes."""
    for place, (n_coils, n_lines, n_slices) in enumerate(sizes):
        for method in METHODS:
            n_replicas = _REPLICAS[method][place % 2] if method in _REPLICAS else 0
            for is_accelerated in (False, True):
                scan = _scan(folder, n_coils, n_lines, n_slices, n_replicas if method == "mr" else 1, is_accelerated)
                for reconstruction in RECONSTRUCTIONS:
                    if (reconstruction in {"sense", "grappa"}) is is_accelerated:
                        yield _measured(method, reconstruction, n_replicas, scan, n_coils, 2 * n_lines**2 * n_slices)
                scan.unlink()


def _measured(method: str, reconstruction: str, n_replicas: int, scan: Path, n_coils: int, n_voxels: int) -> Measured:
    command = [sys.executable, "-m", "benchmarks.estimates", "case", method, reconstruction, str(n_replicas), str(scan)]
    found = [
        json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        for _ in range(N_MEASURED)
    ]
    best = min(found, key=lambda one: float(one["seconds"]))
    case = Measured(
        method=method,
        reconstruction=reconstruction,
        n_coils=n_coils,
        n_voxels=n_voxels,
        n_replicas=n_replicas,
        **best,
    )
    print(f"{case}", file=sys.stderr, flush=True)
    return case


def _scan(folder: Path, n_coils: int, n_lines: int, n_slices: int, n_repetitions: int, is_accelerated: bool) -> Path:
    phantom = Phantom(
        n_x=n_lines,
        n_y=n_lines,
        n_coils=n_coils,
        n_slices=n_slices,
        n_repetitions=n_repetitions,
        acceleration=2 if is_accelerated else 1,
        n_calibration_lines=24 if is_accelerated else 0,
        readout_oversampling=2,
    )
    path = folder / f"{n_coils}-{n_lines}-{n_slices}-{n_repetitions}-{is_accelerated}.npz"
    write_npz(path, simulate(phantom))
    return path


def fit(cases: Sequence[Measured]) -> dict[str, list[float]]:
    """Return the coefficients of time, memory and output of one pair, for the least relative deviations."""
    features = {
        "seconds": [time_features(c.n_voxels, c.n_coils, c.n_replicas) for c in cases],
        "memory_bytes": [size_features(c.n_voxels, c.n_coils, c.n_replicas) for c in cases],
        "output_bytes": [[1.0, c.n_voxels / 1e6] for c in cases],
    }
    fitted = {}
    for name, rows in features.items():
        measured = np.array([float(getattr(case, name)) for case in cases])
        coefficients, _ = nnls(np.array(rows) / measured[:, np.newaxis], np.ones(len(cases)))
        fitted[name] = [float(f"{value:.4g}") for value in coefficients]
    return fitted


def main() -> None:
    """Measure, fit, and write."""
    if sys.argv[1] == "case":
        method, reconstruction, n_replicas, scan = sys.argv[2:]
        print(json.dumps(run_case(method, reconstruction, int(n_replicas), Path(scan))))
        return
    output = Path(sys.argv[sys.argv.index("-o") + 1])
    with tempfile.TemporaryDirectory() as folder:
        order = (*SIZES[:3], HELD_OUT[0], *SIZES[3:5], HELD_OUT[1], *SIZES[5:])
        found = list(measure(Path(folder), order))
        kept_back = {(c, 2 * n * n * s) for c, n, s in HELD_OUT}
        held_out = [c for c in found if (c.n_coils, c.n_voxels) in kept_back]
        cases = [c for c in found if c not in held_out]
    pairs = {}
    ratios = []
    for method in METHODS:
        for reconstruction in RECONSTRUCTIONS:
            fitted = fit([c for c in cases if (c.method, c.reconstruction) == (method, reconstruction)])
            pairs[f"{method} {reconstruction}"] = fitted
            ratios += [
                float(np.dot(time_features(c.n_voxels, c.n_coils, c.n_replicas), fitted["seconds"])) / c.seconds
                for c in held_out
                if (c.method, c.reconstruction) == (method, reconstruction)
            ]
    errors = np.abs(np.array(ratios) - 1)
    calibration = {
        "measured_on": datetime.now(UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, NumPy {np.__version__}",
        "n_cases": len(cases),
        "error": {
            "n_cases": len(held_out),
            "median_percent": round(100 * float(np.median(errors)), 1),
            "p90_percent": round(100 * float(np.quantile(errors, 0.9)), 1),
        },
        "pairs": pairs,
    }
    output.write_text(json.dumps(calibration, indent=1) + "\n", encoding="utf-8")
    (output.parent / f"{output.stem}-cases.json").write_text(
        json.dumps([asdict(case) for case in (*cases, *held_out)], indent=1), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
