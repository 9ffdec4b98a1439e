from __future__ import annotations

import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cloudmr.errors import Conflict, SettingsError
from cloudmr.home import keep_private, load_secret_key, load_unit_id, make_home, only_brain


def test_a_home_is_for_its_owners_eyes_only(tmp_path: Path) -> None:
    home = tmp_path / "a" / "home"
    make_home(home)
    make_home(home)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_a_home_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="cannot be used"):
        make_home(tmp_path / "file" / "home")


def test_a_secret_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    key = load_secret_key(tmp_path)
    assert len(key) == 64
    assert load_secret_key(tmp_path) == key
    [path] = tmp_path.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    other = tmp_path / "other"
    other.mkdir()
    assert load_secret_key(other) != key


def test_a_secret_key_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    key = load_secret_key(tmp_path)
    (tmp_path / "secret-key").chmod(0o644)
    assert load_secret_key(tmp_path) == key
    assert stat.S_IMODE((tmp_path / "secret-key").stat().st_mode) == 0o600


def test_a_unit_is_named_once(tmp_path: Path) -> None:
    names = iter(["unit_a", "unit_b"])
    assert [load_unit_id(tmp_path, lambda: next(names)) for _ in range(2)] == ["unit_a"] * 2


def test_a_private_file_keeps_its_content(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("content")
    file.chmod(0o666)
    keep_private(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text() == "content"


def test_two_that_make_a_key_at_once_have_the_same(tmp_path: Path) -> None:
    n_makers = 8
    together = threading.Barrier(n_makers)

    def make(_: int) -> bytes:
        together.wait()
        return load_secret_key(tmp_path)

    with ThreadPoolExecutor(n_makers) as threads:
        assert len(set(threads.map(make, range(n_makers)))) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret-key"]


def test_a_database_is_held_by_one_brain(tmp_path: Path) -> None:
    database = tmp_path / "brain.sqlite"
    with only_brain(database):
        with pytest.raises(Conflict) as refused, only_brain(database):
            pass
        assert refused.value.instance_code == "brain_already_running"
        assert str(database) in refused.value.message
        with only_brain(tmp_path / "other.sqlite"):
            pass
    with only_brain(database):
        pass


def test_a_database_where_none_can_be_is_explained(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file or directory"), only_brain(tmp_path / "no" / "brain.sqlite"):
        pass


def test_a_brain_that_was_killed_holds_it_no_longer(tmp_path: Path) -> None:
    database = tmp_path / "brain.sqlite"
    program = f"""
from pathlib import Path
from cloudmr.home import only_brain
with only_brain(Path({str(database)!r})):
    print("held", flush=True)
    input()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(Conflict), only_brain(database):
            pass
        process.kill()
        process.wait()
        with only_brain(database):
            pass
