"""The shipped template, as far as it is read: the same as a reader of YAML finds, and in every installation."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from aws_stacks import TEMPLATE
from cloudmr.deploy.template import NAME, TemplateMissing, find_template
from code_blocks import ROOT
from unit_template import unit_template


def test_names_types_defaults_and_conditions_are_those_of_the_template() -> None:
    found, template = find_template(), unit_template()
    assert found.text == TEMPLATE.read_text()
    assert found.parameters == {
        name: str(parameter.get("Default", "")) for name, parameter in template["Parameters"].items()
    }
    assert {name: (each.type, each.condition) for name, each in found.resources.items()} == {
        name: (each["Type"], each.get("Condition", "")) for name, each in template["Resources"].items()
    }
    assert found.conditions.keys() == template["Conditions"].keys()


def test_what_is_made_follows_the_conditions() -> None:
    usual = find_template().made_with({"CloudMRUserToken": "given"})
    assert {"DataBucket", "SecurityGroup", "Preparation", "Registration"} <= usual.keys()
    assert not {"AuditTrailLog", "Budget"} & usual.keys()
    own = {"DataBucketName": "mine", "SecurityGroupId": "sg-1", "AuditTrail": "true", "ExternalId": "x"}
    made = find_template().made_with(own)
    assert "AuditTrailLog" in made
    assert not {"DataBucket", "DataBucketPolicy", "SecurityGroup", "Preparation", "Registration"} & made.keys()


def test_every_installation_has_it() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    included = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included[f"mode2-deployment/{NAME}"] == f"cloudmr/deploy/{NAME}"


def test_one_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TemplateMissing, match=r"another\.yaml is not there"):
        find_template(tmp_path / "another.yaml")
