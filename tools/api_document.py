"""Write docs/api.md anew, from the API's description of itself (`python -m tools.api_document`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from cloudmr.api import compatibility
from cloudmr.api.app import build_app
from cloudmr.model.tokens import Scope
from cloudmr.services.brain import Brain

PAGE = Path(__file__).parents[1] / "docs" / "api.md"
_INTRODUCTION = """\
# HTTP API

What CloudMR Brain answers, made of its own description of itself (`GET /openapi.json`) by
`python -m tools.api_document`. `cloudmr` and [the client for scripts](scripting.md) speak it for you.

- JSON, UTF-8. Requests are read in camelCase and snake_case; answers are in the one their noun has here.
- `Authorization: Bearer TOKEN` where a token is needed: the `access_token` of a login (`id_token` is its other
  name), or a personal token (`POST /api/token`) as far as its scope goes.
- Every path also answers with `/Prod` before it.
- A refusal has a status of 4XX and always the same body ([ErrorAnswer](#erroranswer)); 429 and 503 come with
  `Retry-After`.
- Lists are paged: give the `next` of one page as `before` for the one after it.
- A `POST /api/job` with an `Idempotency-Key` is one job, however often it is sent.
- Messages from units (`callback`, `progress`, `document`) are signed per attempt: `X-CloudMR-Key-Id`,
  `X-CloudMR-Timestamp`, `X-CloudMR-Signature: v1=HEX`, which is an HMAC-SHA256 over
  `v1\\n{timestamp}\\n{job_id}\\n{attempt}\\n{sha256 of the body}`.
"""


def page() -> str:
    """Return the document."""
    # The description is the same whatever Brain it is of, and none is needed to write it.
    description = build_app(cast(Brain, SimpleNamespace(metrics=None)), local_storage=None).openapi()
    lines = [_INTRODUCTION]
    for tag, operations in _by_tag(description["paths"]).items():
        lines.append(f"## {tag.capitalize()}\n")
        for path, method, operation in operations:
            lines += _operation(path, method, operation)
    lines.append("## Bodies\n")
    for name, schema in sorted(description["components"]["schemas"].items()):
        lines += _body(name, schema)
    lines += _existing_clients()
    return "\n".join(lines).rstrip("\n") + "\n"


def _by_tag(paths: Mapping[str, Any]) -> dict[str, list[tuple[str, str, Any]]]:
    found: dict[str, list[tuple[str, str, Any]]] = {}
    for path, operations in paths.items():
        for method, operation in operations.items():
            found.setdefault(operation["tags"][0], []).append((path, method.upper(), operation))
    return found


def _operation(path: str, method: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f"### `{method} {path}`\n"
    yield f"{operation['description']}\n"
    facts = [_need(operation)]
    if body := operation.get("requestBody"):
        facts.append(f"takes {_kinds(body['content'])}")
    for status, answer in operation["responses"].items():
        if status != "4XX":
            facts.append(f"answers {status} {_kinds(answer.get('content', {}))}".rstrip())
    yield f"*{'; '.join(facts)}.*\n"
    parameters = operation.get("parameters", ())
    for parameter in parameters:
        need = "" if parameter["in"] == "path" else ", needed" if parameter.get("required") else ""
        meaning = parameter.get("description", "")
        yield f"- `{parameter['name']}` ({parameter['in']}, {_kind(parameter['schema'])}{need}) {meaning}".rstrip()
    if parameters:
        yield ""


def _need(operation: Mapping[str, Any]) -> str:
    """Return who may ask: whose token is good for which scope."""
    scopes = [scope for scheme in operation.get("security", ()) for each in scheme.values() for scope in each]
    match scopes:
        case []:
            return "needs no token"
        case [Scope.ACCOUNT]:
            return "needs the token of a login"
        case _:
            return f"needs a token good for {' or '.join(f'`{scope}`' for scope in scopes)}"


def _kinds(content: Mapping[str, Any]) -> str:
    return " or ".join(
        _kind(found["schema"]) if form == "application/json" and found.get("schema") else f"`{form}`"
        for form, found in content.items()
    )


def _kind(schema: Mapping[str, Any]) -> str:
    match schema:
        case {"$ref": reference}:
            name = str(reference).rpartition("/")[2]
            return f"[{name}](#{name.lower()})"
        case {"anyOf": kinds}:
            return " or ".join(_kind(kind) for kind in kinds)
        case {"const": value}:
            return f"`{json.dumps(value)}`"
        case {"enum": values} if isinstance(values, list):
            return " or ".join(f"`{value}`" for value in values)
        case {"type": "array", "items": items}:
            return f"list of {_kind(items)}"
        case {"type": "null"}:
            return "null"
        case {"format": form} if form in {"date-time", "uuid"}:
            return str(form)
        case {"type": kind}:
            return str(kind)
        case _:
            return "anything"


def _body(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    yield f"### {name}\n"
    if meaning := schema.get("description"):
        yield f"{meaning}\n"
    if schema.get("type") != "object":
        yield f"{_kind({key: value for key, value in schema.items() if key != 'description'})}\n"
        return
    needed = schema.get("required", ())
    if properties := schema.get("properties"):
        yield "| field | is | |"
        yield "|---|---|---|"
        for field, each in properties.items():
            kind = _kind(each).replace("|", "\\|")
            meaning = each.get("description", "").replace("\n", " ").replace("|", "\\|")
            yield f"| `{field}` | {kind}{'' if field in needed else ', may be left out'} | {meaning} |"
        yield ""
    yield "```json"
    yield json.dumps(schema["examples"][0], indent=2, ensure_ascii=False)
    yield "```\n"


def _existing_clients() -> Iterator[str]:
    yield "## Existing clients\n"
    yield (
        "Clients of earlier releases keep working through these routes, with their own words (jobs are pipelines) and\n"
        "the fields they know. New programs use the ones above.\n\n"
        "They get the URLs of all parts of an upload at once. Those of a unit in AWS are good for 15 to 60 minutes;\n"
        "these clients ask for no others: what has not left by then has to be sent again, so that 1 GB wants 9 Mbit/s\n"
        "or more. `cloudmr` and the pages ask for each part as it leaves, and have no such end.\n"
    )
    for route in compatibility.router.routes:
        methods, path = getattr(route, "methods", ()), getattr(route, "path", "")
        meaning = (getattr(route, "endpoint", None).__doc__ or "").split("\n")[0]
        yield f"- `{'|'.join(sorted(methods))} {path}`: {meaning}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
