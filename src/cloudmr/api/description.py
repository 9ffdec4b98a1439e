"""The API's description of itself (OpenAPI): every body with an example, and every error in the shape it has here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI

Schema = dict[str, Any]
_REFERENCE = "#/components/schemas/"
_ERROR = "ErrorAnswer"
_OF_THE_FRAMEWORK = ("HTTPValidationError", "ValidationError")
"""How errors of requests would be answered, if they were not answered as all others are."""
_ERROR_SCHEMA: Schema = {
    "type": "object",
    "title": _ERROR,
    "description": (
        "Why something was not done: `code` for programs, `message` and `next_step` for people. `error` repeats the "
        "message; `request_id` is what to tell the operator."
    ),
    "required": ["code", "message", "next_step", "error"],
    "properties": {
        name: {"type": "string", "title": name.replace("_", " ").capitalize()}
        for name in ("code", "message", "next_step", "error", "request_id")
    },
    "examples": [
        {
            "code": "not_found",
            "message": "There is no such job.",
            "next_step": "Check the id, and that you are signed in as its owner.",
            "error": "There is no such job.",
            "request_id": "req_5d41402abc4b2a76",
        }
    ],
}
_BY_FORMAT = {"date-time": "2026-11-22T12:05:10Z", "uri": "https://example.org"}
_BY_TYPE: Mapping[str, Any] = {"string": "…", "integer": 1, "number": 1.0, "boolean": False, "null": None, "object": {}}


def describe(app: FastAPI) -> None:
    """Have an application describe itself so."""
    by_the_framework = app.openapi

    def openapi() -> Schema:
        if app.openapi_schema is None:
            app.openapi_schema = _mended(by_the_framework())
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # the way that FastAPI documents


def _mended(description: Schema) -> Schema:
    schemas: dict[str, Schema] = description["components"]["schemas"]
    for name in _OF_THE_FRAMEWORK:
        schemas.pop(name, None)
    schemas[_ERROR] = _ERROR_SCHEMA
    error = {
        "description": "Why it was not done.",
        "content": {"application/json": {"schema": {"$ref": _REFERENCE + _ERROR}}},
    }
    for operations in description["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
            operation["responses"]["4XX"] = error
    for schema in schemas.values():
        if schema.get("type") == "object" and "examples" not in schema:
            schema["examples"] = [example_of(schema, schemas)]
    return description


def example_of(schema: Schema, schemas: Mapping[str, Schema]) -> Any:
    """Return what something of this schema may look like: as it says itself, else put together of its parts."""
    if examples := schema.get("examples"):
        return examples[0]
    match schema:
        case {"$ref": reference}:
            return example_of(schemas[reference.removeprefix(_REFERENCE)], schemas)
        case {"const": value} | {"enum": [value, *_]}:
            return value
        case {"anyOf": [first, *_]} | {"oneOf": [first, *_]} | {"allOf": [first, *_]}:
            return example_of(first, schemas)
        case {"type": "array"}:
            return [example_of(schema["items"], schemas)] if schema.get("items") else []
        case {"type": "object", "properties": properties}:
            return {name: example_of(each, schemas) for name, each in properties.items()}
        case {"format": form} if form in _BY_FORMAT:
            return _BY_FORMAT[form]
        case {"default": default} if default is not None:
            return default
        case {"type": kind}:
            return _BY_TYPE[kind]
        case _:
            return None
