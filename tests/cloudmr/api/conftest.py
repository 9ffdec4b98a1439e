from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from applications import application
from asgi import TestClient
from bench import BRAIN_URL, PASSWORD, Bench
from cloudmr.model.people import Caller
from cloudmr.model.tokens import Scope
from cloudmr.services.sessions import authenticate, log_in

SignIn = Callable[[], tuple[TestClient, Caller]]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path, is_watched=False)
    yield bench
    bench.close()


@pytest.fixture
def client(bench: Bench) -> Iterator[TestClient]:
    """Somebody who is not signed in."""
    with TestClient(application(bench), base_url=BRAIN_URL, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def sign_in(bench: Bench, client: TestClient) -> SignIn:
    """Somebody new who is signed in: a client with a token, and who that is."""

    def new_person() -> tuple[TestClient, Caller]:
        bench.person()
        email = f"person{bench.n_people}@example.org"
        token = log_in(bench.brain, email=email, password=PASSWORD, address="192.0.2.1").access_token
        person = TestClient(client.app, base_url=BRAIN_URL, raise_server_exceptions=False)
        person.portal = client.portal  # one event loop for all, as in a server
        person.headers["Authorization"] = f"Bearer {token}"
        return person, authenticate(bench.brain, token, Scope.ACCOUNT)

    return new_person


@pytest.fixture
def ada(sign_in: SignIn) -> tuple[TestClient, Caller]:
    return sign_in()
