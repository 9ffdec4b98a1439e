from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from applications import application
from asgi import TestClient
from bench import BRAIN_URL, PASSWORD, Bench
from page_readers import OpenPages, Reader, SignIn


@pytest.fixture
def open_pages() -> Iterator[OpenPages]:
    opened: list[TestClient] = []

    def do(bench: Bench) -> TestClient:
        app = application(bench, has_pages=True)
        opened.append(TestClient(app, base_url=BRAIN_URL, headers={"Accept": "text/html"}))
        return opened[-1]

    yield do
    for client in opened:
        client.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path, is_watched=False)
    yield bench
    bench.close()


@pytest.fixture
def sign_in(bench: Bench, open_pages: OpenPages) -> SignIn:
    def do() -> Reader:
        bench.person()
        client = open_pages(bench)
        email = f"person{bench.n_people}@example.org"
        home = client.post("/sign-in", data={"email": email, "password": PASSWORD})
        found = re.search(r'name="csrf-token" content="([0-9a-f]+)"', home.text)
        assert found is not None
        return Reader(client=client, email=email, csrf_token=found[1])

    return do


@pytest.fixture
def ada(sign_in: SignIn) -> Reader:
    return sign_in()
