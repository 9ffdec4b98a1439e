"""A server that takes jobs over HTTP: what is measured of it, whoever made it."""

from __future__ import annotations

import http.client
import json
import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psutil

TIMEOUT_S = 60
_KEPT_S = 2


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request to a server, ready to be sent."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a job stands: when it began, in its server's words, and whether it has ended."""

    started_at: datetime | None
    has_ended: bool


class Contender(ABC):
    """A running server, with a token and something to submit."""

    name: str
    host = "127.0.0.1"
    port: int
    process: psutil.Process
    database: str
    """Its name at the database server."""

    @abstractmethod
    def submission(self, key: str) -> Request:
        """Return the request that submits a job; the same `key` would be the same job."""

    @abstractmethod
    def job_id(self, answer: Any) -> str:
        """Return the id of the job that was submitted."""

    @abstractmethod
    def look(self, job_id: str) -> Request:
        """Return the request that asks how a job stands."""

    @abstractmethod
    def standing(self, answer: Any) -> Standing:
        """Return what its answer says."""

    def cores_s(self) -> float:
        """Return the core time so far of the server and of what serves its database."""
        backends = [
            each
            for each in psutil.process_iter(["cmdline"])
            if f" {self.database} " in " ".join(each.info["cmdline"] or ()) and each.name() == "postgres"
        ]
        seconds = 0.0
        for each in [self.process, *self.process.children(recursive=True), *backends]:
            with suppress(psutil.NoSuchProcess):
                times = each.cpu_times()
                seconds += times.user + times.system
        return seconds


class Connection:
    """One connection to a server that is kept, as a client would; the least that Python can do."""

    def __init__(self, host: str, port: int) -> None:
        self._connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
        self._used_at_s = 0.0

    def ask(self, request: Request) -> Any:
        """Send a request and return the JSON that it is answered with. Raise `RuntimeError` for a refusal.

        After a pause it is sent through a new connection, since servers close those that say nothing.
        """
        if time.monotonic() - self._used_at_s > _KEPT_S:
            self._connection.close()
        self._used_at_s = time.monotonic()
        self._connection.request(request.method, request.path, request.body, dict(request.headers))
        answer = self._connection.getresponse()
        body = answer.read()
        if not 200 <= answer.status < 300:
            raise RuntimeError(f"{request.method} {request.path}: {answer.status} {body[:300]!r}")
        return json.loads(body) if body else None

    def close(self) -> None:
        """Close it."""
        self._connection.close()


def new_key() -> str:
    """Return a key that was never used."""
    return secrets.token_hex(16)
