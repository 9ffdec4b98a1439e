"""How requests and answers are written in JSON.

Two spellings, because existing clients and the guides have both: computing units and jobs in camelCase, accounts and
data files in snake_case. Requests are read in either, answers are written in the one of their noun.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AliasChoices, AliasGenerator, BaseModel, ConfigDict, StringConstraints
from pydantic.alias_generators import to_camel

from cloudmr.storage.base import SignedRequest

IdText = Annotated[str, StringConstraints(max_length=64, pattern=r"^[A-Za-z0-9_-]*$")]
"""What may be an id; whether it is one is found out by looking for it."""


def _either(name: str) -> AliasChoices:
    return AliasChoices(to_camel(name), name)


class Body(BaseModel):
    """A request or answer in snake_case; a request may also be in camelCase."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", validate_by_name=True, alias_generator=AliasGenerator(validation_alias=_either)
    )


class CamelBody(Body):
    """A request or answer in camelCase; a request may also be in snake_case."""

    model_config = ConfigDict(
        alias_generator=AliasGenerator(validation_alias=_either, serialization_alias=to_camel), serialize_by_alias=True
    )


def with_examples(*examples: Mapping[str, Any]) -> ConfigDict:
    """Return the configuration of a request or answer whose schema shows what it may look like."""
    return ConfigDict(json_schema_extra={"examples": [dict(example) for example in examples]})


class SignedLink(Body):
    """A request that the unit's storage will take, for some minutes: send these headers with it."""

    method: str
    url: str
    headers: dict[str, str]

    @classmethod
    def of(cls, request: SignedRequest) -> SignedLink:
        """Return a signed request as JSON has it."""
        return cls(method=request.method, url=request.url, headers=request.headers)
