"""The template of a unit: where it is, what it makes, which parameters it takes. It is CloudFormation's to interpret.

What is read of it here are lists of names, by their indentation: enough to show a plan and to refuse a parameter that
there is not, without a reader of YAML in the installation.
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
_ENTRY = re.compile(r"^  ([A-Za-z0-9]+):(.*)")
_PROPERTY = re.compile(r"^    (Type|Default|Condition): *['\"]?([^'\"#]*?)['\"]? *(?:#.*)?$")
_INLINE = re.compile(r"\b(Type|Default|Condition): *['\"]?([^'\",}]*)")
_EQUALS = re.compile(
    r"^ *(?P<not>!Not \[)?!Equals \[!Ref ['\"]?(?P<name>[\w:]+)['\"]?, ['\"]?(?P<value>[^'\"\]]*)['\"]?\]"
)


class TemplateMissing(DeployError):
    """The template is not where it should be."""

    code = "template_missing"


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One thing that a template can make, and the name of the condition under which it does."""

    type: str
    condition: str


@dataclass(frozen=True, kw_only=True)
class Template:
    """A template: its text, the parameters it takes (name -> default), and what it can make."""

    text: str
    parameters: Mapping[str, str]
    resources: Mapping[str, Resource]
    conditions: Mapping[str, str]

    @classmethod
    def of(cls, text: str) -> Template:
        """Return the template that a text is."""
        found = _entries(text)
        resources = {
            name: Resource(type=entry.get("Type", ""), condition=entry.get("Condition", ""))
            for name, entry in found["Resources"].items()
        }
        return cls(
            text=text,
            parameters={name: entry.get("Default", "") for name, entry in found["Parameters"].items()},
            resources=resources,
            conditions={name: entry["rest"] for name, entry in found["Conditions"].items()},
        )

    def made_with(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return what is made (name -> type) with these parameters, as far as its conditions are plain comparisons."""
        return {
            name: each.type
            for name, each in self.resources.items()
            if not each.condition or self._is_met(each.condition, {**self.parameters, **values})
        }

    def _is_met(self, condition: str, values: Mapping[str, str]) -> bool:
        found = _EQUALS.match(self.conditions.get(condition, ""))
        if found is None:
            return True
        return (values.get(found["name"], "") == found["value"]) is (found["not"] is None)


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


def _entries(text: str) -> dict[str, dict[str, dict[str, str]]]:
    """Return the entries of each section, each with the few of its properties that count here."""
    found: dict[str, dict[str, dict[str, str]]] = {name: {} for name in ("Parameters", "Conditions", "Resources")}
    section, name = "", ""
    for line in text.splitlines():
        if head := _SECTION.match(line):
            section, name = head[1], ""
        elif section in found and (entry := _ENTRY.match(line)):
            name = entry[1]
            properties = dict(_INLINE.findall(entry[2])) if section != "Conditions" else {}
            found[section][name] = {**properties, "rest": entry[2]}
        elif name and section in found and (line_of := _PROPERTY.match(line)):
            found[section][name][line_of[1]] = line_of[2]
    return found
