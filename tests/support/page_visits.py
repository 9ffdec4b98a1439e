"""Visits to the pages without a browser: who looks, and what they are shown."""

from __future__ import annotations

import re
from dataclasses import dataclass

from httpx import Response

from applications import application
from asgi import TestClient
from bench import BRAIN_URL, PASSWORD, Bench
from cloudmr.model.people import Caller
from cloudmr.services.get_profile import get_profile

_HTML = {"Accept": "text/html"}


@dataclass
class Visits:
    """One person's browser, as far as requests and answers go."""

    client: TestClient
    csrf_token: str

    def get(self, path: str) -> Response:
        answer: Response = self.client.get(path, headers=_HTML, follow_redirects=False)
        return answer

    def post(self, path: str, **fields: str) -> Response:
        fields = {"csrf_token": self.csrf_token, **fields}
        answer: Response = self.client.post(path, data=fields, headers=_HTML, follow_redirects=False)
        return answer


def nobodys_client(bench: Bench) -> TestClient:
    """Return the browser of somebody who has not signed in."""
    return TestClient(application(bench, has_pages=True), base_url=BRAIN_URL)


def visits(bench: Bench, caller: Caller) -> Visits:
    """Return the browser of somebody who signs in."""
    client = nobodys_client(bench)
    form = {"email": get_profile(bench.brain, caller).email, "password": PASSWORD}
    assert client.post("/sign-in", data=form, follow_redirects=False).status_code == 303
    found = re.search(r'name="csrf-token" content="([0-9a-f]+)"', client.get("/", headers=_HTML).text)
    assert found is not None
    return Visits(client=client, csrf_token=found[1])
