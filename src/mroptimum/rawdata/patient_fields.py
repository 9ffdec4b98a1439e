"""Names of the header fields that could identify a person, by the rules in `patient_fields.json`.

Only names leave this module. A value is looked at to see whether the field is filled, and forgotten.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import TypedDict

_XPROTOCOL_FIELD = re.compile(r'<Param(?:String|Long|Double)\."(\w+)">\s*\{([^{}]{0,4000})\}')
_XPROTOCOL_ATTRIBUTE = re.compile(r'<\w+>\s*(?:"[^"]*"|[^\s"<]+)')
_ASCCONV_FIELD = re.compile(r"^[ \t]*([A-Za-z]\w*)[ \t]*=[ \t]*(.*?)[ \t]*$", re.MULTILINE)


class _Rule(TypedDict):
    name: str
    why: str


class _Table(TypedDict):
    name: str
    offset: int
    bytes: int


class _TwixRules(TypedDict):
    xprotocol: list[_Rule]
    ascconv: list[_Rule]
    measurement_table: _Table


class Rules(TypedDict):
    """The rule file as it is."""

    version: int
    about: str
    blank_characters: str
    twix: _TwixRules
    ismrmrd: list[_Rule]


@cache
def rules() -> Rules:
    """Return the rule file."""
    text = resources.files("mroptimum.rawdata").joinpath("patient_fields.json").read_text(encoding="utf-8")
    loaded: Rules = json.loads(text)
    return loaded


def filled_twix_fields(texts: Iterable[Mapping[str, str]], table_fields: Iterable[bytes]) -> tuple[str, ...]:
    """Return the names of filled fields in the header texts of all measurements and in the measurement table."""
    twix = rules()["twix"]
    xprotocol, ascconv = _whole(twix["xprotocol"]), _whole(twix["ascconv"])
    names: set[str] = set()
    for measurement in texts:
        for text in measurement.values():
            for name, raw in _XPROTOCOL_FIELD.findall(text):
                if xprotocol.fullmatch(name) and is_filled(_XPROTOCOL_ATTRIBUTE.sub(" ", raw)):
                    names.add(name)
            for name, value in _ASCCONV_FIELD.findall(text):
                if ascconv.fullmatch(name) and is_filled(value):
                    names.add(name)
    if any(is_filled(field.rstrip(b"\0").decode("latin-1")) for field in table_fields):
        names.add(twix["measurement_table"]["name"])
    return tuple(sorted(names))


def filled_ismrmrd_fields(values: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return the names of filled fields among (element name, text) pairs of an ISMRMRD header."""
    pattern = _whole(rules()["ismrmrd"])
    return tuple(sorted({name for name, value in values if pattern.fullmatch(name) and is_filled(value)}))


def is_filled(value: str) -> bool:
    """Whether a value says anything: one of only x, 0 and punctuation was blanked."""
    return bool(value.replace('"', "").strip().strip(rules()["blank_characters"]))


def _whole(rule_list: Iterable[_Rule]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{rule['name']})" for rule in rule_list), re.IGNORECASE)
