from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from cloudmr.logs import LogFormat, configure_logging, job_id_in
from cloudmr.request_ids import current_request_id, request_id

JOB = "job_01jd3v6w0s8k2m4n6p8q0r2t4v"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """A stream that the process logs to; afterwards it logs as before."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    quiet = {name: logging.getLogger(name).level for name in ("httpx", "httpcore", "alembic")}
    yield io.StringIO()
    root.handlers[:], root.level = before[0], before[1]
    for name, level in quiet.items():
        logging.getLogger(name).setLevel(level)


def lines(stream: io.StringIO) -> list[str]:
    return stream.getvalue().splitlines()


def test_a_line_of_json_names_the_request_and_the_job(stream: io.StringIO) -> None:
    configure_logging(format_=LogFormat.JSON, level="INFO", stream=stream)
    token = current_request_id.set("request-1")
    logging.getLogger("cloudmr.x").info("%s-1 %s", JOB, "was started", extra={"fields": {"route": "/api/job/{job_id}"}})
    current_request_id.reset(token)
    [line] = lines(stream)
    value = json.loads(line)
    assert value.pop("time").endswith("+00:00")
    assert value == {
        "level": "info",
        "logger": "cloudmr.x",
        "message": f"{JOB}-1 was started",
        "request_id": "request-1",
        "job_id": JOB,
        "route": "/api/job/{job_id}",
    }


def test_an_exception_stays_in_its_line_of_json(stream: io.StringIO) -> None:
    configure_logging(format_=LogFormat.JSON, level="INFO", stream=stream)
    try:
        raise ValueError("two\nlines")
    except ValueError:
        logging.getLogger("cloudmr.x").exception("it failed")
    [line] = lines(stream)
    assert "two\nlines" in json.loads(line)["exception"]


def test_text_is_one_line_whatever_is_said(stream: io.StringIO) -> None:
    configure_logging(format_=LogFormat.TEXT, level="INFO", stream=stream)
    logging.getLogger("cloudmr.x").warning("a\nb\x1b[31m", extra={"fields": {"seconds": 0.1, "route": "/x"}})
    [line] = lines(stream)
    assert line.endswith("WARNING cloudmr.x: a b [31m seconds=0.1")


def test_what_is_less_than_the_level_is_left_out(stream: io.StringIO) -> None:
    configure_logging(format_=LogFormat.TEXT, level="WARNING", stream=stream)
    logging.getLogger("cloudmr.x").info("no")
    logging.getLogger("cloudmr.x").warning("yes")
    assert len(lines(stream)) == 1


@pytest.mark.parametrize("level", ["DEBUG", "INFO"])
def test_libraries_do_not_tell_the_addresses_they_ask(stream: io.StringIO, level: str) -> None:
    configure_logging(format_=LogFormat.TEXT, level=level, stream=stream)
    logging.getLogger("httpx").info("HTTP Request: PUT http://x/objects/data?signature=secret")
    logging.getLogger("httpcore.http11").debug("send_request_headers.started signature=secret")
    assert lines(stream) == []


@pytest.mark.parametrize(("message", "job"), [(f"{JOB} ended", JOB), (f"x {JOB}-12: y", JOB), ("job_1", None)])
def test_the_job_of_a_message(message: str, job: str | None) -> None:
    assert job_id_in(message) == job


@pytest.mark.parametrize("given", ["abcd-1234", "Root=1-67891233-abcdef012345678912345678"])
def test_an_id_that_somebody_gave_is_kept_if_it_is_one(given: str) -> None:
    assert (request_id(given) == given) == ("=" not in given)


@pytest.mark.parametrize("given", [None, "", "short", "x" * 65, "a b c d e f g", "line\nbreak--", "é" * 10])
def test_another_is_given_in_place_of_what_is_none(given: str | None) -> None:
    made = request_id(given)
    assert made != given
    assert len(made) == 16
