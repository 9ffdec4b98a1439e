"""An AWS account that answers from a table, for what an emulated one does not do: refusals, networks of every shape."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from cloudmr.aws.said import AwsSaid

Answers = Callable[..., Any]


@dataclass
class ScriptedAccount:
    """Answers by `service:operation`: a value, an error to raise, or what makes one of the parameters."""

    answers: dict[str, Any]
    region: str = "us-east-1"
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def ask(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        found: dict[str, Any] = self._answer(f"{service}:{operation}", parameters)
        return found

    def pages(self, service: str, operation: str, field: str, **parameters: Any) -> Iterator[Any]:
        yield from self._answer(f"{service}:{operation}", parameters)

    def _answer(self, what: str, parameters: dict[str, Any]) -> Any:
        self.asked.append((what, parameters))
        answer = self.answers[what]
        if callable(answer):
            answer = answer(**parameters)
        if isinstance(answer, AwsSaid):
            raise answer
        return answer


def refusal(code: str, said: str = "no") -> AwsSaid:
    return AwsSaid(code, said, "a call")
