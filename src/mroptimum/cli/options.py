"""Options that say what to compute, the same ones wherever a task is put together on a command line."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import wraps
from typing import Annotated, Any, get_type_hints

import typer

from mroptimum.flags import Flags


def with_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command an option for each field of `Flags` in the place of its parameter `flags`, which it gets whole."""
    signature = inspect.signature(command, eval_str=True)
    parameters: list[inspect.Parameter] = []
    for parameter in signature.parameters.values():
        parameters.extend(_options() if parameter.name == "flags" else [parameter])

    @wraps(command)
    def called(**given: Any) -> None:
        command(flags=Flags(**{of_flag.name: given.pop(of_flag.name) for of_flag in fields(Flags)}), **given)

    by_keyword = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
    called.__signature__ = signature.replace(parameters=by_keyword)  # type: ignore[attr-defined]
    called.__annotations__ = {parameter.name: parameter.annotation for parameter in by_keyword}
    return called


def _options() -> Iterator[inspect.Parameter]:
    types = get_type_hints(Flags)
    for of_flag in fields(Flags):
        option = typer.Option(help=of_flag.metadata["help"])
        yield inspect.Parameter(
            of_flag.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=of_flag.default,
            annotation=Annotated[types[of_flag.name], option],
        )
