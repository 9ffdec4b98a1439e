"""Units as their operator sees them, on a real Brain: looked at, proven by a real job, chosen, and never removed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from cloudmr.cli.exit_codes import ExitCode
from commands import Machine
from real_brain import PASSWORD, RealBrain, serving
from small_job import raw_data


@pytest.fixture(scope="module")
def operated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RealBrain, Path]]:
    folder = tmp_path_factory.mktemp("operated")
    with serving(folder) as brain:
        yield brain, folder / "home" / "brain.sqlite"


@pytest.fixture
def admin(operated: tuple[RealBrain, Path], tmp_path: Path) -> Machine:
    brain, database = operated
    email = brain.new_email()
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE accounts SET is_admin = 1 WHERE email = ?", (email,))
    machine = Machine(environment={"CLOUDMR_CONFIG": str(tmp_path / "config"), "CLOUDMR_API_URL": brain.url})
    assert machine.run("login", "--email", email, CLOUDMR_PASSWORD=PASSWORD).exit_code == ExitCode.DONE
    return machine


def own_machine(machine: Machine) -> str:
    [unit] = machine.run("unit", "list", "--json").value()
    return str(unit["computingUnitId"])


@pytest.mark.slow
def test_the_brains_own_machine_proves_its_numbers(admin: Machine) -> None:
    unit_id = own_machine(admin)
    assert admin.run("unit", "show", unit_id, "--json").value()["snrVerifiedAt"] is None
    said = admin.run("unit", "check", unit_id, "--known-answer", "--json")
    assert said.exit_code == ExitCode.DONE, said.errors
    found = {finding["check"]: finding for finding in said.value()["findings"]}
    assert {finding["outcome"] for finding in found.values()} <= {"passed", "doubtful"}
    assert found["known_answer"]["message"].startswith("Verified for SNR: mean SNR ")
    assert found["workers"]["outcome"] == "passed"
    assert admin.run("unit", "show", unit_id, "--json").value()["snrVerifiedAt"] is not None
    assert admin.run("job", "list", "--json").value() == [], "the proof is nobody's job"


def test_what_an_operator_does_with_the_own_machine(admin: Machine) -> None:
    unit_id = own_machine(admin)
    assert admin.run("unit", "rename", unit_id, "the basement", "--json").value()["alias"] == "the basement"
    assert "the basement" in admin.run("unit", "list").output
    assert admin.run("unit", "default", unit_id).exit_code == ExitCode.DONE
    permissions = admin.run("unit", "permissions", unit_id, "--json").value()
    assert {each["isAsDeclared"] for each in permissions} == {True}
    said = admin.run("unit", "remove", unit_id, "--yes", "--json")
    assert (said.exit_code, json.loads(said.output)["error"]["code"]) == (ExitCode.FAILED, "unit_built_in")
    lines = admin.run("unit", "list", "--csv").output.splitlines()
    assert lines[0].startswith("computingUnitId,")
    assert len(lines) == 2


def test_others_only_see_how_it_is(operated: tuple[RealBrain, Path], tmp_path: Path) -> None:
    brain, _ = operated
    with brain.person() as person:
        [unit] = person.units()
        assert person.computing_units.get(unit.computing_unit_id).status == "ready"
        token = person._connection.token
    machine = Machine(
        environment={
            "CLOUDMR_CONFIG": str(tmp_path / "config"),
            "CLOUDMR_API_URL": brain.url,
            "CLOUDMR_TOKEN": token or "",
        }
    )
    for command in ("check", "permissions", "remove"):
        said = machine.run("unit", command, unit.computing_unit_id, *(["--yes"] if command == "remove" else []))
        assert said.exit_code == ExitCode.FAILED
        assert "admin_needed" in said.errors


def test_regions_are_kept_with_a_job(operated: tuple[RealBrain, Path], tmp_path: Path) -> None:
    brain, _ = operated
    machine = Machine(environment={"CLOUDMR_CONFIG": str(tmp_path / "config"), "CLOUDMR_API_URL": brain.url})
    machine.run("login", "--email", brain.new_email(), CLOUDMR_PASSWORD=PASSWORD)
    raw = raw_data(tmp_path / "meas.npz", np.random.default_rng(1))
    job_id = machine.run("job", "submit", "--signal", raw, "--json").value()["jobId"]
    mask = tmp_path / "white matter.nii.gz"
    mask.write_bytes(b"\x1f\x8b a mask")

    region = machine.run("region", "upload", job_id, mask, "--json").value()
    assert region["name"] == "white matter.nii.gz"
    [listed] = machine.run("region", "list", job_id, "--json").value()
    assert (listed["regionId"], listed["sizeBytes"]) == (region["regionId"], mask.stat().st_size)
    assert "white matter.nii.gz" in machine.run("region", "list", job_id).output
    copy = tmp_path / "copy.nii.gz"
    assert machine.run("region", "download", job_id, region["regionId"], "-o", copy).exit_code == ExitCode.DONE
    assert copy.read_bytes() == mask.read_bytes()
    assert machine.run("region", "delete", job_id, region["regionId"]).exit_code == ExitCode.DONE
    assert machine.run("region", "list", job_id, "--json").value() == []

    mask.write_bytes(b"")
    assert "local_file" in machine.run("region", "upload", job_id, mask).errors
    assert "not_found" in machine.run("region", "download", job_id, "roi_x", "-o", tmp_path / "x").errors
    assert "not_found" in machine.run("region", "delete", job_id, "roi_x").errors
    machine.run("job", "cancel", job_id)
