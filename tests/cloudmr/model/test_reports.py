from __future__ import annotations

import json

import pytest

from cloudmr.errors import InvalidRequest
from cloudmr.model.reports import MAX_BODY_BYTES, Report, ReportedError, ReportedEvent, ReportedProgress

REPORT = Report(
    job_id="job_1",
    attempt=1,
    event=ReportedEvent.PROGRESS,
    sequence=3,
    progress=ReportedProgress(step="reconstruct", done=2, total=5, message="Slice 2 of 5"),
)


def test_a_report_survives_its_way() -> None:
    assert Report.parse(REPORT.to_bytes()) == REPORT


def test_the_body_is_the_contract() -> None:
    body = json.loads(Report(job_id="job_1", attempt=1, event=ReportedEvent.SUCCEEDED, sequence=9).to_bytes())
    assert body == {"schema": 1, "job_id": "job_1", "attempt": 1, "event": "succeeded", "sequence": 9}


def test_a_later_schema_with_more_fields_is_still_heard() -> None:
    assert Report.parse(REPORT.to_bytes()[:-1] + b',"colour":"red"}') == REPORT


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"schema":2,"job_id":"job_1","attempt":1,"event":"succeeded","sequence":1}',
        b'{"schema":1,"job_id":"job_1","attempt":0,"event":"succeeded","sequence":1}',
        b'{"schema":1,"job_id":"job_1","attempt":1,"event":"exploded","sequence":1}',
        b'{"schema":1,"job_id":"job_1","attempt":1,"event":"succeeded","sequence":1,"manifest_sha256":"x"}',
    ],
)
def test_anything_else_is_refused_with_the_place(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        Report.parse(body)


def test_an_error_of_any_length_fits_into_a_report() -> None:
    error = ReportedError.of({"code": "c" * 10**5, "message": "ä" * 10**5, "next_step": "\N{SNOWMAN}" * 10**5})
    body = Report(job_id="job_1", attempt=1, event=ReportedEvent.FAILED, sequence=1, error=error).to_bytes()
    assert len(body) <= MAX_BODY_BYTES
