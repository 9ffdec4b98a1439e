"""Uploads that were interrupted: by the network, by another upload, by a change of the file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from cloudmr.client.brain import BrainClient
from cloudmr.client.errors import BrainUnreachable
from cloudmr.model.data_files import DataState
from faulty_transport import FaultyTransport
from real_brain import PASSWORD, RealBrain
from small_job import raw_data

Open = Callable[..., BrainClient]


@pytest.fixture
def raw_file(tmp_path: Path, rng: np.random.Generator) -> Path:
    return raw_data(tmp_path / "meas.npz", rng)


@pytest.fixture
def sign_in(real_brain: RealBrain, tmp_path: Path) -> Iterator[Open]:
    """Return what gives clients of one person on one machine, each with a network of its own."""
    email = real_brain.new_email()
    opened: list[BrainClient] = []

    def sign_in(transport: httpx.BaseTransport | None = None, *, email: str = email) -> BrainClient:
        client = BrainClient(real_brain.url, folder=tmp_path / "client", transport=transport, pause=lambda _: None)
        opened.append(client)
        client.log_in(email=email, password=PASSWORD)
        return client

    yield sign_in
    for client in opened:
        client.close()


def completing(request: httpx.Request) -> bool:
    return request.url.path.endswith("/complete")


def sending(request: httpx.Request) -> bool:
    return request.method == "PUT"


def begin(client: BrainClient, raw_file: Path) -> str:
    with pytest.raises(BrainUnreachable):
        client.upload(raw_file)
    [begun] = client.data_files()
    assert begun.state is DataState.UPLOADING
    return begun.id


def test_an_upload_goes_on_after_a_restart_of_the_client(sign_in: Open, raw_file: Path) -> None:
    data_id = begin(sign_in(FaultyTransport(lose=completing)), raw_file)
    again = sign_in(FaultyTransport(lose=sending))
    assert again.upload(raw_file).id == data_id
    assert [file.id for file in again.data_files()] == [data_id]


def test_an_upload_whose_completion_was_not_heard_is_complete(sign_in: Open, raw_file: Path) -> None:
    with pytest.raises(BrainUnreachable):
        sign_in(FaultyTransport(lose_answer=completing)).upload(raw_file)
    again = sign_in()
    [done] = again.data_files()
    assert done.state is DataState.READY
    assert again.upload(raw_file) == done


def test_a_file_that_arrived_is_not_remembered(sign_in: Open, raw_file: Path, tmp_path: Path) -> None:
    client = sign_in()
    first, second = client.upload(raw_file), client.upload(raw_file)
    assert first.id != second.id
    assert list((tmp_path / "client" / "uploads").iterdir()) == []


def test_an_upload_that_was_given_up_meanwhile_begins_anew(sign_in: Open, raw_file: Path) -> None:
    data_id = begin(sign_in(FaultyTransport(lose=completing)), raw_file)
    client = sign_in()
    client.delete_data(data_id)
    assert client.upload(raw_file).id != data_id


def test_somebody_elses_upload_of_the_same_file_is_not_gone_on_with(
    sign_in: Open, raw_file: Path, real_brain: RealBrain
) -> None:
    data_id = begin(sign_in(FaultyTransport(lose=completing)), raw_file)
    assert sign_in(email=real_brain.new_email()).upload(raw_file).id != data_id


def test_a_file_that_was_written_anew_begins_anew(sign_in: Open, raw_file: Path, rng: np.random.Generator) -> None:
    data_id = begin(sign_in(FaultyTransport(lose=completing)), raw_file)
    written_ns = raw_file.stat().st_mtime_ns
    raw_data(raw_file, rng)
    os.utime(raw_file, ns=(written_ns + 1, written_ns + 1))
    assert sign_in().upload(raw_file).id != data_id
