from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mroptimum.cli import app
from mroptimum.flags import Flags
from packages import write_result, write_scan


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a command said, and how it ended."""

    exit_code: int
    output: str
    errors: str

    def value(self) -> Any:
        """Return the one JSON document."""
        return json.loads(self.output)


@pytest.fixture
def call() -> Callable[..., Said]:
    def called(*arguments: object) -> Said:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Said(exit_code=result.exit_code, output=result.stdout, errors=result.stderr)

    return called


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scan (`scan.dat`) and two results of it: `ac` and `pmr`."""
    folder = tmp_path_factory.mktemp("shelf")
    scan = write_scan(folder / "scan.dat")
    write_result(folder / "ac", scan, Flags(reconstruction="sense"))
    write_result(folder / "pmr", scan, Flags(reconstruction="sense", method="pmr", replicas=4))
    return folder
