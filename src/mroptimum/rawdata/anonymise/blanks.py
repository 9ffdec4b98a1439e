"""What takes the place of a value that could identify a person: bytes of the same length that say nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from mroptimum.rawdata.patient_fields import rules


class Kind(StrEnum):
    """What a value is; the rule file says in words what becomes of each."""

    TEXT = "text"
    """Free text or a name."""
    CODE = "code"
    """A word in capital letters (DICOM CS)."""
    NUMBER = "number"
    """A decimal number in text."""
    AGE = "age"
    """Three digits and a unit (DICOM AS)."""
    DATE = "date"
    """A day, with or without dashes."""
    TIME = "time"
    """A time of day."""
    INSTANT = "instant"
    """Day and time in one (DICOM DT)."""
    SEX = "sex"
    """One letter, of which O is for neither (ISMRMRD)."""
    UID = "uid"
    """A DICOM identifier: numbers between points."""
    BYTES = "bytes"
    """Binary, or of an unknown kind."""
    BASE64 = "base64"
    """Bytes written as text."""


@dataclass(frozen=True, kw_only=True)
class Patch:
    """Bytes to write over a value of a field, at a position in the file; as many as the value has."""

    field: str
    kind: Kind
    position: int
    content: bytes


_WHITE = b" \t\r\n"
_BLANK = re.compile(b"[" + re.escape(rules()["blank_characters"].encode()) + b'\r\n"]*')
_DASHED_DATE, _PLAIN_DATE, _NO_AGE = b"1900-01-01", b"19000101", b"000Y"


def blank(kind: Kind, value: bytes) -> bytes:
    """Return what a value becomes; of what this gives, it gives the same again."""
    return _BLANKS[kind](value)


def is_filled(kind: Kind, value: bytes) -> bool:
    """Return whether a value says anything: one that was blanked, here or by somebody with x and 0, does not."""
    if kind in (Kind.BYTES, Kind.BASE64):
        return blank(kind, value) != value
    return _BLANK.fullmatch(value.rstrip(b"\0")) is None and blank(kind, value) != value


def patch(field: str, kind: Kind, position: int, value: bytes) -> Iterable[Patch]:
    """Yield what to write over a value, nothing if it is not filled."""
    if is_filled(kind, value):
        yield Patch(field=field, kind=kind, position=position, content=blank(kind, value))


def names_of(patches: Iterable[Patch]) -> tuple[str, ...]:
    """Return the names of the fields that are filled, in alphabetical order."""
    return tuple(sorted({of_field.field for of_field in patches}))


def _every(character: bytes, *, but: bytes = b"") -> Callable[[bytes], bytes]:
    table = bytes(byte if byte in but else character[0] for byte in range(256))
    return lambda value: value.translate(table)


_number = _every(b"0", but=_WHITE + b".")
_time = _every(b"0", but=_WHITE + b".:")


def _age(value: bytes) -> bytes:
    return _NO_AGE if len(value) == len(_NO_AGE) else _number(value)


def _date(value: bytes) -> bytes:
    return {len(_DASHED_DATE): _DASHED_DATE, len(_PLAIN_DATE): _PLAIN_DATE}.get(len(value)) or _number(value)


def _instant(value: bytes) -> bytes:
    n = len(_PLAIN_DATE)
    return _PLAIN_DATE + _time(value[n:]) if len(value) >= n else _number(value)


def _uid(value: bytes) -> bytes:
    """Keep the points, so that what is left still is an identifier."""
    number = value.rstrip(b"\0 ")
    components = (b"1".ljust(len(part), b"0") if len(part) > 1 else b"0" * len(part) for part in number.split(b"."))
    return b".".join(components) + value[len(number) :]


_BLANKS: dict[Kind, Callable[[bytes], bytes]] = {
    Kind.TEXT: _every(b"x"),
    Kind.CODE: _every(b"X"),
    Kind.NUMBER: _number,
    Kind.AGE: _age,
    Kind.DATE: _date,
    Kind.TIME: _time,
    Kind.INSTANT: _instant,
    Kind.SEX: _every(b"O"),
    Kind.UID: _uid,
    Kind.BYTES: _every(b"\0"),
    Kind.BASE64: _every(b"A", but=_WHITE + b"="),
}
