"""A job that runs in a fraction of a second, from its raw data to its document."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from cloudmr.model.documents import DocumentUnit, InputFile, JobDocument, failed_prefix, results_prefix
from cloudmr.model.units import Mode, Provider
from cloudmr.storage.base import Bucket
from cloudmr.storage.local_objects import LocalObjects

JOB_ID = "job_01jd3v6w0s8k2m4n6p8q0r2t4v"
SIGNAL = "data_01jd3v6w0s8k2m4n6p8q0r2t4v"


def raw_data(path: Path, rng: np.random.Generator, *, noise: bool = True) -> Path:
    """Write a small scan of a disc by four coils, with its noise scan or without."""
    n_coils, n = 4, 32
    y, x = np.mgrid[:n, :n] - n // 2
    coils = np.exp(1j * np.arange(n_coils))[:, None, None] * (1 + 0.1 * np.arange(n_coils)[:, None, None] * x / n)
    image = 100 * coils * (x**2 + y**2 < 10**2)
    kspace = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(image, axes=(1, 2)), norm="ortho"), axes=(1, 2))

    def draw(*shape: int) -> np.ndarray[Any, np.dtype[np.complex128]]:
        return np.asarray(rng.standard_normal(shape) + 1j * rng.standard_normal(shape))

    scan: dict[str, Any] = {"kspace": (kspace + draw(*kspace.shape)).astype(np.complex64)}
    scan |= {"dwell_time_s": 5e-6, "readout_oversampling": 1.0}
    if noise:
        scan |= {"noise": draw(64, n_coils, 128).astype(np.complex64), "noise_dwell_time_s": 5e-6}
        scan |= {"noise_bandwidth_ratio": 1.0}
    with path.open("wb") as file:
        np.savez(file, **scan)
    return path


def document_for(storage: LocalObjects, *, key: str = f"uploads/{SIGNAL}") -> JobDocument:
    """Return the document of a job on the uploaded scan; `key` is what its task names as the signal."""
    info = storage.head(Bucket.DATA, f"uploads/{SIGNAL}")
    assert info is not None
    file = {"type": "s3", "bucket": "data", "key": key, "filename": "Doe^Jane.dat"}
    return JobDocument(
        job_id=JOB_ID,
        attempt=1,
        app_name="MR Optimum",
        alias="a job",
        task={
            "name": "AC",
            "options": {
                "reconstructor": {"name": "rss", "options": {"signal": {"type": "file", "options": file}}},
            },
        },
        output={},
        inputs=(
            InputFile(data_id=SIGNAL, key=f"uploads/{SIGNAL}", size_bytes=info.size_bytes, checksum=info.checksum),
        ),
        computing_unit=DocumentUnit(id="unit_1", mode=Mode.MODE_1, provider=Provider.CLOUDMRHUB),
        results_prefix=results_prefix(JOB_ID, 1),
        failed_prefix=failed_prefix(JOB_ID, 1),
        deadline_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
