"""A parcel as an e-mail, and the two ways that mails go: to a mail server, or into a folder."""

from __future__ import annotations

import os
import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, parseaddr
from pathlib import Path

from cloudmr.delivery.base import NotDelivered, Parcel

TIMEOUT_S = 20


def write_mail(parcel: Parcel, *, sender: str) -> EmailMessage:
    """Return the mail. Raise `NotDelivered` for an address or a subject that cannot stand in a header."""
    mail = EmailMessage(policy=SMTP if (parcel.target + sender).isascii() else SMTPUTF8)
    domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    try:
        mail["From"] = sender
        mail["To"] = parcel.target
        mail["Subject"] = parcel.subject
        mail["Date"] = format_datetime(parcel.at)
        mail["Message-ID"] = f"<{parcel.name}@{domain}>"
        # Out-of-office programs answer people, not this.
        mail["Auto-Submitted"] = "auto-generated"
        if len(mail["To"].addresses) != 1 or mail["To"].addresses[0].addr_spec != parcel.target:
            raise ValueError("not one address")
    except (ValueError, IndexError) as error:
        raise NotDelivered("the address or the subject cannot stand in a mail", is_final=True) from error
    mail.set_content(parcel.body)
    return mail


@dataclass(frozen=True, kw_only=True)
class MailServer:
    """Where mails are given away. `is_encrypted` from the first byte, else by STARTTLS unless `is_plain`.

    A password never goes over a line that is not encrypted.
    """

    host: str
    port: int
    sender: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    is_encrypted: bool = False
    is_plain: bool = False


class MailByServer:
    """Gives each mail to a server, over a connection of its own."""

    def __init__(self, server: MailServer, *, trust: ssl.SSLContext | None = None) -> None:
        self._server = server
        self._trust = trust or ssl.create_default_context()

    def carry(self, parcel: Parcel) -> None:
        """Deliver it to the server, or raise `NotDelivered`."""
        mail = write_mail(parcel, sender=self._server.sender)
        try:
            with self._connect() as connection:
                self._sign_in(connection)
                connection.send_message(mail)
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            code = _code(error)
            raise NotDelivered(f"the mail server refused the mail ({code})", is_final=500 <= code < 600) from error
        except smtplib.SMTPAuthenticationError as error:
            raise NotDelivered(f"the mail server refused user and password ({error.smtp_code})") from error
        except smtplib.SMTPException as error:
            raise NotDelivered(f"the mail server broke off ({type(error).__name__})") from error
        except OSError as error:
            raise NotDelivered(f"the mail server does not answer ({error.strerror or type(error).__name__})") from error

    def _connect(self) -> smtplib.SMTP:
        server = self._server
        if server.is_encrypted:
            return smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_S, context=self._trust)
        return smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)

    def _sign_in(self, connection: smtplib.SMTP) -> None:
        server = self._server
        connection.ehlo_or_helo_if_needed()
        if not (server.is_encrypted or server.is_plain):
            if not connection.has_extn("starttls"):
                raise NotDelivered("the mail server offers no encryption (STARTTLS)")
            connection.starttls(context=self._trust)
        if server.user is not None and server.password is not None:
            connection.login(server.user, server.password)


class MailInFolder:
    """Writes each mail into a folder, for its owner's eyes only: for a Brain without a mail server."""

    def __init__(self, folder: Path, *, sender: str) -> None:
        self._folder = folder
        self._sender = sender

    def carry(self, parcel: Parcel) -> None:
        """Write it; a second copy takes the place of the first."""
        mail = write_mail(parcel, sender=self._sender)
        path = self._folder / f"{parcel.at:%Y%m%dT%H%M%S}-{parcel.name}.eml"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            unfinished = path.with_suffix(".tmp")
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(mail.as_bytes())
            for earlier in self._folder.glob(f"*-{parcel.name}.eml"):
                earlier.unlink(missing_ok=True)
            unfinished.replace(path)
        except OSError as error:
            raise NotDelivered(f"the folder of mails cannot be written to ({error.strerror})") from error


def _code(error: smtplib.SMTPRecipientsRefused | smtplib.SMTPResponseException) -> int:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return min((int(code) for code, _ in error.recipients.values()), default=0)
    return int(error.smtp_code)
