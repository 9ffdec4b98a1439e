"""The log of a Brain: lines for people, or JSON for programs, each with the request and the job that it is about."""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from enum import StrEnum
from typing import TextIO

from cloudmr.request_ids import current_request_id

_JOB = re.compile(r"job_[0-7][0-9a-hjkmnp-tv-z]{25}")
_QUIET = ("httpx", "httpcore", "botocore", "boto3", "urllib3", "alembic")
"""They tell addresses, of signed requests among them, or what nobody asked for."""


class LogFormat(StrEnum):
    """How lines look."""

    TEXT = "text"
    """For people."""
    JSON = "json"
    """One JSON object a line."""


def configure_logging(*, format_: LogFormat, level: str, stream: TextIO | None = None) -> None:
    """Have the process log to standard error (or `stream`) what is of this level or worse, but for libraries' talk."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if format_ is LogFormat.JSON else TextLines())
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level]))


class TextLines(logging.Formatter):
    """Time, level, logger, message; the request's id at the end."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a line."""
        message = "".join(character if character.isprintable() else " " for character in record.getMessage())
        fields = getattr(record, "fields", {})
        more = {name: value for name, value in fields.items() if name in {"bytes", "seconds"}}
        ids = {"request": current_request_id.get()}
        tail = "".join(f" {name}={value}" for name, value in (more | ids).items() if value is not None)
        line = f"{_time(record)} {record.levelname:7} {record.name}: {message}{tail}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonLines(logging.Formatter):
    """The same as an object: `request_id` and `job_id` where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a line."""
        value: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": current_request_id.get(),
            "job_id": job_id_in(record.getMessage()),
        }
        value |= getattr(record, "fields", {})
        if record.exc_info:
            value["exception"] = self.formatException(record.exc_info)
        return json.dumps({name: each for name, each in value.items() if each is not None})


def job_id_in(message: str) -> str | None:
    """Return the job that a message is about: messages begin with its id, or with that of its execution."""
    found = _JOB.search(message)
    return found[0] if found else None


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
