"""AWS's Lambda Runtime API for one invocation: AWS's own client (`awslambdaric`) fetches its event here and answers."""

from __future__ import annotations

import json
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

_LAST_WORD_S = 30


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that is ended breaks its connection off."""


class RuntimeApi:
    """Hands out one event and takes one answer; `answered` is set when it is there."""

    def __init__(self, event: object, *, function_arn: str, deadline_ms: int) -> None:
        self.request_id = str(uuid.uuid4())
        self.answered = threading.Event()
        self.body = b""
        self.is_error = False
        self._event = json.dumps(event).encode()
        self._headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": self.request_id,
            "Lambda-Runtime-Deadline-Ms": str(deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": function_arn,
            "Lambda-Runtime-Trace-Id": "Root=1-0-0",
        }
        self._is_taken = False
        self._server = _Server(("127.0.0.1", 0), self._handler())

    @property
    def address(self) -> str:
        """What stands in AWS_LAMBDA_RUNTIME_API."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> RuntimeApi:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
                pass

            def do_GET(self) -> None:
                if api._is_taken:
                    # The client asks for its next event; there is none, and its process is ended soon.
                    api.answered.wait(_LAST_WORD_S)
                    self._reply(410)
                    return
                api._is_taken = True
                self._reply(200, api._event, api._headers)

            def do_POST(self) -> None:
                body = self._body()
                if not api.answered.is_set():
                    api.body, api.is_error = body, not self.path.endswith("/response")
                self._reply(202, b"{}")
                api.answered.set()

            def _body(self) -> bytes:
                length = self.headers.get("Content-Length")
                if length is not None:
                    return self.rfile.read(int(length))
                body = b""
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            def _reply(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
                self.send_response(status)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        return Handler
