"""Slow and many clients at a real server: sockets, no clock but the server's."""

from __future__ import annotations

import ctypes
import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from cloudmr import connections, wiring
from cloudmr.client.answers import SignedLink
from cloudmr.client.brain import BrainClient
from cloudmr.connections import LARGE_BODY_BYTES, READ_BYTES, PromptConnection, max_connections
from cloudmr.settings import Settings
from cloudmr.wiring import running
from real_brain import PASSWORD


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, int]]:
    settings = Settings.from_environment({"CLOUDMR_HOME": str(tmp_path), "CLOUDMR_PORT": "0"})
    with running(settings) as url:
        address = urlsplit(url)
        assert address.hostname is not None
        assert address.port is not None
        yield address.hostname, address.port


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /healthz HTTP/1.1\r\nHost: brain\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: brain\r\n\r\nGET /healthz HTTP/1.1\r\n",
        b"POST /nothing HTTP/1.1\r\nHost: brain\r\nContent-Length: 10\r\n\r\nhalf",
    ],
)
def test_a_request_that_never_ends_is_hung_up_on(
    sent: bytes, server: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PromptConnection, "request_head_s", 0.05)
    with socket.create_connection(server, timeout=4) as client:
        client.sendall(sent)
        while client.recv(4096):
            pass


def test_a_connection_in_use_is_kept(server: tuple[str, int]) -> None:
    opened = []

    def trace(name: str, _info: object) -> None:
        if name == "connection.connect_tcp.complete":
            opened.append(name)

    with httpx.Client(base_url=f"http://{server[0]}:{server[1]}") as client:
        for _ in range(3):
            client.get("/healthz", extensions={"trace": trace}).raise_for_status()
    assert len(opened) == 1


def test_too_many_are_told_so_and_more_are_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "max_connections", lambda: 3)
    monkeypatch.setattr(connections, "_TOLD_BEFORE_DROPPED", 1)
    settings = Settings.from_environment({"CLOUDMR_HOME": str(tmp_path), "CLOUDMR_PORT": "0"})
    with running(settings) as url, ExitStack() as stack:
        address = urlsplit(url)

        def wait_idly(n_clients: int) -> None:
            for _ in range(n_clients):
                stack.enter_context(socket.create_connection((address.hostname or "", address.port or 0)))

        wait_idly(2)
        assert httpx.get(f"{url}/healthz").status_code == 503
        wait_idly(2)
        with pytest.raises((httpx.NetworkError, httpx.RemoteProtocolError)):
            httpx.get(f"{url}/healthz")


def read_until(client: socket.socket, end: bytes) -> None:
    answer = b""
    while not answer.endswith(end):
        chunk = client.recv(4096)
        assert chunk, answer
        answer += chunk


def test_a_proxy_keeps_its_connections_between_requests_and_sends_each_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PromptConnection, "request_head_s", 0.2)
    proxys, request = ("127.0.0.2", 0), b"GET /healthz HTTP/1.1\r\nHost: brain\r\n\r\n"
    variables = {"CLOUDMR_HOME": str(tmp_path), "CLOUDMR_PORT": "0", "CLOUDMR_TRUSTED_PROXIES": proxys[0]}
    with running(Settings.from_environment(variables)) as url, ExitStack() as stack:
        server = (urlsplit(url).hostname or "", urlsplit(url).port or 0)
        httpx.get(f"{url}/healthz")  # the first answer may take longer than anybody has to ask
        proxy = stack.enter_context(socket.create_connection(server, timeout=4, source_address=proxys))
        other = stack.enter_context(socket.create_connection(server, timeout=4))
        for client in (proxy, other):
            client.sendall(request)
            read_until(client, b'{"ok":true}')
        assert not other.recv(4096), "whoever else is silent is hung up on, and the time for that has passed"
        proxy.sendall(request)
        read_until(proxy, b'{"ok":true}')
        proxy.sendall(request[:20])
        assert not proxy.recv(4096)


def test_a_proxy_may_be_silent_for_so_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PromptConnection, "proxy_idle_s", 0.05)
    variables = {"CLOUDMR_HOME": str(tmp_path), "CLOUDMR_PORT": "0", "CLOUDMR_TRUSTED_PROXIES": "127.0.0.0/8"}
    with running(Settings.from_environment(variables)) as url:
        server = (urlsplit(url).hostname or "", urlsplit(url).port or 0)
        with socket.create_connection(server, timeout=4) as proxy:
            assert not proxy.recv(4096)


