from __future__ import annotations

import stat
from pathlib import Path

import pytest

from cloudmr.client.address import LOCAL_BRAIN
from cloudmr.client.credentials import (
    Identity,
    credentials_path,
    find_identity,
    forget_identity,
    keep_identity,
)
from cloudmr.client.errors import InvalidAddress, LocalFileError
from cloudmr.client.folder import client_folder

SERVER = "https://brain.example.org"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"CLOUDMR_CONFIG": str(tmp_path / "own")}


def test_nobody_is_signed_in_at_first(environment: dict[str, str]) -> None:
    assert find_identity(environment) == Identity(server=LOCAL_BRAIN)


def test_what_was_kept_is_found_again_and_forgotten(environment: dict[str, str]) -> None:
    keep_identity(Identity(server=f"{SERVER}/", token="cmr_secret", refresh_token="cmr_next"), environment)
    assert find_identity(environment) == Identity(server=SERVER, token="cmr_secret", refresh_token="cmr_next")
    forget_identity(environment)
    forget_identity(environment)
    assert find_identity(environment) == Identity(server=LOCAL_BRAIN)


def test_nobody_else_can_read_the_token(environment: dict[str, str]) -> None:
    path = keep_identity(Identity(server=SERVER, token="cmr_secret"), environment)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_a_file_that_others_could_read_is_replaced_by_one_they_cannot(environment: dict[str, str]) -> None:
    path = keep_identity(Identity(server=SERVER, token="cmr_old"), environment)
    path.chmod(0o644)
    keep_identity(Identity(server=SERVER, token="cmr_new"), environment)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_kept_token_is_shown_to_no_other_server(environment: dict[str, str]) -> None:
    keep_identity(Identity(server=SERVER, token="cmr_secret"), environment)
    elsewhere = environment | {"CLOUDMR_API_URL": "https://brain.example.com"}
    assert find_identity(elsewhere) == Identity(server="https://brain.example.com")


def test_the_environment_comes_first(environment: dict[str, str]) -> None:
    keep_identity(Identity(server=SERVER, token="cmr_secret"), environment)
    environment |= {"CLOUDMR_API_URL": "http://LOCALHOST:9000/", "CLOUDMR_TOKEN": "cmr_other"}
    assert find_identity(environment) == Identity(server="http://localhost:9000", token="cmr_other")


def test_a_token_of_the_environment_goes_to_the_kept_server(environment: dict[str, str]) -> None:
    keep_identity(Identity(server=SERVER, token="cmr_secret"), environment)
    assert find_identity(environment | {"CLOUDMR_TOKEN": "cmr_other"}) == Identity(server=SERVER, token="cmr_other")


def test_an_address_that_is_none_is_refused(environment: dict[str, str]) -> None:
    with pytest.raises(InvalidAddress):
        find_identity(environment | {"CLOUDMR_API_URL": "brain"})


def test_a_file_that_cannot_be_understood_says_what_to_do(environment: dict[str, str]) -> None:
    path = keep_identity(Identity(server=SERVER, token="cmr_secret"), environment)
    path.write_text('{"token": "cmr_half')
    with pytest.raises(LocalFileError) as caught:
        find_identity(environment)
    assert "cloudmr login" in caught.value.next_step
    assert "cmr_" not in str(caught.value)


def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LocalFileError):
        keep_identity(Identity(server=SERVER, token="cmr_secret"), {"CLOUDMR_CONFIG": str(tmp_path / "file" / "below")})


def test_a_token_is_in_no_representation(environment: dict[str, str]) -> None:
    keep_identity(Identity(server=SERVER, token="cmr_secret"), environment)
    assert "cmr_secret" not in repr(find_identity(environment))


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"CLOUDMR_CONFIG": "/a", "XDG_CONFIG_HOME": "/b"}, Path("/a")),
        ({"XDG_CONFIG_HOME": "/b"}, Path("/b/cloudmr")),
        ({"XDG_CONFIG_HOME": "b"}, Path.home() / ".config/cloudmr"),
        ({}, Path.home() / ".config/cloudmr"),
    ],
)
def test_where_the_folder_is(environment: dict[str, str], folder: Path) -> None:
    assert client_folder(environment) == folder
    assert credentials_path(environment).parent == folder
