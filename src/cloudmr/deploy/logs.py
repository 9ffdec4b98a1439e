"""What a unit wrote into its logs: of its workers, its functions, and the events of its stack."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cloudmr.aws.said import AwsSaid
from cloudmr.deploy.account import Asks, stack_resources
from cloudmr.deploy.explain import explain_refusal

_LOGS = "AWS::Logs::LogGroup"
_EVERY_S = 3.0


@dataclass(frozen=True, kw_only=True)
class LogLine:
    """One line: when, by whom (the log's stream), what."""

    id: str
    at: datetime
    stream: str
    text: str


def log_groups(aws: Asks, stack_name: str) -> tuple[str, ...]:
    """Return the log groups of a stack. Raise `AwsSaid`."""
    return tuple(each.physical_id for each in stack_resources(aws, stack_name) if each.type == _LOGS)


def log_lines(aws: Asks, stack_name: str, *, since: timedelta, of: str | None = None) -> Iterator[LogLine]:
    """Yield what was written since, in the order of time; `of` is a word that must be in it, such as a job's id.

    Raise `StandsInTheWay`, `AwsRefused`.
    """
    began = datetime.now(UTC) - since
    try:
        found = [line for group in log_groups(aws, stack_name) for line in _lines(aws, group, began, of)]
    except AwsSaid as refusal:
        raise explain_refusal(refusal) from refusal
    yield from sorted(found, key=lambda line: (line.at, line.id))


def follow_logs(aws: Asks, stack_name: str, *, since: timedelta, of: str | None = None) -> Iterator[LogLine]:
    """Yield what was written since, and what is written from now on, until nobody listens any more."""
    told: set[str] = set()
    while True:
        for line in log_lines(aws, stack_name, since=since, of=of):
            if line.id not in told:
                told.add(line.id)
                yield line
        time.sleep(_EVERY_S)


def _lines(aws: Asks, group: str, began: datetime, of: str | None) -> Iterator[LogLine]:
    wanted = {"filterPattern": f'"{of}"'} if of else {}
    events = aws.pages(
        "logs",
        "filter_log_events",
        "events",
        logGroupName=group,
        startTime=int(began.timestamp() * 1000),
        **wanted,
    )
    for event in events:
        yield LogLine(
            id=event.get("eventId") or f"{event['timestamp']}{event['message']}",
            at=datetime.fromtimestamp(event["timestamp"] / 1000, UTC),
            stream=event.get("logStreamName", ""),
            text=event["message"].rstrip("\n"),
        )
