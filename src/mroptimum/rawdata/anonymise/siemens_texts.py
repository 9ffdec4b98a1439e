"""The texts of a Siemens header: XProtocol, ``<ParamString."name"> { "value" }``, and ASCCONV, ``name = "value"``.

What such a field holds is written elsewhere, too, where nobody would look for it: the name of a person in the name of a
protocol, the number of a visit in another number. So every value that is found is looked for in all other texts, and
of names their parts; only within quoted values, never in what the texts are built of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from mroptimum.rawdata.anonymise.blanks import Kind, Patch, is_filled, patch
from mroptimum.rawdata.patient_fields import RuleSet, rules

_PARAMETER = re.compile(rb'<Param(?:String|Long|Double|Array|Choice)\."(\w+)">[ \t\r\n]*\{')
_TOKEN = re.compile(rb'"([^"]*)"|<([^<>]*)>|([{}])|([^ \t\r\n"<>{}]+)')
_ASCCONV = re.compile(
    rb"^[ \t]*(?:[\w.\[\]]*\.)?([A-Za-z]\w*)(?:\[\d+\])?[ \t]*=[ \t]*([^\r\n]*?)[ \t]*\r?$", re.MULTILINE
)
_QUOTED = re.compile(rb'\."[^"\r\n]*"|"([^"\r\n]+)"')
_LARGEST_BODY = 2**16
"""A parameter whose braces do not close within so many bytes is damaged."""
_MOST_REPEATS = 256
_LONGEST_REPEAT = 4096
_WORD_BREAK = re.compile(rb"[^A-Za-z0-9\x80-\xff]+")


@dataclass(frozen=True, kw_only=True)
class Value:
    """One value of a field: its name, its bytes, where they begin in the text, and whether its parts identify, too."""

    field: str
    kind: Kind
    start: int
    content: bytes
    has_parts: bool = False


def patches_of_texts(
    texts: Sequence[tuple[int, bytes]], *, known: Sequence[Value] = (), loose: Sequence[tuple[int, bytes]] = ()
) -> Iterator[Patch]:
    """Yield what to write over the texts of all measurements of a file, each given with its position in it.

    `known` are values from elsewhere in the file, whose repetitions are looked for as well; `loose` are texts without
    quotes in which only repetitions are looked for.
    """
    found = [(position, value) for position, text in texts for value in _filled_values(text)]
    for position, value in found:
        yield from patch(value.field, value.kind, position + value.start, value.content)
    repeated = _repeated([*known, *(value for _, value in found)])
    if repeated is None:
        return
    name = rules()["twix"]["repeats"]["name"]
    patched = {position + value.start for position, value in found}
    quoted = [(position + q.start(1), q.group(1)) for position, text in texts for q in _QUOTED.finditer(text) if q[1]]
    for position, text in (*quoted, *loose):
        if position not in patched:
            for match in repeated.finditer(text):
                yield from patch(name, Kind.TEXT, position + match.start(), match.group())


def _filled_values(text: bytes) -> Iterator[Value]:
    seen: set[int] = set()
    for value in (*_xprotocol_values(text), *_ascconv_values(text)):
        if is_filled(value.kind, value.content) and value.start not in seen:
            seen.add(value.start)
            yield value


@cache
def _fields_of_xprotocol() -> RuleSet:
    return RuleSet(rules()["twix"]["xprotocol"])


@cache
def _fields_of_ascconv() -> RuleSet:
    return RuleSet(rules()["twix"]["ascconv"])


def _xprotocol_values(text: bytes) -> Iterator[Value]:
    position = 0
    while parameter := _PARAMETER.search(text, position):
        position = parameter.end()
        rule = _fields_of_xprotocol().of(parameter.group(1))
        if rule is None:
            continue
        name = parameter.group(1).decode("ascii", "replace")
        body = _body(text, position)
        for kind, start, end in body.values:
            yield Value(field=name, kind=kind, start=start, content=text[start:end], has_parts=rule.get("parts", False))
        position = body.end


@dataclass(frozen=True, kw_only=True)
class _Body:
    """Kind, start and end of the values between a parameter's braces, and where these close."""

    values: Sequence[tuple[Kind, int, int]]
    end: int


def _body(text: bytes, start: int) -> _Body:
    """Read up to the closing brace, parameters inside included; what only describes a parameter is no value."""
    values: list[tuple[Kind, int, int]] = []
    depth, describes, described_depth = 1, False, 0
    end = min(start + _LARGEST_BODY, len(text))
    for token in _TOKEN.finditer(text, start, end):
        quoted, tag, brace, word = token.groups()
        if tag is not None:
            # `<Visible> "true"` describes the parameter; `<Default>` is a value, `<ParamString."">` a parameter.
            describes = tag != b"Default" and not tag.startswith(b"Param")
        elif brace == b"{":
            depth += 1
            if describes and not described_depth:
                described_depth = depth
            describes = False
        elif brace == b"}":
            if depth == described_depth:
                described_depth = 0
            depth -= 1
            if depth == 0:
                return _Body(values=values, end=token.end())
        elif describes or described_depth:
            describes = False
        elif quoted is not None:
            values.append((Kind.TEXT, token.start(1), token.end(1)))
        elif word is not None:
            values.append((Kind.NUMBER, token.start(4), token.end(4)))
    return _Body(values=values, end=end)


def _ascconv_values(text: bytes) -> Iterator[Value]:
    for line in _ASCCONV.finditer(text):
        rule = _fields_of_ascconv().of(line.group(1))
        if rule is None:
            continue
        value = line.group(2)
        inner = value.strip(b'"')
        kind = Kind.TEXT if value.startswith(b'"') else Kind.NUMBER
        yield Value(
            field=line.group(1).decode("ascii", "replace"),
            kind=kind,
            start=line.start(2) + (value.find(inner) if inner else 0),
            content=inner,
            has_parts=rule.get("parts", False),
        )


def _repeated(values: Sequence[Value]) -> re.Pattern[bytes] | None:
    """Return what to look for in other texts, None if nothing is worth it."""
    rule = rules()["twix"]["repeats"]
    common = re.compile(rule["common_words"].encode(), re.IGNORECASE)
    wanted: set[bytes] = set()
    for value in values:
        if not is_filled(Kind.TEXT, value.content) or value.kind is not Kind.TEXT:
            continue
        if rule["whole_from"] <= len(value.content) <= _LONGEST_REPEAT and not common.fullmatch(value.content):
            wanted.add(value.content)
        if value.has_parts:
            parts = _WORD_BREAK.split(value.content)
            wanted.update(
                part
                for part in parts
                if rule["parts_from"] <= len(part) <= _LONGEST_REPEAT and not common.fullmatch(part)
            )
    longest_first = sorted(wanted, key=lambda part: (-len(part), part))[:_MOST_REPEATS]
    return re.compile(b"|".join(map(re.escape, longest_first)), re.IGNORECASE) if longest_first else None
