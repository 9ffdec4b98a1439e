"""Somebody in the Brain's place: a small HTTP server that keeps what it is told and answers as it is asked to."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from waiting import DEADLINE_S


@dataclass(frozen=True, kw_only=True)
class Heard:
    """One request."""

    method: str
    path: str
    body: bytes
    headers: Mapping[str, str]


class Listener:
    """Answers 200 with nothing, but for the paths in `answers`: those give a status and a body each."""

    def __init__(self, port: int = 0) -> None:
        self.answers: dict[str, tuple[int, bytes]] = {}
        self._heard: queue.Queue[Heard] = queue.Queue()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def next(self, path: str | None = None) -> Heard:
        """Return the next request (to a path, others are passed over); fail the test when none comes."""
        while True:
            heard = self._heard.get(timeout=DEADLINE_S)
            if path in {None, heard.path}:
                return heard

    def serve(self) -> None:
        self._server.serve_forever(poll_interval=0.01)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer()

            def do_POST(self) -> None:
                self._answer()

            def do_PUT(self) -> None:
                self._answer()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                listener._heard.put(
                    Heard(method=self.command, path=self.path, body=body, headers=dict(self.headers.items()))
                )
                status, content = listener.answers.get(self.path, (200, b""))
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        return Handler


@contextmanager
def listening(port: int = 0) -> Iterator[Listener]:
    """Run a listener in a thread."""
    listener = Listener(port)
    thread = threading.Thread(target=listener.serve, name="listener")
    thread.start()
    try:
        yield listener
    finally:
        listener.close()
        thread.join()
