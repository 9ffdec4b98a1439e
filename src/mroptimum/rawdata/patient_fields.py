"""The rules in `patient_fields.json`: which header fields can identify a person, and what takes a value's place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import NotRequired, TypedDict


class Rule(TypedDict):
    """Names of fields as a pattern, why they are there, what their value is, and whether its parts identify, too."""

    name: str
    why: str
    kind: NotRequired[str]
    parts: NotRequired[bool]


class Place(TypedDict):
    """A field at a fixed place."""

    name: str
    offset: int
    bytes: int


class Repeats(TypedDict):
    """How values are looked for in other texts: the fewest characters of a whole value and of a part of a name."""

    name: str
    whole_from: int
    parts_from: int
    common_words: str


class TwixRules(TypedDict):
    """Siemens TWIX."""

    xprotocol: list[Rule]
    ascconv: list[Rule]
    measurement_table: Place
    measurement_table_protocol: dict[str, int]
    repeats: Repeats


class DicomElement(TypedDict):
    """An element by its tag `gggg,eeee`; `x` stands for any digit of a private one."""

    tag: str
    name: str
    vr: NotRequired[str]
    why: NotRequired[str]
    creator: NotRequired[str]


class DicomRules(TypedDict):
    """DICOM: what is kept; everything else goes."""

    kinds: dict[str, list[str]]
    keep: list[DicomElement]
    keep_private: list[DicomElement]
    blank: list[DicomElement]


class NiftiRules(TypedDict):
    """NIfTI: fields of text in both versions of the header."""

    nifti1: list[Place]
    nifti2: list[Place]
    extensions: str


class Rules(TypedDict):
    """The rule file as it is."""

    version: int
    about: str
    blank_characters: str
    kinds: dict[str, str]
    twix: TwixRules
    ismrmrd: list[Rule]
    ismrmrd_parameters: list[Rule]
    dicom: DicomRules
    nifti: NiftiRules
    bart: list[Rule]


@cache
def rules() -> Rules:
    """Return the rule file."""
    text = resources.files("mroptimum.rawdata").joinpath("patient_fields.json").read_text(encoding="utf-8")
    loaded: Rules = json.loads(text)
    return loaded


class RuleSet:
    """Rules looked up by the name of a field."""

    def __init__(self, rule_list: Iterable[Rule]) -> None:
        self._rules = [(re.compile(rule["name"].encode(), re.IGNORECASE), rule) for rule in rule_list]
        self._any = re.compile(b"|".join(b"(?:%s)" % pattern.pattern for pattern, _ in self._rules), re.IGNORECASE)

    def of(self, name: bytes) -> Rule | None:
        """Return the rule for a field, None for a field that identifies nobody."""
        if not self._any.fullmatch(name):
            return None
        return next(rule for pattern, rule in self._rules if pattern.fullmatch(name))
