"""What all answers of the API have in common as values."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Answer(BaseModel):
    """An answer. Fields that an older or a newer Brain adds are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class CamelAnswer(Answer):
    """An answer in camelCase, as computing units and jobs have it in the API."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, validate_by_alias=True)
