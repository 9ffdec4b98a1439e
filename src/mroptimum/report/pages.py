"""The templates of the pages that we write as files. Everything put into them is escaped."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined, Template


def template(name: str) -> Template:
    """Return a template of this package by its name."""
    environment = Environment(
        loader=PackageLoader("mroptimum.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template(name)
