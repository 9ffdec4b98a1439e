"""Uploading through the Brain's local store, beside copying the same file here and computing its SHA-256.

The client reads the file, sends its parts with their checksums, and the Brain writes them to the disk, checks them and
joins them, all of it synchronised; beside it stands a plain copy, that is not, and a pass of SHA-256. They take turns.
"""

from __future__ import annotations

import hashlib
import shutil
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.brain.ours import OwnBrain
from cloudmr.client.brain import BrainClient

SIZE_BYTES = 200 * 1024 * 1024
ROUNDS = 15


@dataclass(frozen=True, kw_only=True)
class Carried:
    """How fast bytes went, in MB/s: the median of the rounds."""

    what: str
    rates: tuple[float, ...]

    @property
    def rate(self) -> float:
        """The median."""
        return statistics.median(self.rates)


def measure(brain: OwnBrain, folder: Path, *, size_bytes: int = SIZE_BYTES) -> tuple[Carried, Carried]:
    """Measure both, the floor first."""
    source = folder / "upload.npz"
    n_coils, n = 8, 512
    samples = np.random.default_rng(0).standard_normal((n_coils, size_bytes // (8 * n_coils * n), n, 2), np.float32)
    np.savez(source, kspace=samples.view(np.complex64)[..., 0], dwell_time_s=5e-6, readout_oversampling=1.0)
    floor, uploads = [], []
    with BrainClient(brain.url, token=brain.token, folder=folder / "client") as client:
        for _ in range(ROUNDS):
            floor.append(_rate(source, lambda: _copy_and_digest(source, folder / "copy")))
            uploads.append(_rate(source, lambda: client.upload(source)))
            client.delete_data(next(client.data_files()).id, for_good=True)
    return (
        Carried(what="copy and SHA-256", rates=tuple(floor)),
        Carried(what="upload through the Brain", rates=tuple(uploads)),
    )


def _rate(source: Path, call: Callable[[], object]) -> float:
    began_s = time.perf_counter()
    call()
    return source.stat().st_size / 1e6 / (time.perf_counter() - began_s)


def _copy_and_digest(source: Path, target: Path) -> None:
    with source.open("rb") as file, target.open("wb") as copy:
        shutil.copyfileobj(file, copy, 2**20)
    with source.open("rb") as file:
        hashlib.file_digest(file, "sha256")
    target.unlink()
