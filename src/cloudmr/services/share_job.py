"""A person lets others look at a job: somebody by their e-mail address, or whoever has a link, for a while.

What they see is the job, its history, its log and its results, never its data files. Whether an address has an account
is told to nobody: it looks the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from cloudmr.database.base import Transaction
from cloudmr.errors import NotFound
from cloudmr.model.audit import AuditAction
from cloudmr.model.events import JobEvent
from cloudmr.model.ids import Kind
from cloudmr.model.messages import Message, MessageKind
from cloudmr.model.people import Caller, normal_email
from cloudmr.model.shares import JobShare, lifetime, new_share_secret, share_secret_hash
from cloudmr.services.audit import audit
from cloudmr.services.brain import Brain
from cloudmr.services.outbox import post
from cloudmr.services.ownership import own_job
from cloudmr.services.queue_places import views_of
from cloudmr.services.throttling import SHARE, count_try, try_key
from cloudmr.services.views import JobView

SHARED_PAGE = "/shared"


@dataclass(frozen=True, kw_only=True)
class NewShare:
    """A share, and the secret of its link, shown this once (None for a person's)."""

    share: JobShare
    secret: str | None = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class SharedView:
    """A job that was shared with the caller, by whom, and until when."""

    view: JobView
    share: JobShare
    shared_by: str


def share_job(
    brain: Brain, caller: Caller, job_id: str, *, email: str | None = None, days: int | None = None
) -> NewShare:
    """Share a job with the person of an e-mail address, who is told by mail, or else by a link.

    Raises `NotFound`, `InvalidRequest` for what is no address or no number of days, `LimitReached` for too many.
    """
    address = normal_email(email) if email is not None else None
    lasts = lifetime(days)
    count_try(brain, SHARE, try_key("share", caller.id))
    secret = new_share_secret(brain.entropy) if address is None else None
    now = brain.now()
    share = JobShare(
        id=brain.new_id(Kind.SHARE),
        job_id=job_id,
        owner_id=caller.id,
        email=address,
        secret_hash=share_secret_hash(secret) if secret is not None else None,
        created_at=now,
        expires_at=now + lasts,
    )
    with brain.database.write() as transaction:
        own_job(transaction, caller, job_id, for_change=True)
        transaction.shares.add(share)
        audit(brain, transaction, caller, AuditAction.JOB_SHARED, target=job_id)
        if address is not None:
            _tell(brain, transaction, caller, share)
    brain.outbox_alarm.set()
    return NewShare(share=share, secret=secret)


def share_link(brain: Brain, secret: str) -> str:
    """Return the address of the page that shows a job to whoever has this secret."""
    return f"{brain.public_url}{SHARED_PAGE}/{secret}"


def list_shares(brain: Brain, caller: Caller, job_id: str) -> Sequence[JobShare]:
    """Return the shares of the caller's job that are in force, the latest first. Raises `NotFound`."""
    with brain.database.read() as transaction:
        own_job(transaction, caller, job_id)
        return transaction.shares.of_job(job_id, now=brain.now())


def unshare_job(brain: Brain, caller: Caller, job_id: str, share_id: str | None = None) -> int:
    """End one share of the caller's job, or all of them; return how many were in force. Raises `NotFound`."""
    with brain.database.write() as transaction:
        own_job(transaction, caller, job_id, for_change=True)
        n_ended = transaction.shares.revoke(job_id, share_id, at=brain.now())
        if n_ended:
            audit(brain, transaction, caller, AuditAction.JOB_UNSHARED, target=job_id)
    return n_ended


def shared_with_me(brain: Brain, caller: Caller, *, limit: int, before: str | None = None) -> list[SharedView]:
    """Return the jobs that others shared with the caller, the latest share first, those before a share's id."""
    with brain.database.read() as transaction:
        shares = transaction.shares.shared_with(caller.id, now=brain.now(), limit=limit, before=before)
        found = {share.job_id: transaction.jobs.get(share.job_id) for share in shares}
        views = {
            view.job.id: replace(view, is_own=False)
            for view in views_of(brain, transaction, [job for job in found.values() if job is not None])
        }
        owners = {share.owner_id: transaction.accounts.get(share.owner_id) for share in shares}
    return [
        SharedView(view=views[share.job_id], share=share, shared_by=owner.email)
        for share in shares
        if share.job_id in views and (owner := owners[share.owner_id]) is not None
    ]


def job_of_link(brain: Brain, secret: str) -> JobView:
    """Return the job that a link leads to. Raises `NotFound` for a link that never was, or is no longer good."""
    now = brain.now()
    with brain.database.read() as transaction:
        share = transaction.shares.by_hash(share_secret_hash(secret))
        job = transaction.jobs.get(share.job_id) if share is not None and share.is_in_force(now=now) else None
        if share is None or job is None or job.deleted_at is not None:
            raise NotFound("shared job")
        [view] = views_of(brain, transaction, [job])
        return replace(view, is_own=False)


def events_of_link(brain: Brain, view: JobView) -> list[JobEvent]:
    """Return what happened to a job that a link led to."""
    with brain.database.read() as transaction:
        return transaction.jobs.events(view.job.id)


def _tell(brain: Brain, transaction: Transaction, caller: Caller, share: JobShare) -> None:
    assert share.email is not None
    owner = transaction.accounts.get(caller.id)
    if owner is None:
        raise NotFound("account")
    body = (
        f"{owner.email} shared a job with you at CloudMR Brain: {share.job_id}.\n\n"
        f"Sign in with this address to see it, until {share.expires_at:%Y-%m-%d %H:%M} UTC:\n\n"
        f"    {brain.public_url}/jobs/{share.job_id}\n\n"
        "If you do not know them, you need not do anything.\n"
    )
    post(
        brain,
        transaction,
        Message(
            account_id=caller.id,
            kind=MessageKind.MAIL,
            target=share.email,
            subject="A job was shared with you",
            body=body,
            dedupe_key=f"share|{share.id}",
            not_after=share.expires_at,
        ),
    )
