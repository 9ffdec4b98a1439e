"""What a supervisor, and through it the worker, is told on standard input, the only way the attempt's secret goes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from cloudmr.compute.base import ExecutionRequest, Resources
from cloudmr.model.platforms import Platform


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """How long to go on telling the Brain something it does not hear: longer and longer waits, and an end."""

    first_wait_s: float = 1
    longest_wait_s: float = 60
    give_up_after_s: float = 15 * 60

    def waits_s(self) -> Iterator[float]:
        """Yield how long to wait before each further try, until trying further is vain."""
        wait_s, waited_s = self.first_wait_s, 0.0
        while waited_s + wait_s <= self.give_up_after_s:
            yield wait_s
            waited_s += wait_s
            wait_s = min(2 * wait_s, self.longest_wait_s)


@dataclass(frozen=True, kw_only=True)
class Launch:
    """One attempt and how to run it here: the worker's command, its objects, how its supervisor behaves."""

    request: ExecutionRequest
    storage_root: str
    worker_command: tuple[str, ...]
    stop_grace_s: float = 10
    """How long a worker that was told to end may take before it is killed."""
    look_every_s: float = 0.5
    """How often the supervisor looks at the clock and at the size of the worker's files."""
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    address_file: str | None = None
    """Where it is written at which address the Brain is now."""

    def to_bytes(self) -> bytes:
        """Return what to write to standard input. It holds the secret: keep it out of files and logs."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def parse(cls, message: bytes) -> Self:
        """Read what `to_bytes` wrote. Raise `ValueError` for anything else, also for a part of it."""
        try:
            fields: dict[str, Any] = json.loads(message)
            request = fields["request"]
            request |= {"resources": Resources(**request["resources"]), "platform": Platform(request["platform"])}
            return cls(
                **fields
                | {
                    "request": ExecutionRequest(**request),
                    "worker_command": tuple(fields["worker_command"]),
                    "retry": RetryPolicy(**fields["retry"]),
                }
            )
        except (KeyError, TypeError) as error:
            raise ValueError("this is no launch message") from error
