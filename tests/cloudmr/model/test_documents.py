from __future__ import annotations

import json
from typing import Any

import pytest

from bench import NOON
from cloudmr.model.documents import DocumentUnit, FrozenDocument, InputFile, JobDocument
from cloudmr.model.units import Mode, Provider

FROZEN = FrozenDocument(
    job_id="job_1",
    app_name="MR Optimum",
    alias="knee",
    task={"name": "ac"},
    output={"matlab": False},
    inputs=(InputFile(data_id="data_1", key="uploads/data_1", size_bytes=8, checksum="abc=-1"),),
    computing_unit=DocumentUnit(id="unit_1", mode=Mode.MODE_1, provider=Provider.CLOUDMRHUB),
)
CONTRACT: dict[str, Any] = {
    "schema_version": 1,
    "job_id": "job_1",
    "attempt": 2,
    "app_name": "MR Optimum",
    "alias": "knee",
    "task": {"name": "ac"},
    "output": {"matlab": False},
    "inputs": [{"data_id": "data_1", "bucket": "data", "key": "uploads/data_1", "size_bytes": 8, "checksum": "abc=-1"}],
    "results_prefix": "results/job_1/2",
    "failed_prefix": "failed/job_1/2",
    "computing_unit": {"id": "unit_1", "mode": "mode_1", "provider": "cloudmrhub"},
    "deadline_at": "2026-11-22T12:00:00Z",
}


def test_a_worker_fetches_the_contract() -> None:
    document = FROZEN.for_attempt(2, deadline_at=NOON)
    assert document.model_dump(mode="json") == CONTRACT
    assert JobDocument.parse(json.dumps(CONTRACT)) == document


def test_what_is_kept_has_one_text_and_comes_back_as_it_was() -> None:
    text = FROZEN.to_json()
    assert FrozenDocument.model_validate_json(text) == FROZEN
    assert FrozenDocument.model_validate_json(text).to_json() == text
    assert not {"attempt", "deadline_at", "results_prefix"} & json.loads(text).keys()


@pytest.mark.parametrize("body", ["", "[]", "{}", json.dumps(CONTRACT | {"schema_version": 2})])
def test_anything_else_is_no_document(body: str) -> None:
    with pytest.raises(ValueError, match="JobDocument"):
        JobDocument.parse(body)