@pytest.mark.parametrize(("n_files", "n_connections"), [(10_240, 1000), (1024, 384), (256, 1), (64, 1)])
def test_every_connection_may_have_a_file_open_too(n_files: int, n_connections: int) -> None:
    assert max_connections(n_files) == n_connections


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="only glibc's memory can be kept")
def test_memory_that_pieces_of_uploads_pass_through_is_kept() -> None:
    program = """
import resource
from cloudmr.connections import LARGE_BODY_BYTES, keep_freed_memory

def n_pages_made():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(100):
        [bytearray(LARGE_BODY_BYTES) for _ in range(4)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

n_pages_made()
keep_freed_memory()
n_pages_made()
print(n_pages_made())
"""
    n_pages = int(subprocess.run([sys.executable, "-c", program], check=True, capture_output=True).stdout)
    assert n_pages < 100, "less than one for each piece, of hundreds of pages"


def test_a_server_may_open_as_many_files_as_it_is_allowed() -> None:
    program = """
import resource
from cloudmr.connections import raise_file_limit
raise_file_limit()
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard == resource.RLIM_INFINITY or hard >= 400
    printed = subprocess.run(
        ["/bin/sh", "-c", 'ulimit -Sn 300 && ulimit -Hn 400 && exec "$0" -c "$1"', sys.executable, program],
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout.split() == ["400", "400"]


def big_download(url: str, folder: Path) -> str:
    """Return the path of a signed request for more than the sockets of both sides hold."""
    with BrainClient(url, folder=folder) as client:
        client.register(email="slow@example.org", password=PASSWORD)
        client.log_in(email="slow@example.org", password=PASSWORD)
        file = folder / "big"
        file.write_bytes(bytes(24 * 1024 * 1024))
        data_file = client.upload(file, keep_headers=True)
        link = client._connection.ask(SignedLink, "GET", f"/api/data/{data_file.id}/download")
    return link.url.removeprefix(url)


def test_much_is_taken_at_once_of_a_large_body_and_of_nothing_else(
    server: tuple[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []
    receive = PromptConnection.data_received

    def data_received(self: PromptConnection, data: bytes) -> None:
        taken.append(len(data))
        receive(self, data)

    monkeypatch.setattr(PromptConnection, "data_received", data_received)
    url = f"http://{server[0]}:{server[1]}"
    big_download(url, tmp_path)
    assert READ_BYTES < max(taken) <= LARGE_BODY_BYTES
    taken.clear()
    with httpx.Client(base_url=url) as client:
        client.get("/healthz")
        for body in (bytes(LARGE_BODY_BYTES), iter([bytes(3 * LARGE_BODY_BYTES)])):
            client.post("/api/auth/login", content=body)
            client.get("/healthz")
    assert max(taken) <= READ_BYTES


def read_all(client: socket.socket) -> int:
    n_bytes = 0
    while chunk := client.recv(1 << 20):
        n_bytes += len(chunk)
    return n_bytes


@pytest.mark.parametrize("is_slow", [True, False])
def test_who_does_not_read_is_hung_up_on_and_who_reads_is_not(
    server: tuple[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_slow: bool
) -> None:
    path = big_download(f"http://{server[0]}:{server[1]}", tmp_path)
    lost = threading.Event()

    whole = PromptConnection.connection_lost

    def connection_lost(self: PromptConnection, exc: Exception | None) -> None:
        if self._is_answering and self.scope["method"] == "GET":
            lost.set()
        whole(self, exc)

    monkeypatch.setattr(PromptConnection, "connection_lost", connection_lost)
    monkeypatch.setattr(PromptConnection, "answer_read_s", 0.2 if is_slow else 60)
    request = f"GET {path} HTTP/1.1\r\nHost: brain\r\nConnection: close\r\n\r\n".encode()
    with socket.create_connection(server, timeout=20) as client:
        client.sendall(request)
        if is_slow:
            assert lost.wait(20), "the server holds on to somebody who does not read"
            with suppress(ConnectionResetError):
                assert read_all(client) < 24 * 1024 * 1024
        else:
            assert read_all(client) > 24 * 1024 * 1024
