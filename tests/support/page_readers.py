"""Somebody who reads the pages of a Brain with a browser that runs no scripts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from asgi import TestClient
from bench import Bench


@dataclass
class Reader:
    """Somebody who is signed in and fills in forms; what they send leads on to a page, which is returned."""

    client: TestClient
    email: str
    csrf_token: str

    def see(self, path: str, *, status: int = 200) -> str:
        answer = self.client.get(path)
        assert answer.status_code == status, answer.text
        return str(answer.text)

    def send(self, path: str, *, status: int = 200, **fields: Any) -> str:
        answer = self.client.post(path, data={"csrf_token": self.csrf_token, **fields})
        assert answer.status_code == status, answer.text
        return str(answer.text)


OpenPages = Callable[[Bench], TestClient]
"""Gives a browser for the pages of a Brain, nobody signed in."""
SignIn = Callable[[], Reader]
"""Signs somebody new in."""
