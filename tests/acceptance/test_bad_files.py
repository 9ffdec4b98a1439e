"""Files that cannot be used, all the way through a Brain: each is named for what it is, with what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudmr.client.answers import Job
from cloudmr.client.brain import BrainClient
from cloudmr.client.errors import Refused
from cloudmr.model.jobs import JobState
from mroptimum.errors import UnreadableFile
from mroptimum.flags import Flags
from mroptimum.phantom import Written
from real_brain import RealBrain

WORDS = {
    "a picture": "JPEG",
    "a stump": "100 bytes",
    "random bytes": "not MR raw data",
    "a truncated scan": "truncated",
}


@pytest.fixture(scope="module")
def client(real_brain: RealBrain) -> Iterator[BrainClient]:
    with real_brain.person() as client:
        yield client


@pytest.fixture(scope="module")
def bad_files(phantom: Written, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    scan = phantom.raw.read_bytes()
    contents = {
        "a picture": b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(range(256)) * 20,
        "a stump": scan[:100],
        "random bytes": bytes((i * 73 + 41) % 251 for i in range(20_000)),
        "a truncated scan": scan[: len(scan) // 2],
    }
    folder = tmp_path_factory.mktemp("bad")
    paths = {}
    for name, content in contents.items():
        paths[name] = folder / f"{name}.dat"
        paths[name].write_bytes(content)
    return paths


@pytest.mark.slow
def test_each_fails_with_its_reason(client: BrainClient, bad_files: dict[str, Path]) -> None:
    jobs = {
        name: client.submit(Flags().document(client.upload(path, keep_headers=True).reference, None))
        for name, path in bad_files.items()
    }
    for name, job in jobs.items():
        *_, ended = (news for news in client.follow(job.job_id) if isinstance(news, Job))
        assert ended.status is JobState.FAILED, name
        assert ended.failure is not None
        assert ended.failure.code == "unreadable_file", name
        assert WORDS[name] in ended.failure.message
        assert ended.failure.next_step
        assert "Traceback" not in ended.failure.message


@pytest.mark.parametrize("name", sorted(WORDS.keys() - {"a truncated scan"}))
def test_none_leaves_this_machine_unless_told_to(client: BrainClient, bad_files: dict[str, Path], name: str) -> None:
    before = list(client.data_files())
    with pytest.raises(UnreadableFile):
        client.upload(bad_files[name])
    assert list(client.data_files()) == before


def test_an_empty_file_is_refused_by_the_client_and_by_the_brain(client: BrainClient, tmp_path: Path) -> None:
    empty = tmp_path / "empty.dat"
    empty.touch()
    with pytest.raises(UnreadableFile, match="empty"):
        client.upload(empty)
    with pytest.raises(Refused) as caught:
        client.upload(empty, keep_headers=True)
    assert caught.value.instance_code == "file_size"
