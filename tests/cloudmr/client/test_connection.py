from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest
from pydantic import BaseModel

from cloudmr.client.connection import Connection
from cloudmr.client.errors import BrainUnreachable, Refused, SignInNeeded, StrangeAnswer

SERVER = "https://brain.example.org"
REFUSAL = {"code": "not_found", "message": "There is no such job.", "next_step": "Check its id."}


class Thing(BaseModel):
    name: str


class Script:
    """Answers one request after another with what it was given; keeps the requests."""

    def __init__(self, *answers: httpx.Response | type[httpx.TransportError]) -> None:
        self._answers: Iterator[httpx.Response | type[httpx.TransportError]] = iter(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = next(self._answers)
        if isinstance(answer, httpx.Response):
            return answer
        raise answer("gone", request=request)


Connect = Callable[[Script], Connection]


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def connect(pauses: list[float]) -> Connect:
    return lambda script: Connection(
        SERVER, token="cmr_token", transport=httpx.MockTransport(script), pause=pauses.append
    )


def done() -> httpx.Response:
    return httpx.Response(200, json={"name": "thing", "later_field": 1})


def busy(**headers: str) -> httpx.Response:
    return httpx.Response(503, json=REFUSAL | {"code": "busy"}, headers=headers)


def test_an_answer_is_a_value_and_the_token_is_shown(connect: Connect) -> None:
    script = Script(done())
    assert connect(script).ask(Thing, "GET", "/api/thing") == Thing(name="thing")
    [request] = script.requests
    assert str(request.url) == f"{SERVER}/api/thing"
    assert request.headers["Authorization"] == "Bearer cmr_token"


@pytest.mark.parametrize("first", [httpx.ReadError, httpx.ConnectError, httpx.ReadTimeout, busy()])
def test_a_question_is_asked_again(
    connect: Connect, pauses: list[float], first: httpx.Response | type[httpx.TransportError]
) -> None:
    assert connect(Script(first, done())).ask(Thing, "GET", "/api/thing").name == "thing"
    assert len(pauses) == 1


@pytest.mark.parametrize("first", [httpx.ReadError, httpx.ReadTimeout, busy()])
def test_an_order_that_may_have_arrived_is_not_given_twice(
    connect: Connect, first: httpx.Response | type[httpx.TransportError]
) -> None:
    script = Script(first, done())
    with pytest.raises((BrainUnreachable, Refused)):
        connect(script).ask(Thing, "POST", "/api/thing", body={})
    assert len(script.requests) == 1


def test_an_order_that_never_left_is_given_again(connect: Connect) -> None:
    assert connect(Script(httpx.ConnectError, done())).ask(Thing, "POST", "/api/thing", body={}).name == "thing"


def test_an_order_that_is_harmless_twice_is_given_again(connect: Connect) -> None:
    connection = connect(Script(httpx.ReadError, busy(), done()))
    assert connection.ask(Thing, "POST", "/api/thing", body={}, is_repeatable=True).name == "thing"


def test_a_server_is_given_the_time_it_asks_for(connect: Connect, pauses: list[float]) -> None:
    connect(Script(busy(**{"Retry-After": "2"}), done())).ask(Thing, "GET", "/api/thing")
    assert pauses == [2]


def test_the_brain_speaks_for_itself(connect: Connect) -> None:
    with pytest.raises(Refused) as caught:
        connect(Script(httpx.Response(404, json=REFUSAL))).ask(Thing, "GET", "/api/thing")
    assert caught.value.explain() == REFUSAL
    assert caught.value.status == 404


def test_who_is_not_signed_in_is_told_how_to(connect: Connect) -> None:
    refusal = REFUSAL | {"code": "token_expired", "message": "The access token has expired."}
    with pytest.raises(SignInNeeded) as caught:
        connect(Script(httpx.Response(401, json=refusal))).ask(Thing, "GET", "/api/thing")
    assert caught.value.instance_code == "token_expired"
    assert "cloudmr login" in caught.value.next_step


def test_a_wrong_password_is_no_reason_to_sign_in(connect: Connect) -> None:
    refusal = REFUSAL | {"code": "wrong_credentials"}
    with pytest.raises(Refused):
        connect(Script(httpx.Response(401, json=refusal))).ask(Thing, "POST", "/api/auth/login", body={})


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>Sign in to the hospital's network</html>"),
        httpx.Response(200, json={"title": "another program"}),
        httpx.Response(404, text="404 page not found"),
        httpx.Response(302, headers={"Location": "https://elsewhere.example.org"}),
    ],
)
def test_what_is_no_brain_is_recognised(connect: Connect, answer: httpx.Response) -> None:
    script = Script(answer)
    with pytest.raises(StrangeAnswer):
        connect(script).ask(Thing, "GET", "/api/thing")
    assert len(script.requests) == 1


def test_a_gateway_that_speaks_for_a_brain_it_does_not_reach_is_asked_again(connect: Connect) -> None:
    gateway = httpx.Response(502, text="<html>Bad gateway</html>")
    assert connect(Script(gateway, done())).ask(Thing, "GET", "/api/thing").name == "thing"
    with pytest.raises(BrainUnreachable, match="502 Bad Gateway"):
        connect(Script(*[gateway] * 4)).ask(Thing, "GET", "/api/thing")


def test_who_never_answers_is_given_up(connect: Connect, pauses: list[float]) -> None:
    with pytest.raises(BrainUnreachable) as caught:
        connect(Script(*[httpx.ConnectError] * 4)).ask(Thing, "GET", "/api/thing")
    assert "cmr_token" not in str(caught.value)
    assert len(pauses) == 3


@pytest.mark.parametrize(
    ("server", "url", "by_proxy"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/api/thing", False),
        ("http://[::1]:8000", "http://[::1]:8000/api/thing", False),
        ("http://localhost:8000", "https://bucket.s3.eu-central-1.amazonaws.com/x", True),
        ("https://brain.example.org", "https://brain.example.org/api/thing", True),
    ],
)
def test_a_proxy_leads_to_storage_elsewhere_and_not_to_this_machine(
    monkeypatch: pytest.MonkeyPatch, server: str, url: str, by_proxy: bool
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://proxy.example.org:3128")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with Connection(server) as connection:
        taken = connection.http._transport_for_url(httpx.URL(url))
        assert (taken is not connection.http._transport) is by_proxy
