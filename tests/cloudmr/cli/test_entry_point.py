"""The command as the shell starts it: how much it loads, what it says when a part is missing, how it looks."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

import mroptimum
from cloudmr.cli.app import app
from cloudmr.cli.exit_codes import EPILOG
from cloudmr.client.brain import BrainClient
from cloudmr.client.credentials import Identity, keep_identity
from mroptimum.cli import app as science
from mroptimum.flags import Flags
from real_brain import PASSWORD, RealBrain

HEAVY = ("numpy", "pydantic", "httpx", "fastapi", "uvicorn", "sqlalchemy", "rich.progress")


def python(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        env=os.environ | environment,
        timeout=60,
        check=False,
    )


def test_the_version_is_printed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cloudmr.cli", "--version"], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == f"cloudmr {mroptimum.__version__}\n"


def test_help_is_quick_because_it_loads_neither_server_nor_numpy() -> None:
    code = (
        "import atexit, json, sys\n"
        f"loaded = lambda: json.dumps([name for name in {HEAVY} if name in sys.modules])\n"
        "atexit.register(lambda: print(loaded(), file=sys.stderr))\n"
        "from cloudmr.cli import main; main()"
    )
    done = python(code, "--help", COLUMNS="400")
    assert done.returncode == 0
    assert json.loads(done.stderr) == []
    assert EPILOG in done.stdout


@pytest.mark.parametrize(
    ("module", "command", "extra"),
    [
        ("httpx", ["unit", "list"], "client"),
        ("uvicorn", ["serve"], "server"),
        ("fastapi", ["serve", "--json"], "server"),
    ],
)
def test_a_part_that_is_not_installed_is_named_with_the_way_to_get_it(
    module: str, command: list[str], extra: str
) -> None:
    done = python(f"import sys; sys.modules[{module!r}] = None; from cloudmr.cli import main; main()", *command)
    assert done.returncode == 2
    assert f"pip install 'mroptimum[{extra}]'" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_on_a_terminal_there_is_a_table(real_brain: RealBrain, tmp_path: Path) -> None:
    environment = {
        "CLOUDMR_CONFIG": str(tmp_path),
        "CLOUDMR_API_URL": real_brain.url,
        "TERM": "xterm",
        "COLUMNS": "200",
    }
    with BrainClient(real_brain.url, folder=tmp_path) as client:
        session = client.log_in(email=real_brain.new_email(), password=PASSWORD)
        [unit] = client.units()
    keep_identity(Identity(server=real_brain.url, token=session.access_token), environment)
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "cloudmr.cli", "unit", "list"], stdout=theirs, env=os.environ | environment
    )
    os.close(theirs)
    shown = b""
    while chunk := _read(ours):
        shown += chunk
    os.close(ours)
    assert process.wait(timeout=60) == 0
    assert unit.computing_unit_id in shown.decode()
    assert "\x1b[1m" in shown.decode()


def test_who_is_asked_is_asked_beside_the_answer(real_brain: RealBrain, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cloudmr.cli", "login", "--api-url", real_brain.url, "--json"],
        input=f"{real_brain.new_email()}\n{PASSWORD}\n",
        capture_output=True,
        text=True,
        env=os.environ | {"CLOUDMR_CONFIG": str(tmp_path)},
        timeout=60,
        check=True,
        start_new_session=True,  # nobody's terminal to ask at
    )
    assert json.loads(done.stdout)["server"] == real_brain.url
    assert "E-mail address" in done.stderr
    assert "Password" in done.stderr
    assert PASSWORD not in done.stdout + done.stderr


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except OSError:  # the other side has closed
        return b""


def test_every_command_says_how_it_may_end() -> None:
    group = get_command(app)
    commands = dict(group.commands)  # type: ignore[attr-defined]
    for name in [name for name, command in commands.items() if hasattr(command, "commands")]:
        commands |= {f"{name} {below}": command for below, command in commands.pop(name).commands.items()}
    assert {name for name, command in commands.items() if command.epilog != EPILOG} == set()


def test_a_job_is_described_by_the_flags_of_the_science() -> None:
    def options(command: object) -> dict[str, tuple[object, ...]]:
        return {
            parameter.name: (parameter.opts, parameter.secondary_opts, parameter.default, parameter.help)
            for parameter in command.params  # type: ignore[attr-defined]
        }

    ours = options(get_command(app).commands["job"].commands["submit"])  # type: ignore[attr-defined]
    theirs = options(get_command(science).commands["snr"])  # type: ignore[attr-defined]
    for name in Flags.__dataclass_fields__:
        assert ours[name] == theirs[name]
