"""Every error of a deployment that a person can meet.

ExplainedError (mroptimum)
└── DeployError
    ├── NotGiven            something is needed that was not given; all of it is named at once
    ├── StandsInTheWay      one or more known troubles, each with its code, cause and fix
    └── AwsRefused          AWS's own no, where nothing more is known about it
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mroptimum.errors import ExplainedError

if TYPE_CHECKING:
    from cloudmr.deploy.options import Option
    from cloudmr.deploy.troubles import Problem


class DeployError(ExplainedError):
    """Something between a person and a unit in their AWS account."""

    code = "deploy"


class NotGiven(DeployError):
    """Something is needed that was not given; all of it is named at once. `hints` are what there is to choose from."""

    code = "not_given"

    def __init__(self, options: Sequence[Option], hints: Sequence[str] = ()) -> None:
        names = ", ".join(option.spelled for option in options)
        super().__init__(
            f"Not given: {names}.{''.join(f' {hint}' for hint in hints)}",
            "Give each as a flag or as a variable of the environment, or run this on a terminal to be asked.",
        )
        self.options = tuple(options)


class StandsInTheWay(DeployError):
    """One or more known troubles; the first speaks for all, `problems` are all of them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = problems[0]
        super().__init__(first.message, first.fix, code=first.code)
        self.problems = tuple(problems)


class AwsRefused(DeployError):
    """AWS's own no, where nothing more is known about it."""

    code = "aws_refused"

    def __init__(self, what: str, said: str) -> None:
        super().__init__(f"{what}: {said}", "Read what AWS says; `cloudmr unit check` looks at everything it can see.")
