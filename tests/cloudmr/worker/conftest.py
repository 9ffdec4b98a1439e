from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cloudmr.storage.base import Bucket
from cloudmr.storage.local_objects import LocalObjects
from listener import Listener, listening
from small_job import SIGNAL, raw_data


@pytest.fixture
def storage(tmp_path: Path, rng: np.random.Generator) -> LocalObjects:
    """A storage that holds the uploaded scan."""
    storage = LocalObjects(tmp_path / "storage")
    storage.put(Bucket.DATA, f"uploads/{SIGNAL}", raw_data(tmp_path / "scan.npz", rng))
    return storage


@pytest.fixture
def brain() -> Iterator[Listener]:
    with listening() as listener:
        yield listener
