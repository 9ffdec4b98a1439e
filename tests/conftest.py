"""Fixtures that every test may use."""

from __future__ import annotations

import numpy as np
import pytest

# Before any test imports them: their assertions tell what they compared.
pytest.register_assert_rewrite("cloudmr.compute.conformance", "cloudmr.storage.conformance")
pytest_plugins = ["databases", "benches"]


@pytest.fixture
def rng() -> np.random.Generator:
    """Return a generator with a fixed seed."""
    return np.random.default_rng(20260101)
