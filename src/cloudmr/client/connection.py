"""One connection to a Brain and to the storage it signs URLs for: tries again, and turns every failure into words."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ValidationError

import mroptimum
from cloudmr.client.address import is_this_machine, normal_address
from cloudmr.client.errors import BrainUnreachable, Refused, SignInNeeded, StrangeAnswer
from cloudmr.client.retries import BRIEF, PASSING_STATUSES, Pause, RetryPolicy, Tries, asked_delay_s

Answer = TypeVar("Answer", bound=BaseModel)
Renew = Callable[[str], str | None]
"""Gets a token in place of one that has expired; None: there is no way but to sign in."""

TIMEOUT = httpx.Timeout(30, connect=10)
_MAX_ERROR_BYTES = 64 * 1024


class Connection:
    """Requests to one Brain, with a token. Safe to use from several threads.

    The token goes to the Brain's own API and nowhere else: not to storage, not after a redirect (none is followed).
    """

    def __init__(
        self,
        server: str,
        *,
        token: str | None = None,
        renew: Renew = lambda _: None,
        transport: httpx.BaseTransport | None = None,
        pause: Pause = time.sleep,
    ) -> None:
        self.server = normal_address(server)
        self.token = token
        self.pause = pause
        self._renew = renew
        self._renewing = threading.Lock()
        self.http = httpx.Client(
            transport=transport,
            timeout=TIMEOUT,
            headers={"User-Agent": f"cloudmr/{mroptimum.__version__}"},
            mounts=_without_proxy(self.server),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections to Brain and storage."""
        self.http.close()

    def ask(
        self,
        answer: type[Answer],
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str | Sequence[str]] | None = None,
        headers: Mapping[str, str] | None = None,
        is_repeatable: bool | None = None,
        policy: RetryPolicy = BRIEF,
    ) -> Answer:
        """Make a request of the API and return the answer.

        What `is_repeatable` (GET and DELETE unless said otherwise) is tried again after a failure that may pass; the
        rest only if it surely never reached the Brain. Raise `Refused`, `SignInNeeded`, `BrainUnreachable`,
        `StrangeAnswer`.
        """
        repeatable = method in {"GET", "DELETE"} if is_repeatable is None else is_repeatable
        tries = Tries(policy, self.pause)
        while True:
            token = self.token
            try:
                response = self.http.request(
                    method,
                    f"{self.server}{path}",
                    json=body,
                    params=query,
                    headers={**(headers or {}), **_authorization(token)},
                )
            except httpx.RequestError as error:
                unreachable = BrainUnreachable(self.server, describe(error))
                if not (repeatable or isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)):
                    raise unreachable from error
                tries.failed(unreachable)
                continue
            if response.is_success:
                return self._read(answer, response)
            refusal = self.refusal(response)
            if isinstance(refusal, SignInNeeded) and self._has_renewed(token):
                continue
            if not (repeatable and response.status_code in PASSING_STATUSES):
                raise refusal
            tries.failed(refusal, asked_s=asked_delay_s(response.headers.get("Retry-After")))

    @contextmanager
    def stream(self, path: str, *, headers: Mapping[str, str], timeout: httpx.Timeout) -> Iterator[httpx.Response]:
        """Open an answer of the API that comes bit by bit, once. Raise `Refused`, `SignInNeeded`, `httpx` errors."""
        token = self.token
        request = {**headers, **_authorization(token)}
        with self.http.stream("GET", f"{self.server}{path}", headers=request, timeout=timeout) as response:
            if response.is_success:
                yield response
                return
            response.read()
        refusal = self.refusal(response)
        if not (isinstance(refusal, SignInNeeded) and self._has_renewed(token)):
            raise refusal
        with self.stream(path, headers=headers, timeout=timeout) as renewed:
            yield renewed

    def refusal(self, response: httpx.Response) -> Refused | SignInNeeded | BrainUnreachable | StrangeAnswer:
        """Return the error that an answer of the API tells."""
        explanation = _Explanation.read(response)
        if explanation is None and response.status_code in PASSING_STATUSES:
            # Something in between, a gateway or a proxy, speaks for a Brain that it does not reach.
            return BrainUnreachable(self.server, f"{response.status_code} {response.reason_phrase}".strip())
        if explanation is None:
            return StrangeAnswer(self.server, f"status {response.status_code} without an explanation")
        if response.status_code == httpx.codes.UNAUTHORIZED and not explanation.is_about_password:
            return SignInNeeded(explanation.message, code=explanation.code)
        return Refused(
            {"code": explanation.code, "message": explanation.message, "next_step": explanation.next_step},
            status=response.status_code,
        )

    def _has_renewed(self, expired: str | None) -> bool:
        """Tell whether there is another token to show than the one that was refused."""
        if expired is None:
            return False
        with self._renewing:
            if self.token == expired and (fresh := self._renew(expired)) is not None:
                self.token = fresh
            return self.token != expired

    def _read(self, answer: type[Answer], response: httpx.Response) -> Answer:
        try:
            return answer.model_validate_json(response.content or b"{}")
        except ValidationError as error:
            places = sorted({".".join(str(step) for step in problem["loc"]) or "body" for problem in error.errors()})
            raise StrangeAnswer(self.server, f"fields of an answer not understood: {', '.join(places[:5])}") from None


class _Explanation(BaseModel):
    code: str
    message: str
    next_step: str = ""

    @property
    def is_about_password(self) -> bool:
        return self.code == "wrong_credentials"

    @classmethod
    def read(cls, response: httpx.Response) -> Self | None:
        try:
            return cls.model_validate_json(response.content[:_MAX_ERROR_BYTES])
        except ValidationError:
            return None


def _authorization(token: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def describe(error: httpx.RequestError) -> str:
    """Return in words what went wrong on the way."""
    kinds: tuple[tuple[type[httpx.RequestError], str], ...] = (
        (httpx.ConnectTimeout, "no connection within its time"),
        (httpx.TimeoutException, "nothing came within its time"),
        (httpx.ProxyError, "the proxy does not let us through"),
    )
    words = next((words for kind, words in kinds if isinstance(error, kind)), None)
    return words or str(error).rstrip(".") or "the connection was cut"


def _without_proxy(server: str) -> dict[str, httpx.BaseTransport | None]:
    """Return what keeps requests to a Brain on this machine from a proxy that leads out of the building.

    The storage that such a Brain signs URLs for may all the same be elsewhere.
    """
    return {f"all://{urlsplit(server).netloc}": None} if is_this_machine(server) else {}
