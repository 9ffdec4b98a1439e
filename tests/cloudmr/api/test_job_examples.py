"""The examples of the documentation are what the API takes and gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from cloudmr.api import data, job_bodies, job_plans, job_requests, notifications, quota, shares
from mroptimum.task import TaskDocument

MODULES = (data, job_bodies, job_plans, job_requests, notifications, quota, shares)


def examples() -> Iterator[tuple[type[BaseModel], Any]]:
    for module in MODULES:
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, BaseModel) and value.__module__ == module.__name__:
                extra: Any = value.model_config.get("json_schema_extra") or {}
                yield from ((value, example) for example in extra.get("examples", ()))


@pytest.mark.parametrize(("model", "example"), list(examples()), ids=lambda value: getattr(value, "__name__", ""))
def test_an_example_is_valid_and_whole(model: type[BaseModel], example: dict[str, Any]) -> None:
    dumped = model.model_validate(example).model_dump(mode="json", by_alias=True)
    if not model.__name__.endswith("Request"):
        assert dumped.keys() == example.keys()


def test_the_example_of_a_task_is_one() -> None:
    extra: Any = job_requests.JobRequest.model_config["json_schema_extra"]
    [example] = extra["examples"]
    TaskDocument.parse({"task": example["task"]})
