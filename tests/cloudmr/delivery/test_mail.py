from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from cloudmr.delivery.base import NotDelivered, Parcel
from cloudmr.delivery.mail import MailByServer, MailInFolder, MailServer, write_mail
from mail_server import MAIL_PASSWORD, USER, mail_server

SENDER = "CloudMR Brain <brain@example.org>"
PARCEL = Parcel(
    name="0123abc",
    target="ada@example.org",
    subject="Your job has ended",
    body="It is done.\nSNR 41.5 – as expected.\n",
    at=datetime(2026, 11, 22, 12, 0, tzinfo=UTC),
    secret="never in a mail",
)


def test_a_mail_says_who_writes_to_whom_and_when() -> None:
    mail = write_mail(PARCEL, sender=SENDER)
    assert (mail["From"], mail["To"], mail["Subject"]) == (SENDER, "ada@example.org", "Your job has ended")
    assert mail["Date"] == "Sun, 22 Nov 2026 12:00:00 +0000"
    assert mail["Message-ID"] == "<0123abc@example.org>"
    assert mail.get_content().splitlines() == PARCEL.body.splitlines()


@pytest.mark.parametrize(
    "change",
    [
        {"target": "ada@example.org\r\nBcc: eve@example.org"},
        {"target": "ada@example.org, eve@example.org"},
        {"target": "Eve <eve@example.org>"},
        {"target": "no address"},
        {"subject": "hello\r\nBcc: eve@example.org"},
        {"subject": "hello\n\nbody"},
    ],
)
def test_nothing_can_slip_another_header_or_receiver_in(change: dict[str, Any]) -> None:
    with pytest.raises(NotDelivered) as refused:
        write_mail(replace(PARCEL, **change), sender=SENDER)
    assert refused.value.is_final


def test_a_mail_goes_over_an_encrypted_line_with_user_and_password() -> None:
    with mail_server() as server:
        way = MailByServer(
            MailServer(host="localhost", port=server.port, sender=SENDER, user=USER, password=MAIL_PASSWORD),
            trust=server.trust,
        )
        way.carry(PARCEL)
        (mail,), (envelope,), (session,) = server.kept.mails, server.kept.envelopes, server.kept.sessions
    assert session.ssl is not None
    assert envelope.mail_from == "brain@example.org"
    assert envelope.rcpt_tos == ["ada@example.org"]
    assert mail.get_content().splitlines() == PARCEL.body.splitlines()


def test_a_mail_goes_to_a_server_that_is_encrypted_from_the_first_byte() -> None:
    with mail_server(is_encrypted=True) as server:
        there = MailServer(host="localhost", port=server.port, sender=SENDER, is_encrypted=True)
        MailByServer(there, trust=server.trust).carry(PARCEL)
        assert server.kept.mails[0]["To"] == "ada@example.org"


def test_a_server_whose_certificate_nobody_vouches_for_gets_nothing() -> None:
    with mail_server() as server:
        there = MailServer(host="localhost", port=server.port, sender=SENDER, user=USER, password=MAIL_PASSWORD)
        with pytest.raises(NotDelivered, match="does not answer"):
            MailByServer(there).carry(PARCEL)
        assert server.kept.mails == []


def test_a_server_without_encryption_gets_nothing_unless_that_was_chosen() -> None:
    with mail_server(offers_encryption=False) as server:
        there = MailServer(host="localhost", port=server.port, sender=SENDER)
        with pytest.raises(NotDelivered, match="STARTTLS"):
            MailByServer(there).carry(PARCEL)
        assert server.kept.mails == []
        MailByServer(replace(there, is_plain=True)).carry(PARCEL)
        assert len(server.kept.mails) == 1


@pytest.mark.parametrize(("answer", "is_final"), [("451 later", False), ("554 never", True)])
def test_a_refusal_is_final_if_the_server_says_so(answer: str, is_final: bool) -> None:
    with mail_server(offers_encryption=False) as server:
        server.kept.refusals.append(answer)
        there = MailServer(host="localhost", port=server.port, sender=SENDER, is_plain=True)
        with pytest.raises(NotDelivered) as refused:
            MailByServer(there).carry(PARCEL)
        assert refused.value.is_final is is_final


def test_a_wrong_password_is_told_without_the_password() -> None:
    with mail_server() as server:
        there = MailServer(host="localhost", port=server.port, sender=SENDER, user=USER, password="not the right one")
        with pytest.raises(NotDelivered) as refused:
            MailByServer(there, trust=server.trust).carry(PARCEL)
    assert refused.value.reason == "the mail server refused user and password (535)"
    assert "not the right one" not in repr(there)


def test_a_server_that_is_not_there_is_tried_again(free_port: int) -> None:
    there = MailServer(host="localhost", port=free_port, sender=SENDER)
    with pytest.raises(NotDelivered, match="does not answer") as refused:
        MailByServer(there).carry(PARCEL)
    assert not refused.value.is_final


def test_without_a_server_mails_are_files_for_their_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "outbox"
    way = MailInFolder(folder, sender=SENDER)
    way.carry(PARCEL)
    way.carry(replace(PARCEL, at=datetime(2026, 11, 22, 13, 0, tzinfo=UTC)))
    (path,) = folder.iterdir()
    assert path.name == "20261122T130000-0123abc.eml"
    assert path.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    mail = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert mail["To"] == "ada@example.org"
    assert mail.get_content().splitlines() == PARCEL.body.splitlines()


def test_a_folder_that_cannot_be_written_to_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file")
    with pytest.raises(NotDelivered) as refused:
        MailInFolder(tmp_path / "outbox", sender=SENDER).carry(PARCEL)
    assert not refused.value.is_final
