"""What a list of readouts amounts to, in the numbers that `inspect` shows."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from mroptimum.rawdata.readout import Readout, Role

Summary = dict[str, str | int | float | list[int] | bool | None]

_CHUNK_BYTES = 1 << 20


def summarise(readouts: Sequence[Readout]) -> Summary:
    """Count readouts by role, and the counters of the imaging lines; zeros and None where there are none."""
    imaging = [readout for readout in readouts if readout.role.is_imaging]
    described = imaging or list(readouts)
    shape = Counter((r.n_coils, r.n_samples) for r in described).most_common(1)
    (n_coils, n_samples) = shape[0][0] if shape else (None, None)
    return {
        "n_readouts": len(readouts),
        "n_imaging_lines": len(imaging),
        "n_calibration_lines": sum(r.role.is_calibration for r in readouts),
        "n_noise_lines": sum(r.role is Role.NOISE for r in readouts),
        "n_other_lines": sum(r.role is Role.OTHER for r in readouts),
        "n_coils": n_coils,
        "n_samples": n_samples,
        "n_lines": len({r.y for r in imaging}),
        "n_partitions": len({r.z for r in imaging}),
        "n_slices": len({r.slice for r in imaging}),
        "n_averages": len({r.average for r in imaging}),
        "n_repetitions": len({r.repetition for r in imaging}),
    }


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, as hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
