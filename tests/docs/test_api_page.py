from __future__ import annotations

import json
import re
from types import SimpleNamespace
from typing import Any, cast

from tools.api_document import PAGE, page

from cloudmr.api.app import build_app
from cloudmr.services.brain import Brain


def description() -> dict[str, Any]:
    return build_app(cast(Brain, SimpleNamespace(metrics=None)), local_storage=None).openapi()


def test_the_page_is_what_the_api_says_of_itself() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: python -m tools.api_document"


def test_every_body_has_an_example_and_every_operation_a_sentence() -> None:
    found = description()
    assert not [name for name, each in found["components"]["schemas"].items() if not _has_example(each)]
    operations = [operation for of_path in found["paths"].values() for operation in of_path.values()]
    assert all(operation["description"].strip() for operation in operations)
    assert all("422" not in operation["responses"] for operation in operations), "errors have one shape"


def _has_example(schema: dict[str, Any]) -> bool:
    return schema.get("type") != "object" or bool(schema.get("examples"))


def test_examples_are_json_and_links_lead_to_bodies() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL):
        json.loads(block)
    headings = {heading.lower() for heading in re.findall(r"^### (\w+)$", text, re.MULTILINE)}
    assert set(re.findall(r"\(#(\w+)\)", text)) <= headings
