"""Whole lists as files: CSV for spreadsheets, JSON for programs, row by row, however long they are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum

from fastapi.responses import StreamingResponse

from cloudmr.model.csv_text import csv_lines


class ExportFormat(StrEnum):
    """What a list is exported as."""

    CSV = "csv"
    """A table with a heading."""
    JSON = "json"
    """A list of objects."""


_MEDIA_TYPES = {ExportFormat.CSV: "text/csv; charset=utf-8", ExportFormat.JSON: "application/json"}

Row = Mapping[str, str | int | float | bool | None]


def exported(
    rows: Iterable[Row], columns: Sequence[str], export_format: ExportFormat, *, name: str
) -> StreamingResponse:
    """Return rows of these columns as a file to save, called `name` and what it is."""
    content = _csv(rows, columns) if export_format is ExportFormat.CSV else _json(rows, columns)
    return StreamingResponse(
        content,
        media_type=_MEDIA_TYPES[export_format],
        headers={"Content-Disposition": f'attachment; filename="{name}.{export_format}"'},
    )


def _csv(rows: Iterable[Row], columns: Sequence[str]) -> Iterator[str]:
    return csv_lines(columns, ([row[column] for column in columns] for row in rows))


def _json(rows: Iterable[Row], columns: Sequence[str]) -> Iterator[str]:
    before = "["
    for row in rows:
        yield before + json.dumps({column: row[column] for column in columns})
        before = ",\n"
    yield "[]" if before == "[" else "]"
