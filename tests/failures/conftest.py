from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from applications import application
from asgi import TestClient
from bench import BRAIN_URL, PASSWORD, Bench
from benches import MakeBench
from cloudmr.database.engine import make_engine
from cloudmr.services.sessions import log_in


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:
    # An engine of its own, since some tests change what engines are made with.
    return make_bench(is_watched=False, open_engine=make_engine)


@contextmanager
def signed_in(bench: Bench) -> Iterator[TestClient]:
    """Give somebody new, who is signed in, the API of a Brain."""
    bench.person()
    email = f"person{bench.n_people}@example.org"
    token = log_in(bench.brain, email=email, password=PASSWORD, address="192.0.2.1").access_token
    with TestClient(application(bench), base_url=BRAIN_URL, raise_server_exceptions=False) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


@pytest.fixture
def client(bench: Bench) -> Iterator[TestClient]:
    with signed_in(bench) as client:
        yield client
