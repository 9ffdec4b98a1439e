"""The flags of a deployment, made from the one table in `cloudmr.deploy.options`."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, get_type_hints

import typer

from cloudmr.deploy.options import Given, given, option
from cloudmr.model.units import Mode

ACCOUNT = ("profile", "region", "stack_name")
"""Which stack of which account."""
BRAIN = ("api_url", "email", "password", "token_file")
"""Which Brain, and who one is there."""
NETWORK = ("vpc_id", "subnet_id_1", "subnet_id_2", "security_group_id")
BUCKETS = ("data_bucket", "results_bucket", "failed_bucket")
IMAGE = ("image_tag", "image_uri")


def with_options(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return what gives a command flags of the table; its first argument is what was said, by whichever way."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        hints = get_type_hints(command, include_extras=True)
        _, *own = inspect.signature(command).parameters.values()

        @wraps(command)
        def run(**values: Any) -> None:
            flags = {name: values.pop(name) for name in names}
            said = given(flags, os.environ)
            if "mode" in names and said.get("mode") not in {None, *Mode}:
                raise typer.BadParameter(f"choose one of {', '.join(Mode)}.", param_hint=option("mode").spelled)
            command(said, **values)

        parameters = [_parameter(name) for name in names]
        parameters += [each.replace(annotation=hints[each.name], kind=each.KEYWORD_ONLY) for each in own]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {each.name: each.annotation for each in parameters} | {"return": None}
        return run

    return decorate


def password_is_in_arguments(said: Given) -> bool:
    """Tell whether others on this machine could see the password."""
    return said.origin("password") == "flag"


def _parameter(name: str) -> inspect.Parameter:
    each = option(name)
    annotation = Annotated[str | None, typer.Option(each.flag, help=each.help, show_default=False)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def parameters_of(texts: list[str]) -> dict[str, str]:
    """Return parameters of the template given as NAME=VALUE. Raise `typer.BadParameter` for anything else."""
    found = {}
    for text in texts:
        name, is_there, value = text.partition("=")
        if not is_there or not name.isalnum():
            raise typer.BadParameter(f"{text} is not of the form NAME=VALUE.", param_hint="--parameter")
        found[name] = value
    return found
