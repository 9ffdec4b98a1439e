"""Whatever a request holds, well made or not, it is answered, and never with a fault of the server's own.

Requests are made from the API's own description of itself, and half of them name things that are there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import schemathesis
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok

from cloudmr.api import compatibility
from cloudmr.api.app import build_app
from cloudmr.model.tokens import Scope
from cloudmr.services.brain import Brain
from databases import ServerDatabases
from house import House

_N_EXAMPLES = 12


def operations() -> dict[str, Any]:
    """Return every operation of the API's description, by name."""
    # The description is the same whatever Brain it is of, and none is needed to write it.
    app = build_app(cast(Brain, SimpleNamespace(metrics=None)), local_storage=None)
    # Existing clients know their routes; our description leaves them out.
    for number, route in enumerate(compatibility.router.routes):
        assert isinstance(route, APIRoute)
        for method in sorted(route.methods or ()):
            app.add_api_route(
                route.path, route.endpoint, methods=[method], operation_id=f"{method.lower()}_of_old_clients_{number}"
            )
    schema = schemathesis.openapi.from_dict(app.openapi())
    found: list[Any] = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    return {operation.label: operation for operation in found}


OPERATIONS = operations()


@pytest.fixture
def house(tmp_path: Path, server_databases: ServerDatabases) -> Iterator[House]:
    """A house on PostgreSQL, which takes less than SQLite does: no text with a NUL, no number beyond its column."""
    url = server_databases.lend()
    house = House(tmp_path / "house", database_url=url)
    with house.client:
        yield house
    house.bench.close()
    server_databases.take_back(url)


@pytest.mark.slow
@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_no_request_is_a_fault_of_the_server(house: House, label: str) -> None:
    operation = OPERATIONS[label]
    token = house.token(house.owner_with_rights(), Scope.ACCOUNT)
    known = vars(house.things)

    @settings(
        max_examples=_N_EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in GenerationMode)),
        names_things=st.booleans(),
    )
    def ask(case: Case[Any], names_things: bool) -> None:
        if names_things:
            for name in case.path_parameters or ():
                case.path_parameters[name] = known.get(name, 1)
        request = case.as_transport_kwargs(base_url="http://brain.test")
        response = house.client.request(
            request["method"],
            request["url"],
            params=request.get("params"),
            headers={
                **{name: value for name, value in dict(request.get("headers") or {}).items() if value.isascii()},
                "Authorization": f"Bearer {token}",
            },
            **({"json": request["json"]} if "json" in request else {"content": _bytes(request.get("data"))}),
        )
        assert response.status_code < 500, response.text

    ask()


def _bytes(data: object) -> bytes | None:
    if isinstance(data, bytes) or data is None:
        return data
    return str(data).encode()
