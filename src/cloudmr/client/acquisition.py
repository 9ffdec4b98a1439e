"""How large an acquisition is, read out of its file before it is sent: estimates of jobs are better with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mroptimum.errors import RawDataError


def acquisition_of(path: Path) -> dict[str, Any] | None:
    """Return counts of coils, samples, slices and repetitions, None for a file that has none."""
    from mroptimum import rawdata  # NumPy and the readers: only who uploads needs them

    try:
        measurements = rawdata.inspect(path).measurements
    except RawDataError:
        return None
    imaging = [measured for measured in measurements if measured.get("n_imaging_lines")]
    if not imaging:
        return None
    names = ("n_coils", "n_samples", "n_lines", "n_partitions", "n_slices", "n_repetitions")
    counts = [imaging[-1].get(name) for name in names]
    if not all(isinstance(count, int) and count > 0 for count in counts):
        return None
    n_coils, n_x, n_y, n_z, n_slices, n_repetitions = counts
    return {"n_coils": n_coils, "matrix": [n_x, n_y, n_z], "n_slices": n_slices, "n_repetitions": n_repetitions}
