"""A job as it goes: what the Brain tells of it until its end, however often the line is cut."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
from pydantic import ValidationError

from cloudmr.client.answers import Job, JobEvent, Progress
from cloudmr.client.connection import Connection, describe
from cloudmr.client.errors import BrainUnreachable, Refused, StrangeAnswer
from cloudmr.client.events import ServerEvent, parse_events
from cloudmr.client.retries import PASSING_STATUSES, PATIENT, Tries

News = Job | JobEvent | Progress
"""The whole job (first, and after every change), an entry of its history, or how far its worker is."""

_KINDS: dict[str, type[News]] = {"state": Job, "event": JobEvent, "progress": Progress}
_END = "end"
_TIMEOUT = httpx.Timeout(60, connect=10)
"""The Brain says something, if only a comment, several times a minute."""


def follow(connection: Connection, job_id: str) -> Iterator[News]:
    """Yield the news of a job until it has ended, each entry of its history once.

    Raise `BrainUnreachable` when the line stays cut, and what else `Connection.stream` raises.
    """
    tries = Tries(PATIENT, connection.pause)
    last_id = ""
    while True:
        failure: BrainUnreachable | Refused = BrainUnreachable(connection.server, "the stream of news ended early")
        try:
            for event in _listen(connection, job_id, last_id):
                tries.got_somewhere()
                last_id = event.last_id
                if event.name == _END:
                    return
                if event.name in _KINDS:
                    yield _read(connection, event)
        except httpx.RequestError as error:
            failure = BrainUnreachable(connection.server, describe(error))
        except BrainUnreachable as error:
            failure = error
        except Refused as refusal:
            if refusal.status not in PASSING_STATUSES:
                raise
            failure = refusal
        tries.failed(failure)


def _listen(connection: Connection, job_id: str, last_id: str) -> Iterator[ServerEvent]:
    headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last_id} if last_id else {})}
    with connection.stream(f"/api/job/{job_id}/events", headers=headers, timeout=_TIMEOUT) as response:
        yield from parse_events(response.iter_bytes(), last_id=last_id)


def _read(connection: Connection, event: ServerEvent) -> News:
    try:
        return _KINDS[event.name].model_validate_json(event.data)
    except ValidationError:
        raise StrangeAnswer(connection.server, f"news of the kind {event.name} not understood") from None
