"""What every test of the science has: the one thread of BLAS that a run gives it, too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import scipy.linalg  # noqa: F401 - brings a BLAS of its own, which must be loaded to be limited
from threadpoolctl import threadpool_limits


@pytest.fixture(scope="session", autouse=True)
def one_thread_of_blas() -> Iterator[None]:
    """Limit BLAS as `run` does: its threads wait for each other where many small matrices are multiplied."""
    with threadpool_limits(limits=1, user_api="blas"):
        yield
