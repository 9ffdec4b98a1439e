"""A person is told that a job has ended, as they wish: by mail, or by a signed request to a program of theirs."""

from __future__ import annotations

import json
from dataclasses import replace

from cloudmr.database.base import Transaction
from cloudmr.model.audit import AuditAction
from cloudmr.model.jobs import Job
from cloudmr.model.messages import Message, MessageKind, derive_webhook_secret
from cloudmr.model.notifications import NotificationSettings, NotifyOn
from cloudmr.model.people import Caller
from cloudmr.model.webhooks import check_webhook_url
from cloudmr.services.audit import audit
from cloudmr.services.brain import Brain
from cloudmr.services.outbox import post

_SCHEMA = 1


def get_notifications(brain: Brain, caller: Caller) -> NotificationSettings:
    """Return what the caller wants to be told; who never said is told nothing."""
    with brain.database.read() as transaction:
        return transaction.notifications.of(caller.id) or _unset(brain, caller)


def set_notifications(
    brain: Brain,
    caller: Caller,
    *,
    mail: NotifyOn | None = None,
    webhook: NotifyOn | None = None,
    webhook_url: str | None = None,
) -> NotificationSettings:
    """Change what the caller wants to be told, and return it. None leaves a setting, an empty URL removes the webhook.

    Raises `InvalidRequest` (`webhook_url`) for what is no address that a webhook may go to.
    """
    if webhook_url:
        check_webhook_url(webhook_url, allows_private=brain.allows_private_webhooks)
    with brain.database.write() as transaction:
        before = transaction.notifications.of(caller.id) or _unset(brain, caller)
        after = replace(
            before,
            mail=before.mail if mail is None else mail,
            webhook=before.webhook if webhook is None else webhook,
            webhook_url=before.webhook_url if webhook_url is None else webhook_url or None,
            changed_at=brain.now(),
        )
        transaction.notifications.put(after)
        audit(brain, transaction, caller, AuditAction.NOTIFICATIONS_CHANGED)
    return after


def webhook_secret(brain: Brain, caller: Caller) -> str:
    """Return what the caller's webhooks are signed with."""
    return derive_webhook_secret(brain.secret_key, caller.id)


def try_notifications(brain: Brain, caller: Caller) -> list[str]:
    """Send a message by every way that is set, and return which those are."""
    settings = get_notifications(brain, caller)
    body = {"schema": _SCHEMA, "event": "test", "at": brain.now().isoformat()}
    with brain.database.write() as transaction:
        messages = list(
            _messages(
                transaction, settings, name=f"test|{brain.now().isoformat()}", subject="A test", body=body, text=_TEST
            )
        )
        for message in messages:
            post(brain, transaction, message)
    brain.outbox_alarm.set()
    return [message.kind for message in messages]


_TEST = "This is what a message of CloudMR Brain looks like. You asked for it.\n"


def announce_end(brain: Brain, transaction: Transaction, job: Job) -> None:
    """Tell the owner of a job that it has ended, if they want to know; in the transaction in which it ends."""
    settings = transaction.notifications.of(job.owner_id)
    if settings is None:
        return
    wanted = replace(
        settings,
        mail=settings.mail if settings.mail.includes(job.state) else NotifyOn.NEVER,
        webhook=settings.webhook if settings.webhook.includes(job.state) else NotifyOn.NEVER,
    )
    for message in _messages(
        transaction,
        wanted,
        name=f"job_ended|{job.id}",
        subject=f"Job {job.id} {_in_words(job)}",
        body=_summary(job),
        text=_letter(brain, job),
    ):
        post(brain, transaction, message)


def _messages(
    transaction: Transaction,
    settings: NotificationSettings,
    *,
    name: str,
    subject: str,
    body: dict[str, object],
    text: str,
) -> list[Message]:
    messages = []
    account = transaction.accounts.get(settings.account_id)
    if settings.mail is not NotifyOn.NEVER and account is not None:
        messages.append(
            Message(
                account_id=settings.account_id,
                kind=MessageKind.MAIL,
                target=account.email,
                subject=subject,
                body=text,
                dedupe_key=f"{name}|mail|{settings.account_id}",
            )
        )
    if settings.webhook is not NotifyOn.NEVER and settings.webhook_url is not None:
        messages.append(
            Message(
                account_id=settings.account_id,
                kind=MessageKind.WEBHOOK,
                target=settings.webhook_url,
                subject=subject,
                body=json.dumps(body, sort_keys=True),
                dedupe_key=f"{name}|webhook|{settings.account_id}",
            )
        )
    return messages


def _unset(brain: Brain, caller: Caller) -> NotificationSettings:
    return NotificationSettings(account_id=caller.id, changed_at=brain.now())


def _in_words(job: Job) -> str:
    return {"succeeded": "succeeded", "failed": "failed", "timed_out": "timed out"}.get(job.state, job.state)


def _summary(job: Job) -> dict[str, object]:
    """Return what a program is told: nothing of what the job was called or of its data, which may name a person."""
    return {
        "schema": _SCHEMA,
        "event": "job_ended",
        "jobId": job.id,
        "status": job.state,
        "attempt": job.attempt,
        "endedAt": job.ended_at.isoformat() if job.ended_at else None,
        "failure": {"code": job.failure.code} if job.failure else None,
    }


def _letter(brain: Brain, job: Job) -> str:
    why = f"\n{job.failure.message}\nNext: {job.failure.next_step}\n" if job.failure else ""
    place = f"{brain.public_url}/jobs/{job.id}"
    return f"Your job {job.id} {_in_words(job)}.\n{why}\nSee it at {place}, or: cloudmr job show {job.id}\n"
