"""The command line as a person or a program uses it, with a configuration of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from cloudmr.cli.app import app
from cloudmr.cli.exit_codes import ExitCode
from real_brain import PASSWORD, RealBrain


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a command said, and how it ended."""

    exit_code: int
    output: str
    errors: str

    def value(self) -> Any:
        return json.loads(self.output)


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A machine of somebody's, with a configuration of its own."""

    environment: dict[str, str]

    def run(self, *arguments: object, typed: str | None = None, **environment: str) -> Said:
        result = CliRunner().invoke(
            app, [str(argument) for argument in arguments], input=typed, env=self.environment | environment
        )
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Said(exit_code=result.exit_code, output=result.stdout, errors=result.stderr)


def somebody_new(real_brain: RealBrain, config: Path) -> Machine:
    """Return the machine of somebody with a new account, signed in."""
    machine = Machine(environment={"CLOUDMR_CONFIG": str(config), "CLOUDMR_API_URL": real_brain.url})
    said = machine.run("login", "--email", real_brain.new_email(), CLOUDMR_PASSWORD=PASSWORD)
    assert said.exit_code == ExitCode.DONE, said.errors
    return machine
