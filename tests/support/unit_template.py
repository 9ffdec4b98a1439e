"""Templates as values, that of a computing unit first, with short forms (`!Ref`) written out as CloudFormation does."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from aws_stacks import TEMPLATE


class _Loader(yaml.SafeLoader):
    pass


def _written_out(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    match node:
        case yaml.ScalarNode():
            value: Any = loader.construct_scalar(node)
        case yaml.SequenceNode():
            value = loader.construct_sequence(node, deep=True)
        case yaml.MappingNode():
            value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _written_out)


@cache
def unit_template() -> Any:
    """Return the shipped template, to be read only: reading YAML takes a second."""
    return read_template(TEMPLATE)


def read_template(path: Path) -> Any:
    """Return any template as a value."""
    return yaml.load(path.read_text(), _Loader)


def embedded_code(resource: str) -> str:
    """Return the program of a function that stands in the template."""
    code: str = unit_template()["Resources"][resource]["Properties"]["Code"]["ZipFile"]
    return code
