"""The commands against a real Brain, as a person and as a program use them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cloudmr.cli.exit_codes import ExitCode
from cloudmr.client.credentials import credentials_path
from commands import Machine, somebody_new
from mroptimum.phantom import Phantom, simulate, write_twix_vb
from real_brain import PASSWORD, RealBrain
from small_job import raw_data


@pytest.fixture
def machine(tmp_path: Path, real_brain: RealBrain, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.chdir(tmp_path)
    return Machine(environment={"CLOUDMR_CONFIG": str(tmp_path / "config"), "CLOUDMR_API_URL": real_brain.url})


@pytest.fixture(scope="module")
def somebody(real_brain: RealBrain, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return somebody_new(real_brain, tmp_path_factory.mktemp("config"))


@pytest.fixture
def signed_in(machine: Machine, somebody: Machine) -> Machine:
    """Return the machine of somebody who has data and jobs already."""
    return somebody


@pytest.fixture
def newcomer(machine: Machine, real_brain: RealBrain, tmp_path: Path) -> Machine:
    """Return the machine of somebody who has nothing yet."""
    return somebody_new(real_brain, tmp_path / "config")


@pytest.fixture
def raw_file(tmp_path: Path, rng: np.random.Generator) -> Path:
    return raw_data(tmp_path / "meas.npz", rng)


@pytest.mark.parametrize(
    "command",
    [["unit", "list"], ["data", "list"], ["job", "list"], ["job", "show", "job_1"], ["job", "watch", "job_1"]],
)
def test_who_is_not_signed_in_is_told_how_to(machine: Machine, command: list[str]) -> None:
    said = machine.run(*command)
    assert said.exit_code == ExitCode.SIGN_IN_NEEDED
    assert said.output == ""
    assert "cloudmr login" in said.errors


def test_a_brain_that_is_not_there_is_named(machine: Machine) -> None:
    said = machine.run("unit", "list", CLOUDMR_API_URL="http://127.0.0.1:9", CLOUDMR_TOKEN="cmr_t")
    assert said.exit_code == ExitCode.UNREACHABLE
    assert "http://127.0.0.1:9" in said.errors


def test_an_account_is_made_used_and_left(machine: Machine, real_brain: RealBrain) -> None:
    typed = f"{PASSWORD}\n{PASSWORD}\n"
    said = machine.run("register", "--email", "new@example.org", typed=typed)
    assert said.exit_code == ExitCode.DONE, said.errors
    assert PASSWORD not in said.output + said.errors
    path = credentials_path(machine.environment)
    assert PASSWORD not in path.read_text()
    assert machine.run("unit", "list").exit_code == ExitCode.DONE
    assert machine.run("logout").exit_code == ExitCode.DONE
    assert not path.exists()
    assert machine.run("unit", "list").exit_code == ExitCode.SIGN_IN_NEEDED
    assert machine.run("logout").exit_code == ExitCode.DONE


def test_the_server_last_used_needs_not_be_named_again(machine: Machine, real_brain: RealBrain) -> None:
    elsewhere = Machine(environment={"CLOUDMR_CONFIG": machine.environment["CLOUDMR_CONFIG"], "CLOUDMR_API_URL": ""})
    email = real_brain.new_email()
    elsewhere.run("login", "--email", email, "--api-url", real_brain.url, CLOUDMR_PASSWORD=PASSWORD)
    assert elsewhere.run("unit", "list").exit_code == ExitCode.DONE


def test_a_wrong_password_is_no_session(machine: Machine, real_brain: RealBrain) -> None:
    said = machine.run("login", "--email", real_brain.new_email(), typed="wrong horse battery\n")
    assert said.exit_code == ExitCode.FAILED
    assert "wrong_credentials" in said.errors
    assert not credentials_path(machine.environment).exists()


def test_a_password_on_the_command_line_is_warned_of(machine: Machine, real_brain: RealBrain) -> None:
    said = machine.run("login", "--email", real_brain.new_email(), "--password", PASSWORD, "--json")
    assert said.exit_code == ExitCode.DONE
    assert "warning" in said.errors
    assert said.value()["server"] == real_brain.url
    assert PASSWORD not in said.output + said.errors


def test_a_password_that_others_could_read_on_its_way_is_warned_of(machine: Machine) -> None:
    said = machine.run("login", "--email", "a@example.org", "--api-url", "http://brain.invalid", typed=f"{PASSWORD}\n")
    assert said.exit_code == ExitCode.UNREACHABLE
    assert "not https" in said.errors


def test_units_are_listed(signed_in: Machine) -> None:
    [unit] = signed_in.run("unit", "list", "--json").value()
    assert (unit["mode"], unit["provider"]) == ("mode_1", "cloudmrhub")
    assert unit["computingUnitId"] in signed_in.run("unit", "list").output


def test_a_data_file_from_upload_to_its_end(newcomer: Machine, raw_file: Path, tmp_path: Path) -> None:
    said = newcomer.run("data", "upload", raw_file, "--json")
    assert said.exit_code == ExitCode.DONE, said.errors
    [file] = said.value()
    assert file["filename"] == "meas.npz"
    data_id = file["id"]
    assert newcomer.run("data", "rename", data_id, "renamed.npz").exit_code == ExitCode.DONE
    assert newcomer.run("data", "list", "--json").value()[0]["filename"] == "renamed.npz"
    listed = newcomer.run("data", "list").output
    assert data_id in listed
    assert "renamed.npz" in listed
    assert newcomer.run("data", "download", data_id).exit_code == ExitCode.DONE
    assert (tmp_path / "renamed.npz").read_bytes() == raw_file.read_bytes()
    assert newcomer.run("data", "delete", data_id, "--json").value()[0]["state"] == "deleted"
    assert newcomer.run("data", "list", "--json").value() == []
    assert data_id in newcomer.run("data", "list", "--deleted", "--csv").output
    assert newcomer.run("data", "restore", data_id).exit_code == ExitCode.DONE
    assert newcomer.run("data", "delete", data_id, "--for-good", typed="n\n").exit_code == ExitCode.FAILED
    assert len(newcomer.run("data", "list", "--json").value()) == 1
    assert newcomer.run("data", "delete", data_id, "--for-good", "--yes").output == f"Deleted {data_id}.\n"
    assert newcomer.run("data", "restore", data_id).exit_code == ExitCode.FAILED


def test_a_header_that_names_somebody_is_blanked_unless_it_is_kept_on_this_machine(
    newcomer: Machine, tmp_path: Path
) -> None:
    path, arrived = tmp_path / "named.dat", tmp_path / "arrived.dat"
    write_twix_vb(path, simulate(Phantom(n_x=16, n_y=16, n_coils=2, n_noise_readouts=4)))
    blank = path.read_bytes()
    named = blank.replace(b"xxxxxxxx", b"Doe^Jane")
    path.write_bytes(named)
    for options, expected in (([], blank), (["--keep-headers"], named)):
        said = newcomer.run("data", "upload", path, "--json", *options)
        assert said.exit_code == ExitCode.DONE
        assert ("tPatientName" in said.errors) is (expected == blank)
        assert "Doe^Jane" not in said.output + said.errors
        data_id = said.value()[0]["id"]
        assert newcomer.run("data", "download", data_id, "-o", arrived, "--overwrite").exit_code == ExitCode.DONE
        assert arrived.read_bytes() == expected
    assert path.read_bytes() == named


@pytest.mark.slow
def test_a_job_from_files_and_flags_to_maps_in_a_folder(newcomer: Machine, raw_file: Path, tmp_path: Path) -> None:
    said = newcomer.run("job", "submit", "--signal", raw_file, "--name", "mine", "-o", tmp_path / "out", "--json")
    assert said.exit_code == ExitCode.DONE, said.errors
    job = said.value()
    assert (job["status"], job["alias"]) == ("succeeded", "mine")
    assert "succeeded" in said.errors
    assert (tmp_path / "out" / "data" / "snr.nii.gz").exists()

    job_id = job["jobId"]
    assert newcomer.run("job", "show", job_id, "--json").value()["status"] == "succeeded"
    assert "succeeded" in newcomer.run("job", "show", job_id).output
    assert [listed["jobId"] for listed in newcomer.run("job", "list", "--json").value()] == [job_id]
    assert newcomer.run("job", "list", "--state", "failed", "--json").value() == []
    assert "reading the signal" in newcomer.run("job", "log", job_id).output
    assert newcomer.run("job", "watch", job_id).exit_code == ExitCode.DONE
    assert newcomer.run("job", "cancel", job_id).exit_code == ExitCode.FAILED

    files = newcomer.run("job", "download", job_id, "--json").value()
    assert files["path"] == job_id
    assert all((tmp_path / path).is_file() for path in files["files"])
    assert newcomer.run("job", "download", job_id, "--zip").exit_code == ExitCode.DONE
    assert (tmp_path / f"{job_id}.zip").is_file()


@pytest.mark.slow
def test_a_job_that_fails_says_why_and_ends_the_command_so(
    signed_in: Machine, tmp_path: Path, rng: np.random.Generator
) -> None:
    path = raw_data(tmp_path / "meas.npz", rng, noise=False)
    said = signed_in.run("job", "submit", "--signal", path, "--watch")
    assert said.exit_code == ExitCode.FAILED
    assert "no_noise" in said.output
    assert "Give a noise scan" in said.output


def test_a_task_file_has_its_files_uploaded(newcomer: Machine, raw_file: Path, tmp_path: Path) -> None:
    file = {"type": "file", "options": {"type": "local", "filename": str(raw_file)}}
    task = {"name": "AC", "options": {"reconstructor": {"name": "RSS", "options": {"signal": file}}}}
    (tmp_path / "task.json").write_text(json.dumps(task))
    said = newcomer.run("job", "submit", "task.json", "--json")
    assert said.exit_code == ExitCode.DONE, said.errors
    [data] = newcomer.run("data", "list", "--json").value()
    assert said.value()["dataIds"] == [data["id"]]
    newcomer.run("job", "cancel", said.value()["jobId"])


def test_data_that_are_there_already_are_named_by_their_id(signed_in: Machine, raw_file: Path) -> None:
    [file] = signed_in.run("data", "upload", raw_file, "--json").value()
    job = signed_in.run("job", "submit", "--signal", file["id"], "--json").value()
    assert job["dataIds"] == [file["id"]]
    said = signed_in.run("job", "cancel", job["jobId"])
    assert said.exit_code == ExitCode.DONE, said.errors


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        ([], 2, "either a task file, or --signal"),
        (["task.json", "--signal", "meas.npz"], 2, "either a task file, or --signal"),
        (["task.json", "--method", "pmr"], 2, "either a task file, or --signal"),
        (["absent.json"], 1, "invalid_task"),
        (["task.json"], 1, "not JSON"),
        (["--signal", "absent.dat"], 1, "No such file"),
        (["--signal", "meas.npz", "--method", "guess"], 1, "invalid_task"),
        (["--signal", "meas.npz", "--unit", "unit_unknown"], 1, "not_found"),
        (["--signal", "meas.npz", "--mode", "mode_2"], 1, "no_such_unit"),
        (["--signal", "data_01jd3v6w0s8k2m4n6p8q0r2t4v"], 1, "not_found"),
    ],
)
def test_what_cannot_be_submitted_is_explained(
    signed_in: Machine, raw_file: Path, tmp_path: Path, arguments: list[str], exit_code: int, words: str
) -> None:
    (tmp_path / "task.json").write_text("{")
    said = signed_in.run("job", "submit", *arguments, COLUMNS="200")
    assert said.exit_code == exit_code, said.errors
    assert words in said.errors
    assert said.output == ""


def test_an_error_is_json_where_json_was_asked_for(signed_in: Machine) -> None:
    said = signed_in.run("job", "show", "job_unknown", "--json")
    assert said.exit_code == ExitCode.FAILED
    assert said.value()["error"].keys() == {"code", "message", "next_step"}
    assert said.value()["error"]["code"] == "not_found"


def test_the_settings_of_a_brain_are_shown_without_secrets(machine: Machine) -> None:
    secret = "a secret that nobody must see, of 32 characters and more"
    said = machine.run("settings", "--json", CLOUDMR_PORT="8123", CLOUDMR_SECRET_KEY=secret)
    rows = {row["name"]: row for row in said.value()}
    assert (rows["CLOUDMR_PORT"]["value"], rows["CLOUDMR_PORT"]["source"]) == ("8123", "environment")
    assert secret not in said.output + machine.run("settings", CLOUDMR_SECRET_KEY=secret).output


def test_a_setting_that_cannot_be_used_is_explained(machine: Machine) -> None:
    said = machine.run("serve", CLOUDMR_PORT="many")
    assert said.exit_code == ExitCode.FAILED
    assert "CLOUDMR_PORT" in said.errors


def test_a_folder_that_cannot_be_used_is_explained(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = machine.run("demo", "-o", tmp_path / "file" / "below", "--json")
    assert said.exit_code == ExitCode.FAILED
    assert said.value()["error"]["code"] == "local_file"
