"""The client that calls an application without a network.

It announces that a later Starlette will want another HTTP library than the one this project speaks; until then that is
no news, and everything else that warns stays an error.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="Using `httpx` with `starlette.testclient` is deprecated")
    from starlette.testclient import TestClient

__all__ = ["TestClient"]
