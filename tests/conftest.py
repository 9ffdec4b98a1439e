"""Fixtures that every test may use."""

from __future__ import annotations

import signal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

# Before any test imports them: their assertions tell what they compared.
pytest.register_assert_rewrite("cloudmr.compute.conformance", "cloudmr.storage.conformance")
pytest_plugins = ["databases", "benches"]
# How long an example takes says how busy the machine is; what is fast and what is not is measured in benchmarks/.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


SLOW = (
    *("acceptance/", "aws/", "browser/", "docs/", "failures/", "static/"),
    *("cloudmr/cli/", "cloudmr/client/", "cloudmr/web/", "cloudmr/compute/test_local_compute.py"),
    *("cloudmr/api/test_access.py", "cloudmr/worker/test_process.py"),
    *("cloudmr/test_connections.py", "cloudmr/test_wiring.py"),
    *("mroptimum/cli/", "mroptimum/oracles/", "mroptimum/phantom/", "mroptimum/report/"),
    *("mroptimum/test_keep_acs.py", "mroptimum/test_peak_memory.py", "mroptimum/test_progress.py"),
    *("mroptimum/test_run.py", "mroptimum/test_run_slabs.py", "mroptimum/test_slab_properties.py"),
)
"""Folders and files whose tests take seconds each, or most of a minute together."""


@pytest.fixture
def rng() -> np.random.Generator:
    """Return a generator with a fixed seed."""
    return np.random.default_rng(20260101)


def pytest_configure() -> None:
    """Let processes hear an interrupt also where the tests run in the background, in which shells have it ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the browser's tests last: until the session ends it keeps an event loop in the thread that tests run in.

    And leave out of the fast part what works with browsers, accounts and processes, and one of the two databases.
    """
    here = Path(__file__).parent
    for item in items:
        place = item.path.relative_to(here).as_posix()
        if place.startswith(SLOW) or "postgresql" in item.nodeid.partition("[")[2]:
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: "browser" in item.path.relative_to(here).parts)
