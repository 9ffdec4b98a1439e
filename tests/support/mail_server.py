"""A mail server on this machine, with a certificate of its own, that keeps what it is given."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, MAIL_PASSWORD = "brain", "mail server's password"


@dataclass
class KeptMail:
    """What a server was given. The next `refusals` are answered instead of taking a mail."""

    mails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - its name there
        if self.refusals:
            return self.refusals.pop(0)
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        self.mails.append(mail)
        self.envelopes.append(envelope)
        self.sessions.append(session)
        return "250 OK"


@dataclass
class MailServerAtWork:
    """Where it listens, what it was given, and whom to trust to believe its certificate."""

    port: int
    kept: KeptMail
    trust: ssl.SSLContext


def certificate() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return a context for a server on this machine, and one for clients that believe it."""
    authority = trustme.CA()
    server, client = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    authority.issue_cert("localhost", "hooks.example.org").configure_cert(server)
    authority.configure_trust(client)
    return server, client


@contextmanager
def mail_server(*, offers_encryption: bool = True, is_encrypted: bool = False) -> Iterator[MailServerAtWork]:
    """Run a server, which after STARTTLS wants user and password, while the block runs."""
    context, trust = certificate()
    kept = KeptMail()
    options: dict[str, Any] = {"hostname": "localhost", "port": 0, "ready_timeout": 10}
    if is_encrypted:
        options["ssl_context"] = context
    elif offers_encryption:
        options |= {"tls_context": context, "require_starttls": True}
        options |= {"authenticator": _authenticate, "auth_required": True}
    controller = _FreePort(kept, **options)
    controller.start()
    try:
        yield MailServerAtWork(port=controller.port, kept=kept, trust=trust)
    finally:
        controller.stop()


class _FreePort(Controller):
    """A controller that listens at any free port, and says at which."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]  # as it is there


def _authenticate(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object) -> AuthResult:
    is_right = isinstance(data, LoginPassword) and (data.login, data.password) == (
        USER.encode(),
        MAIL_PASSWORD.encode(),
    )
    return AuthResult(success=is_right, handled=False)
