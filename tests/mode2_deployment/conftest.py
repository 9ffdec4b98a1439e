"""The functions of the template, twice: as they lie beside it, and as they stand in it."""

from __future__ import annotations

from types import ModuleType

import pytest

from aws_stacks import TEMPLATE
from unit_template import embedded_code

BESIDE, INSIDE = "beside the template", "in the template"


def _module(name: str, code: str) -> ModuleType:
    module = ModuleType(name)
    exec(compile(code, name, "exec"), module.__dict__)
    return module


@pytest.fixture(params=[BESIDE, INSIDE])
def registration(request: pytest.FixtureRequest) -> ModuleType:
    """Answers CloudFormation; it does not wait between tries."""
    beside = request.param == BESIDE
    code = (TEMPLATE.parent / "functions" / "registration.py").read_text()
    module = _module("registration", code if beside else embedded_code("RegistrationFunction"))
    module.__dict__["pause"] = lambda _seconds: None
    return module


@pytest.fixture(params=[BESIDE, INSIDE])
def callback(request: pytest.FixtureRequest) -> ModuleType:
    """Tells the Brain of ends."""
    beside = request.param == BESIDE
    code = (TEMPLATE.parent / "functions" / "callback.py").read_text()
    return _module("callback", code if beside else embedded_code("CallbackFunction"))
