"""The template of a unit: where it is, what it makes, which parameters it takes. It is CloudFormation's to interpret.

What is read of it here is two lists of names, by their indentation: enough to show a plan and to refuse a parameter
that there is not, without a reader of YAML in the installation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from cloudmr.deploy.errors import DeployError

NAME = "template-mode2.yaml"
_SECTION = re.compile(r"^([A-Z][A-Za-z0-9]*):")
_ENTRY = re.compile(r"^  ([A-Za-z0-9]+):")
_TYPE = re.compile(r"^    Type: *['\"]?([A-Za-z0-9:]+)")
_INLINE_TYPE = re.compile(r"^  [A-Za-z0-9]+: *\{.*?\bType: *['\"]?([A-Za-z0-9:]+)")


class TemplateMissing(DeployError):
    """The template is not where it should be."""

    code = "template_missing"


@dataclass(frozen=True, kw_only=True)
class Template:
    """A template: its text, the parameters it takes, and what it makes (name -> type)."""

    text: str
    parameters: frozenset[str]
    resources: Mapping[str, str]

    @classmethod
    def of(cls, text: str) -> Template:
        """Return the template that a text is."""
        types = {name: kind for section, name, kind in _entries(text) if section == "Resources"}
        names = frozenset(name for section, name, _ in _entries(text) if section == "Parameters")
        return cls(text=text, parameters=names, resources=types)


def find_template(path: Path | None = None) -> Template:
    """Return the template: the one given, the installation's, or the checkout's. Raise `TemplateMissing`."""
    places = [path] if path else list(_usual_places())
    for place in places:
        if place.is_file():
            return Template.of(place.read_text(encoding="utf-8"))
    raise TemplateMissing(
        f"The template {places[0] if path else NAME} is not there.",
        f"Give it with --template: it is mode2-deployment/{NAME} of the release.",
    )


def _usual_places() -> Iterator[Path]:
    yield Path(str(resources.files(__package__).joinpath(NAME)))
    yield Path(__file__).parents[3] / "mode2-deployment" / NAME


def _entries(text: str) -> Iterator[tuple[str, str, str]]:
    section, name = "", ""
    for line in text.splitlines():
        if found := _SECTION.match(line):
            section, name = found[1], ""
        elif found := _ENTRY.match(line):
            name = found[1]
            inline = _INLINE_TYPE.match(line)
            yield section, name, inline[1] if inline else ""
        elif name and (found := _TYPE.match(line)):
            yield section, name, found[1]
