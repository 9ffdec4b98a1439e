from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from cloudmr.compute.base import ExecutionRequest, Resources
from cloudmr.compute.execution_input import parse_input, to_input
from cloudmr.model.platforms import LAMBDA_SIZE, Platform

GIB = 2**30
REQUEST = ExecutionRequest(
    job_id="job_01jd3v6w0s8k2m4n6p8q0r2t4v",
    attempt=2,
    document_url="https://brain/document?attempt=2",
    callback_url="https://brain/callback",
    progress_url="https://brain/progress",
    key_id="0a1b2c",
    secret="5ec2e7",
    resources=Resources(memory_bytes=9 * GIB, cpu_time_s=4 * 3600, disk_bytes=30 * GIB, deadline_s=3600),
    platform=Platform.FARGATE,
)


def fields_of(request: ExecutionRequest) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(to_input(request))
    return fields


def test_the_input_is_the_one_that_was_agreed_on() -> None:
    assert to_input(REQUEST) == (
        '{"attempt":2,"callback_url":"https://brain/callback","deadline_s":3600,"disk_gib":30,'
        '"document_url":"https://brain/document?attempt=2","job_id":"job_01jd3v6w0s8k2m4n6p8q0r2t4v","key_id":"0a1b2c",'
        '"memory_mib":9216,"platform":"fargate","progress_url":"https://brain/progress","schema_version":1,'
        '"secret":"5ec2e7","vcpu":4}'
    )


def test_it_is_read_as_it_was_written() -> None:
    assert parse_input(to_input(REQUEST)) == parse_input(json.loads(to_input(REQUEST))) == REQUEST


@pytest.mark.parametrize(
    ("memory_bytes", "memory_mib", "vcpu"),
    [
        (LAMBDA_SIZE.memory_bytes, 8192, 4),  # where a job goes on after Lambda
        (30 * GIB + 1, 32768, 8),
        (61 * GIB, 65536, 16),
        (1000 * GIB, 122880, 16),
    ],
)
def test_sizes_are_those_that_fargate_has(memory_bytes: int, memory_mib: int, vcpu: int) -> None:
    fields = fields_of(replace(REQUEST, resources=replace(REQUEST.resources, memory_bytes=memory_bytes)))
    assert (fields["memory_mib"], fields["vcpu"]) == (memory_mib, vcpu)


@pytest.mark.parametrize(("disk_bytes", "disk_gib"), [(1, 21), (21 * GIB + 1, 22), (1000 * GIB, 200)])
def test_disks_are_those_that_fargate_has(disk_bytes: int, disk_gib: int) -> None:
    fields = fields_of(replace(REQUEST, resources=replace(REQUEST.resources, disk_bytes=disk_bytes)))
    assert fields["disk_gib"] == disk_gib


@pytest.mark.parametrize(
    "given",
    ["", "{}", "[]", '{"schema_version":1}', json.dumps({**fields_of(REQUEST), "schema_version": 2})],
)
def test_anything_else_is_refused_without_repeating_it(given: str) -> None:
    with pytest.raises(ValueError, match="no input of an execution") as refused:
        parse_input(given)
    assert "5ec2e7" not in str(refused.value)
