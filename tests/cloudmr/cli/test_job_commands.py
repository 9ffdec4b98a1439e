"""What is done with jobs and data on the command line, against a real Brain with real workers."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from cloudmr.cli.exit_codes import ExitCode
from cloudmr.client.brain import BrainClient
from cloudmr.client.source_file import SourceFile
from commands import Machine, somebody_new
from mroptimum.phantom import Phantom, simulate, write_twix_ve
from real_brain import RealBrain
from small_job import raw_data


@pytest.fixture
def newcomer(real_brain: RealBrain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.chdir(tmp_path)
    return somebody_new(real_brain, tmp_path / "config")


@pytest.fixture
def friend(real_brain: RealBrain, tmp_path: Path) -> Machine:
    return somebody_new(real_brain, tmp_path / "friend")


@pytest.fixture
def raw_file(tmp_path: Path, rng: np.random.Generator) -> Path:
    return raw_data(tmp_path / "meas.npz", rng)


def email_of(machine: Machine) -> str:
    email: str = machine.run("account", "show", "--json").value()["email"]
    return email


def test_an_estimate_knows_the_scan_that_was_uploaded(newcomer: Machine, tmp_path: Path) -> None:
    path = tmp_path / "meas.dat"
    write_twix_ve(path, simulate(Phantom(n_x=32, n_y=32, n_coils=4, n_slices=2, readout_oversampling=2)))
    plan = newcomer.run("job", "estimate", "--signal", path, "--json").value()
    assert plan["isFromBytes"] is False
    assert "4 coils, 64 x 32 x 1 samples, 2 slices" in plan["estimate"]["basis"]
    assert (plan["platform"], plan["price"]["microdollars"]) == ("local", 0)
    said = newcomer.run("job", "estimate", "--signal", path)
    assert "not in the price" in said.output
    assert newcomer.run("job", "list", "--json").value() == []


def test_bytes_alone_are_warned_of_and_the_impossible_is_refused(newcomer: Machine, raw_file: Path) -> None:
    said = newcomer.run("job", "estimate", "--signal", raw_file)
    assert said.exit_code == ExitCode.DONE, said.errors
    refused = newcomer.run("job", "submit", "--signal", raw_file, "--platform", "fargate")
    assert refused.exit_code == ExitCode.FAILED
    assert "platform_impossible" in refused.errors
    late = newcomer.run("job", "submit", "--signal", raw_file, "--deadline", "49")
    assert "deadline" in late.errors


def test_the_life_of_a_job_after_its_end(newcomer: Machine, raw_file: Path, tmp_path: Path) -> None:
    job = newcomer.run("job", "submit", "--signal", raw_file, "--name", "knee", "--watch", "--json").value()
    job_id = job["jobId"]
    assert job["actual"]["seconds"] > 0
    assert newcomer.run("job", "rename", job_id, "=1+1").exit_code == ExitCode.DONE
    [row] = csv.DictReader(io.StringIO(newcomer.run("job", "list", "--text", "=1", "--csv").output))
    assert (row["jobId"], row["alias"]) == (job_id, "'=1+1")
    assert newcomer.run("job", "list", "--text", "knee", "--json").value() == []
    assert newcomer.run("job", "list", "--until", "2001-01-01", "--json").value() == []
    assert [event["action"] for event in newcomer.run("job", "events", job_id, "--json").value()][-1] == "renamed"
    names = [file["name"] for file in newcomer.run("job", "result", job_id, "--json").value()]
    assert {"package.zip", "manifest.json"} <= set(names)

    again = newcomer.run("job", "rerun", job_id, "--json").value()
    assert again["rerunOf"] == job_id
    assert newcomer.run("job", "delete", again["jobId"]).exit_code == ExitCode.FAILED
    assert newcomer.run("job", "watch", again["jobId"]).exit_code == ExitCode.DONE
    deleted = newcomer.run("job", "delete", job_id, again["jobId"])
    assert deleted.output.count("can be restored") == 2
    assert newcomer.run("job", "list", "--json").value() == []
    assert newcomer.run("job", "show", job_id).exit_code == ExitCode.FAILED
    assert newcomer.run("job", "restore", job_id).exit_code == ExitCode.DONE
    assert newcomer.run("job", "download", job_id, "-o", tmp_path / "out").exit_code == ExitCode.DONE
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert newcomer.run("quota", "--json").value()["jobs_this_month"] == {"used": 2, "limit": 100}


def test_a_friend_looks_at_a_job_until_it_is_unshared(newcomer: Machine, friend: Machine, raw_file: Path) -> None:
    job_id = newcomer.run("job", "submit", "--signal", raw_file, "--watch", "--json").value()["jobId"]
    assert friend.run("job", "show", job_id).exit_code == ExitCode.FAILED
    shared = newcomer.run("job", "share", job_id, "--with", email_of(friend), "--days", "3", "--json").value()
    assert [one["job"]["jobId"] for one in friend.run("job", "shared", "--json").value()] == [job_id]
    seen = friend.run("job", "show", job_id, "--json").value()
    assert (seen["isOwn"], seen["dataIds"]) == (False, [])
    assert friend.run("job", "log", job_id).exit_code == ExitCode.DONE
    assert friend.run("job", "result", job_id).exit_code == ExitCode.DONE
    assert friend.run("job", "delete", job_id).exit_code == ExitCode.FAILED
    assert newcomer.run("job", "shares", job_id, "--json").value()[0]["shareId"] == shared["shareId"]
    assert newcomer.run("job", "unshare", job_id, shared["shareId"]).exit_code == ExitCode.DONE
    assert friend.run("job", "show", job_id).exit_code == ExitCode.FAILED


def test_news_are_set_and_tried(newcomer: Machine) -> None:
    assert "Nothing is set" in newcomer.run("notify", "test").output
    settings = newcomer.run("notify", "set", "--mail", "failure", "--json").value()
    assert (settings["mail"], settings["webhook_secret"]) == ("failure", None)
    assert "mail" in newcomer.run("notify", "test").output
    refused = newcomer.run("notify", "set", "--webhook-url", "http://127.0.0.1/x")
    assert "webhook_url" in refused.errors


def test_an_upload_goes_on_from_another_machine(newcomer: Machine, raw_file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.npz"
    other.write_bytes(b"x" * 10)
    with BrainClient.from_environment(newcomer.environment) as brain:
        begun = brain._begin(SourceFile.of(raw_file), "meas.npz", None, None).data
    refused = newcomer.run("data", "resume", begun.id, other)
    assert refused.exit_code == ExitCode.FAILED
    done = newcomer.run("data", "resume", begun.id, raw_file, "--json").value()
    assert (done["id"], done["state"]) == (begun.id, "ready")
