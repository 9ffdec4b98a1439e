"""ISMRMRD: the values of the XML header, where it lies in the HDF5 file.

HDF5 keeps a text of variable length as bytes in a heap, and one of fixed length in the dataset itself; neither has a
checksum, so that values can be overwritten there and every other byte of the file stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from xml.etree import ElementTree as ET

from mroptimum.rawdata.anonymise.blanks import Kind, Patch, is_filled, patch
from mroptimum.rawdata.patient_fields import Rule, RuleSet, rules

_ELEMENT = re.compile(rb"<(?:[\w.-]+:)?(\w+)(?:[ \t\r\n][^<>]*)?>([^<]+)</")
_PARAMETER = re.compile(
    rb"<(?:[\w.-]+:)?name>[ \t\r\n]*([^<]*?)[ \t\r\n]*</(?:[\w.-]+:)?name>[ \t\r\n]*<(?:[\w.-]+:)?value>([^<]+)</"
)


@dataclass(frozen=True, kw_only=True)
class HeaderText:
    """An XML header and where it begins in the file."""

    position: int
    content: bytes


def header_patches(header: HeaderText) -> Iterator[Patch]:
    """Yield what to write over a header so that it identifies nobody."""
    for element in _ELEMENT.finditer(header.content):
        if rule := _elements().of(element.group(1)):
            yield from _patch(header, rule, element.group(1), element.start(2), element.group(2))
    for parameter in _PARAMETER.finditer(header.content):
        if rule := _parameters().of(parameter.group(1)):
            yield from _patch(header, rule, parameter.group(1), parameter.start(2), parameter.group(2))


def filled_elements(root: ET.Element) -> tuple[str, ...]:
    """Return the names of the filled elements of a parsed header, its tags without namespace."""
    texts = [(element.tag, element.text or "", _elements()) for element in root.iter()]
    for parameter in root.iter():
        name, value = parameter.findtext("name"), parameter.findtext("value")
        if name and value:
            texts.append((name.strip(), value, _parameters()))
    return tuple(sorted({name for name, text, fields in texts if _identifies(name, text, fields)}))


def _identifies(name: str, text: str, fields: RuleSet) -> bool:
    rule = fields.of(name.encode("utf-8", "replace"))
    return rule is not None and is_filled(_kind(rule), text.strip().encode("utf-8", "replace"))


def _kind(rule: Rule) -> Kind:
    return Kind(rule.get("kind", Kind.TEXT))


def _patch(header: HeaderText, rule: Rule, name: bytes, start: int, value: bytes) -> Iterator[Patch]:
    inner = value.strip(b" \t\r\n")
    at = header.position + start + value.find(inner)
    yield from patch(name.decode("ascii", "replace"), _kind(rule), at, inner)


@cache
def _elements() -> RuleSet:
    return RuleSet(rules()["ismrmrd"])


@cache
def _parameters() -> RuleSet:
    return RuleSet(rules()["ismrmrd_parameters"])
