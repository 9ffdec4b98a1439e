from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mroptimum.cli import ExitCode, app
from mroptimum.phantom import Phantom, simulate, write_twix_ve

SMALL = Phantom(n_coils=4, n_x=32, n_y=32, sigma=0.01)
runner = CliRunner()


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scan") / "scan.dat"
    write_twix_ve(path, simulate(SMALL))
    return path


@pytest.fixture(scope="module")
def silent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scan without noise."""
    path = tmp_path_factory.mktemp("silent") / "scan.dat"
    write_twix_ve(path, simulate(Phantom(n_coils=4, n_x=32, n_y=32, n_noise_readouts=0)))
    return path


def call(*arguments: object) -> tuple[int, str, str]:
    result = runner.invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.stdout, result.stderr


def task_file(folder: Path, signal: Path) -> Path:
    task = {
        "task": {
            "name": "AC",
            "options": {
                "reconstructor": {
                    "name": "RSS",
                    "options": {"signal": {"type": "file", "options": {"type": "local", "filename": str(signal)}}},
                }
            },
        }
    }
    path = folder / "task.json"
    path.write_text(json.dumps(task))
    return path


def test_flags_and_a_task_file_give_the_same_numbers(scan: Path, tmp_path: Path) -> None:
    code, out, _ = call("snr", "--signal", scan, "-o", tmp_path / "a", "--json")
    assert code == ExitCode.DONE
    by_flags: dict[str, Any] = json.loads(out)
    code, out, _ = call("run", task_file(tmp_path, scan), "-o", tmp_path / "b", "--json")
    assert code == ExitCode.DONE
    assert json.loads(out)["snr"] == by_flags["snr"]
    assert Path(by_flags["report"]).is_file()


def test_a_package_repeats_itself(scan: Path, tmp_path: Path) -> None:
    """The command in the manifest, with the file named again, gives the same numbers."""
    _, first, _ = call("snr", "--signal", scan, "-o", tmp_path / "a", "--json")
    code, again, _ = call("run", tmp_path / "a" / "task.json", "--signal", scan, "-o", tmp_path / "b", "--json")
    assert code == ExitCode.DONE
    assert json.loads(again)["snr"] == json.loads(first)["snr"]


def test_progress_goes_to_standard_error_and_text_to_standard_output(scan: Path, tmp_path: Path) -> None:
    code, out, err = call("snr", "--signal", scan, "-o", tmp_path / "a")
    assert code == ExitCode.DONE
    assert "report.html" in out
    assert "reading the signal" in err
    assert "reading" not in out


def test_no_noise_has_an_exit_code_of_its_own(silent: Path, tmp_path: Path) -> None:
    code, out, _ = call("snr", "--signal", silent, "-o", tmp_path / "a", "--json")
    assert code == ExitCode.NO_SNR
    assert json.loads(out)["error"]["code"] == "no_noise"
    assert (tmp_path / "a" / "data" / "image.nii.gz").is_file()


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "unreadable_file"), (b"\xff\xd8\xff\xe0" + b"x" * 200, "unreadable_file"), (b"x" * 100, "unreadable_file")],
)
def test_what_is_no_raw_file_is_refused_with_three_lines(content: bytes, code: str, tmp_path: Path) -> None:
    path = tmp_path / "scan.dat"
    path.write_bytes(content)
    exit_code, out, err = call("snr", "--signal", path, "-o", tmp_path / "a", "--json")
    assert exit_code == ExitCode.REFUSED
    assert json.loads(out)["error"].keys() == {"code", "message", "next_step"}
    assert json.loads(out)["error"]["code"] == code
    exit_code, out, err = call("inspect", path)
    assert (exit_code, out) == (ExitCode.REFUSED, "")
    assert code in err
    assert "Next:" in err


def test_truncated_files_are_refused(scan: Path, tmp_path: Path) -> None:
    whole = scan.read_bytes()
    path = tmp_path / "cut.dat"
    for length in (100, 10_000, 12_000, len(whole) // 2, len(whole) - 5000):
        path.write_bytes(whole[:length])
        exit_code, out, _ = call("snr", "--signal", path, "-o", tmp_path / "a", "--json")
        assert exit_code == ExitCode.REFUSED, length
        assert json.loads(out)["error"]["code"] == "unreadable_file"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"task": {"name": "ac"}}', "[" * 100_000])
def test_what_is_no_task_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "task.json"
    path.write_text(text)
    exit_code, out, _ = call("run", path, "-o", tmp_path / "a", "--json")
    assert exit_code == ExitCode.REFUSED
    assert json.loads(out)["error"]["code"] == "invalid_task"


def test_folders_with_something_in_them_are_left_alone(scan: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    exit_code, out, _ = call("snr", "--signal", scan, "-o", tmp_path, "--json")
    assert exit_code == ExitCode.REFUSED
    assert json.loads(out)["error"]["code"] == "output_not_empty"
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_files_in_a_bucket_cannot_be_run_here(tmp_path: Path, scan: Path) -> None:
    path = task_file(tmp_path, scan)
    document = json.loads(path.read_text())
    options = document["task"]["options"]["reconstructor"]["options"]["signal"]["options"]
    options |= {"type": "s3", "bucket": "b", "key": "uploads/data_1"}
    path.write_text(json.dumps(document))
    exit_code, out, _ = call("run", path, "-o", tmp_path / "a", "--json")
    assert exit_code == ExitCode.REFUSED
    assert "cloudmr job submit" in json.loads(out)["error"]["next_step"]
    assert call("run", path, "--signal", scan, "-o", tmp_path / "b", "--json")[0] == ExitCode.DONE


def test_inspect_says_what_a_file_holds(scan: Path) -> None:
    code, out, _ = call("inspect", scan, "--json")
    assert code == ExitCode.DONE
    assert json.loads(out)["kind"] == "imaging"
    code, out, _ = call("inspect", scan)
    assert "identifying fields" in out


def test_usage_errors_exit_with_two() -> None:
    assert call("snr")[0] == ExitCode.USAGE
    assert call("nonsense")[0] == ExitCode.USAGE


def test_the_schema_is_json() -> None:
    code, out, _ = call("schema")
    assert code == ExitCode.DONE
    assert json.loads(out)["title"] == "TaskDocument"


def test_the_package_is_imported_quickly() -> None:
    """No array library and no reader comes with `import mroptimum`, nor with asking for help."""
    script = "import sys, mroptimum, mroptimum.cli; print(sorted(m for m in sys.modules if '.' not in m))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    for heavy in ("'numpy'", "'scipy'", "'twixtools'", "'ismrmrd'", "'matplotlib'", "'nibabel'", "'pydantic'"):
        assert heavy not in loaded


@pytest.mark.slow
def test_phantoms_are_written_with_their_truth(tmp_path: Path) -> None:
    code, out, _ = call("phantom", "-o", tmp_path, "--json")
    assert code == ExitCode.DONE
    for entry in json.loads(out):
        assert all(Path(path).is_file() for path in entry.values())
        assert call("inspect", entry["raw"])[0] == ExitCode.DONE
