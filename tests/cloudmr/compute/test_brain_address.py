from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from cloudmr.compute.brain_address import ToPresentAddress, announce_address
from listener import Listener, listening


@pytest.fixture
def another() -> Iterator[Listener]:
    with listening() as listener:
        yield listener


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "brain-address"


def post(url: str, file: Path | None) -> int:
    with httpx.Client(transport=ToPresentAddress(file), timeout=10) as client:
        return client.post(url, content=b"{}", headers={"X-Signed": "yes"}).status_code


def gone() -> str:
    with listening() as listener:
        return listener.url


def test_what_was_addressed_to_the_old_place_goes_to_the_new_one(another: Listener, file: Path) -> None:
    announce_address(file, another.url)
    assert post(f"{gone()}/api/job/x/callback", file) == 200
    heard = another.next()
    assert (heard.method, heard.path, heard.body) == ("POST", "/api/job/x/callback", b"{}")
    assert (heard.headers["X-Signed"], heard.headers["Host"]) == ("yes", another.url.removeprefix("http://"))


def test_a_brain_that_moved_on_and_ended_is_not_the_last_word(another: Listener, file: Path) -> None:
    announce_address(file, gone())
    assert post(f"{another.url}/callback", file) == 200
    assert another.next().path == "/callback"


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"not an address", b"http://[::1"])
def test_a_file_that_says_nothing_changes_nothing(another: Listener, file: Path, content: bytes | None) -> None:
    if content is not None:
        file.write_bytes(content)
    assert post(f"{another.url}/callback", file) == 200
    assert post(f"{another.url}/callback", None) == 200


def test_nobody_anywhere_is_an_error(file: Path) -> None:
    announce_address(file, gone())
    with pytest.raises(httpx.ConnectError):
        post(f"{gone()}/callback", file)


def test_the_file_is_read_at_every_request(brain: Listener, another: Listener, file: Path) -> None:
    announce_address(file, brain.url)
    with httpx.Client(transport=ToPresentAddress(file), timeout=10) as client:
        client.get(f"{gone()}/first")
        announce_address(file, another.url)
        client.get(f"{gone()}/second")
    assert (brain.next().path, another.next().path) == ("/first", "/second")
    assert [path.name for path in file.parent.iterdir()] == ["brain-address"]
