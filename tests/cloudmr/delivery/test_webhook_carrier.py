from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from cloudmr.delivery.base import NotDelivered, Parcel
from cloudmr.delivery.webhooks import Webhooks
from cloudmr.model.webhooks import signature_headers
from mail_server import certificate

PARCEL = Parcel(
    name="0123abc",
    target="https://hooks.example.org/job",
    subject="",
    body='{"job_id": "job_1"}',
    at=datetime(2026, 11, 22, 12, 0, tzinfo=UTC),
    secret="whsec_1",
)


@dataclass
class Receiver:
    """A server that answers `status` with `headers`, and keeps what it is sent."""

    port: int = 0
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    drips: bool = False
    received: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)


@contextmanager
def receiving(context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.received.append((self.path, dict(self.headers), body))
            if receiver.drips:
                self.wfile.write(b"HTTP/1.1 2")
                self.wfile.flush()
                receiver.released.wait(30)
                return
            self.send_response(receiver.status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        receiver.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield receiver
        finally:
            receiver.released.set()
            server.shutdown()
            thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def to(receiver: Receiver, **changes: Any) -> Parcel:
    return replace(PARCEL, target=f"http://127.0.0.1:{receiver.port}/hook", **changes)


def test_a_webhook_is_a_signed_post(receiver: Receiver) -> None:
    Webhooks(allows_private=True).carry(to(receiver))
    ((path, headers, body),) = receiver.received
    assert path == "/hook"
    assert json.loads(body) == {"job_id": "job_1"}
    assert headers["Content-Type"] == "application/json"
    proof = signature_headers("whsec_1", delivery="0123abc", body=body, now=PARCEL.at)
    assert proof.items() <= headers.items()


@pytest.mark.parametrize(("status", "is_final"), [(302, False), (400, False), (410, True), (500, False)])
def test_whatever_is_no_thanks_is_a_failure(receiver: Receiver, status: int, is_final: bool) -> None:
    receiver.status = status
    receiver.headers["Location"] = f"http://127.0.0.1:{receiver.port}/elsewhere"
    with pytest.raises(NotDelivered, match=str(status)) as failure:
        Webhooks(allows_private=True).carry(to(receiver))
    assert failure.value.is_final is is_final
    assert [path for path, *_ in receiver.received] == ["/hook"]


@pytest.mark.parametrize("name", ["127.0.0.1", "10.0.0.1", "::1", "169.254.169.254", "::ffff:127.0.0.1"])
def test_a_name_that_leads_to_a_private_address_is_not_followed(name: str) -> None:
    way = Webhooks(resolve=lambda *_: [name])
    with pytest.raises(NotDelivered, match="private"):
        way.carry(PARCEL)


def test_one_private_address_among_public_ones_is_enough_to_refuse(receiver: Receiver) -> None:
    with pytest.raises(NotDelivered, match="private"):
        Webhooks(resolve=lambda *_: ["8.8.8.8", "127.0.0.1"]).carry(PARCEL)


def test_the_connection_goes_to_the_address_that_was_looked_at() -> None:
    """A name that has another address the second time: it is asked once only, and TLS still proves the name."""
    asked = []

    def changing(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.255.255.1"]

    server_context, trust = certificate()
    with receiving(server_context) as receiver:
        way = Webhooks(allows_private=True, trust=trust, resolve=changing)
        way.carry(replace(PARCEL, target=f"https://hooks.example.org:{receiver.port}/hook"))
        assert receiver.received[0][1]["Host"] == f"hooks.example.org:{receiver.port}"
    assert asked == ["hooks.example.org"]


def test_a_receiver_that_cannot_prove_its_name_gets_nothing() -> None:
    server_context, trust = certificate()
    with receiving(server_context) as receiver:
        way = Webhooks(allows_private=True, trust=trust, resolve=lambda *_: ["127.0.0.1"])
        with pytest.raises(NotDelivered, match="does not answer"):
            way.carry(replace(PARCEL, target=f"https://other.example.org:{receiver.port}/hook"))
        assert receiver.received == []


def test_without_the_setting_a_plain_or_private_address_is_refused_for_good(receiver: Receiver) -> None:
    with pytest.raises(NotDelivered) as refused:
        Webhooks().carry(to(receiver))
    assert refused.value.is_final
    assert receiver.received == []


def test_an_answer_that_never_ends_is_waited_for_until_the_deadline_only(receiver: Receiver) -> None:
    receiver.drips = True
    with pytest.raises(NotDelivered, match="does not answer"):
        Webhooks(allows_private=True, deadline_s=0.3).carry(to(receiver))


def test_a_name_nobody_knows_is_tried_again(free_port: int) -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise OSError("unknown")

    with pytest.raises(NotDelivered) as failure:
        Webhooks(resolve=unknown).carry(PARCEL)
    assert not failure.value.is_final
    with pytest.raises(NotDelivered, match="does not answer"):
        Webhooks(allows_private=True).carry(replace(PARCEL, target=f"http://127.0.0.1:{free_port}/"))
