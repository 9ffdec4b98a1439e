"""A real Brain with a real unit, on a port that was free, and people who use it over real connections."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import httpx

from cloudmr.cli.left_processes import end_processes_in
from cloudmr.client.brain import BrainClient
from cloudmr.settings import Settings
from cloudmr.wiring import running

PASSWORD = "correct horse battery"


@dataclass
class RealBrain:
    """The address of a Brain that runs, and who has an account there."""

    url: str
    folder: Path
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def new_email(self) -> str:
        """Return the address of somebody who has an account from now on, and came from a machine of their own.

        A Brain lets only so many accounts an hour be made from one.
        """
        number = next(self._numbers)
        email = f"person{number}@example.org"
        with BrainClient(self.url, folder=self.folder, transport=_from_machine(number)) as client:
            client.register(email=email, password=PASSWORD)
        return email

    @contextmanager
    def person(self) -> Iterator[BrainClient]:
        """Give a client to somebody new, who is signed in."""
        email = self.new_email()
        with BrainClient(self.url, folder=self.folder / email) as client:
            client.log_in(email=email, password=PASSWORD)
            yield client


def _from_machine(number: int) -> httpx.HTTPTransport | None:
    # Linux has all of 127.0.0.0/8, others have 127.0.0.1.
    return (
        httpx.HTTPTransport(local_address=f"127.1.{number // 256}.{number % 256}") if sys.platform == "linux" else None
    )


@contextmanager
def serving(folder: Path, **environment: str) -> Iterator[RealBrain]:
    """Run a Brain in a thread whose home is in `folder`; what its unit still runs afterwards is ended."""
    settings = Settings.from_environment({"CLOUDMR_HOME": str(folder / "home"), "CLOUDMR_PORT": "0", **environment})
    try:
        with running(settings) as url:
            yield RealBrain(url, folder / "people")
    finally:
        end_processes_in(folder, last_words_s=0)
