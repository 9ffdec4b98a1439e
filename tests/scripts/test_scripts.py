"""The scripts that the guides name: thin, run from everywhere, and of use without this checkout or without Python."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = {
    "mode2-deployment/deploy-mode2.sh": ["unit", "deploy"],
    "scripts/register-mode2.sh": ["unit", "register"],
    "scripts/register-computing-unit.sh": ["unit", "register"],
    "scripts/deploy-and-register-mode2.sh": ["unit", "deploy"],
    "scripts/deploy-mode1.sh": ["unit", "deploy"],
    "mode2-deployment/scripts/register-mode2.sh": ["unit", "register"],
}
TOOLS = ("bash", "cat", "dirname", "env", "rm", "sed", "mkdir", "chmod", "tr")
SAYS_WHAT_IT_GETS = """#!/usr/bin/env bash
printf '%s\\n' "$@" > "$SAID"
printf 'MODE=%s STACK_NAME=%s CLOUDMR_TEMPLATE=%s' "${MODE:-}" "${STACK_NAME:-}" "${CLOUDMR_TEMPLATE:-}" \\
  > "$SAID.environment"
exit "${ENDS_WITH:-0}"
"""
PYTHON_THAT_INSTALLS = """#!/usr/bin/env bash
if [ "$1" = -c ]; then exit 0; fi
mkdir -p "$3/bin"
cp "$CLOUDMR" "$3/bin/cloudmr"
printf '#!/usr/bin/env bash\\nprintf "%%s" "$*" > "$SAID.pip"; exit "${PIP_ENDS_WITH:-0}"\\n' > "$3/bin/pip"
chmod +x "$3/bin/pip" "$3/bin/cloudmr"
"""


class Desk:
    """A machine with few tools: those of the shell, and what a test puts on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tools = folder / "tools"
        self.tools.mkdir()
        self.said = folder / "said"
        for name in (*TOOLS, "cp", "printf"):
            if path := shutil.which(name):
                (self.tools / name).symlink_to(path)
        self.cloudmr = self.executable(folder / "its cloudmr", SAYS_WHAT_IT_GETS)

    def executable(self, path: Path, text: str) -> Path:
        path.write_text(text)
        path.chmod(0o755)
        return path

    def put_on_path(self, name: str, text: str) -> None:
        self.executable(self.tools / name, text)

    def run(
        self, script: Path | str, *arguments: str, cwd: Path | None = None, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(self.tools), "SAID": str(self.said), "CLOUDMR": str(self.cloudmr), **variables}
        return subprocess.run(
            [str(script), *arguments],
            env=environment,
            cwd=cwd or self.folder,
            capture_output=True,
            text=True,
            check=False,
        )

    def arguments(self) -> list[str]:
        return self.said.read_text().splitlines()

    def environment(self) -> str:
        return self.said.with_name("said.environment").read_text()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of `mode2-deployment/` alone, as somebody would have downloaded it."""
    return Path(
        shutil.copytree(ROOT / "mode2-deployment", tmp_path / "a copy", ignore=shutil.ignore_patterns(".cloudmr"))
    )


@pytest.mark.parametrize("script", SCRIPTS)
def test_each_calls_the_command_with_what_it_was_given(desk: Desk, script: str) -> None:
    desk.put_on_path("cloudmr", SAYS_WHAT_IT_GETS)
    done = desk.run(ROOT / script, "--stack-name", "a name with blanks", "--profile", "eros")
    assert done.returncode == 0, done.stderr
    assert desk.arguments() == [*SCRIPTS[script], "--stack-name", "a name with blanks", "--profile", "eros"]
    assert f"CLOUDMR_TEMPLATE={ROOT / 'mode2-deployment' / 'template-mode2.yaml'}" in desk.environment()


def test_the_exit_code_is_the_commands(desk: Desk) -> None:
    desk.put_on_path("cloudmr", SAYS_WHAT_IT_GETS)
    assert desk.run(ROOT / "mode2-deployment" / "deploy-mode2.sh", ENDS_WITH="2").returncode == 2


def test_they_run_from_where_the_guide_is(desk: Desk) -> None:
    desk.put_on_path("cloudmr", SAYS_WHAT_IT_GETS)
    assert desk.run("./deploy-mode2.sh", cwd=ROOT / "mode2-deployment").returncode == 0
    assert desk.run("./scripts/register-mode2.sh", cwd=ROOT).returncode == 0
    assert desk.run("./scripts/register-mode2.sh", cwd=ROOT / "mode2-deployment").returncode == 0


def test_mode_1_has_its_own_mode_and_stack(desk: Desk) -> None:
    desk.put_on_path("cloudmr", SAYS_WHAT_IT_GETS)
    desk.run(ROOT / "scripts" / "deploy-mode1.sh")
    assert desk.environment().startswith("MODE=mode_1 STACK_NAME=mroptimum-mode1 ")
    desk.run(ROOT / "scripts" / "deploy-mode1.sh", STACK_NAME="other")
    assert "STACK_NAME=other " in desk.environment()


def test_a_copy_of_the_folder_alone_is_enough(desk: Desk, copy: Path) -> None:
    desk.put_on_path("cloudmr", SAYS_WHAT_IT_GETS)
    for script in ("deploy-mode2.sh", "scripts/register-mode2.sh", "scripts/deploy-and-register-mode2.sh"):
        done = desk.run(copy / script, "--yes")
        assert done.returncode == 0, done.stderr
        assert desk.arguments()[-1] == "--yes"
        assert f"CLOUDMR_TEMPLATE={copy / 'template-mode2.yaml'}" in desk.environment()


def test_a_private_environment_is_made_once_and_said_so(desk: Desk, copy: Path) -> None:
    desk.put_on_path("python3", PYTHON_THAT_INSTALLS)
    done = desk.run(copy / "deploy-mode2.sh", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert f"Making a private environment in {copy / '.cloudmr'}, with mroptimum[aws]" in done.stderr
    assert desk.said.with_name("said.pip").read_text() == "install --quiet mroptimum[aws]"
    assert desk.arguments() == ["unit", "deploy", "--dry-run"]
    again = desk.run(copy / "deploy-mode2.sh")
    assert "Making" not in again.stderr
    assert again.returncode == 0


def test_an_installation_that_fails_is_not_left_half_made(desk: Desk, copy: Path) -> None:
    desk.put_on_path("python3", PYTHON_THAT_INSTALLS)
    done = desk.run(copy / "deploy-mode2.sh", PIP_ENDS_WITH="1")
    assert done.returncode == 2
    assert "pip could not install mroptimum[aws]" in done.stderr
    assert "aws cloudformation deploy" in done.stderr
    assert not (copy / ".cloudmr").exists()


def test_without_python_it_prints_how_to_deploy_by_hand(desk: Desk, copy: Path) -> None:
    desk.put_on_path("python3", "#!/usr/bin/env bash\nexit 1\n")
    done = desk.run(
        copy / "deploy-mode2.sh", VPC_ID="vpc-1", STACK_NAME="mine", CLOUDMR_API_URL="https://b.example.org"
    )
    assert done.returncode == 2
    manual = done.stderr
    assert "There is no Python 3.11 or newer here" in manual
    for line in (
        f'--template-file "{copy / "template-mode2.yaml"}"',
        "--stack-name mine",
        'VpcId="vpc-1"',
        'SubnetId1="subnet-xxxxxxxxx"',
        'CloudMRApiUrl="https://b.example.org"',
        'CloudMRUserToken="$CLOUDMR_TOKEN"',
        "--capabilities CAPABILITY_IAM CAPABILITY_NAMED_IAM CAPABILITY_AUTO_EXPAND",
    ):
        assert line in manual


def test_the_environment_of_the_checkout_is_used_and_said_so(desk: Desk, tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    shutil.copytree(ROOT / "mode2-deployment", checkout / "mode2-deployment", symlinks=True)
    (checkout / "src" / "cloudmr").mkdir(parents=True)
    (checkout / "pyproject.toml").touch()
    (checkout / ".venv" / "bin").mkdir(parents=True)
    desk.executable(checkout / ".venv" / "bin" / "cloudmr", SAYS_WHAT_IT_GETS)
    done = desk.run(checkout / "mode2-deployment" / "deploy-mode2.sh")
    assert done.returncode == 0, done.stderr
    assert f"Using {checkout}/.venv/bin/cloudmr." in done.stderr


def test_the_reference_prints_the_commands_filled_in(desk: Desk) -> None:
    done = desk.run(ROOT / "scripts" / "mode2-quick-reference.sh", STACK_NAME="mine", REGION="eu-central-1")
    assert done.returncode == 0, done.stderr
    assert "aws cloudformation describe-stacks --stack-name mine --region eu-central-1" in done.stdout
    assert "cloudmr unit remove --stack-name mine --region eu-central-1" in done.stdout
    assert "`CREATE_FAILED`" in done.stdout


def test_sourced_the_reference_gives_commands(desk: Desk) -> None:
    desk.put_on_path("cloudmr", SAYS_WHAT_IT_GETS)
    desk.put_on_path("aws", SAYS_WHAT_IT_GETS)
    reference = ROOT / "scripts" / "mode2-quick-reference.sh"
    calls = {
        "mode2_status": ["cloudformation", "describe-stacks", "--stack-name", "mine"],
        "mode2_outputs": ["cloudformation", "describe-stacks"],
        "mode2_failed_events": ["cloudformation", "describe-stack-events"],
        "mode2_tasks": ["ecs", "list-tasks", "--cluster", "mine-cluster"],
        "mode2_units": ["unit", "list"],
        "mode2_logs": ["unit", "logs"],
        "mode2_cost": ["unit", "cost"],
        "mode2_smoke": ["unit", "smoke"],
        "mode2_remove": ["unit", "remove"],
    }
    for name, expected in calls.items():
        sourced = desk.executable(desk.folder / "sourced.sh", f'#!/usr/bin/env bash\nsource "{reference}"\n{name}\n')
        done = desk.run(sourced, STACK_NAME="mine")
        assert done.returncode == 0, done.stderr
        assert done.stdout == "", "sourcing prints nothing"
        assert desk.arguments()[: len(expected)] == expected


def test_each_is_executable_and_the_folders_are_one() -> None:
    for script in [*SCRIPTS, "scripts/mode2-quick-reference.sh"]:
        assert os.access(ROOT / script, os.X_OK), script
    assert (ROOT / "mode2-deployment" / "scripts").readlink() == Path("../scripts")
