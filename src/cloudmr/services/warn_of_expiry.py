"""People are told before what is theirs is deleted from a shared unit: once of each thing, in one mail a day.

Who wants no mails (`cloudmr notify`) gets none. In a unit of one's own nothing is deleted from here, and nothing told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cloudmr.database.base import Transaction
from cloudmr.model.expiry import Expiring
from cloudmr.model.messages import Message, MessageKind
from cloudmr.model.notifications import NotifyOn
from cloudmr.model.people import AccountStatus
from cloudmr.services.brain import Brain
from cloudmr.services.outbox import post

AHEAD = timedelta(days=3)
"""Over a weekend."""
EVERY = timedelta(days=1)
DATA_PAGE = "/data"
JOBS_PAGE = "/jobs"
_CHORE = "warn-of-expiry"
_MOST_LINES = 50
"""Of each kind in one mail; the pages show all."""


@dataclass(frozen=True, kw_only=True)
class _Going:
    """What of one person's is about to go."""

    data_files: Sequence[Expiring]
    results: Sequence[Expiring]


def warn_of_expiry(brain: Brain) -> int:
    """Write to everybody of whose things the time is up within three days and who was not told yet; return how many.

    The moment up to which everybody has been told is kept beside the day's round, and moves on in the transaction that
    posts the mails: whatever ends the Brain, nobody is told twice, or of nothing.
    """
    now = brain.now()
    with brain.database.write() as transaction:
        due_at = transaction.chores.due_at(_CHORE)
        if not transaction.chores.claim(_CHORE, now=now, until=now + EVERY):
            return 0
        told_until = now if due_at is None else max(now, due_at - EVERY + AHEAD)
        going = _going(transaction, after=told_until, until=now + AHEAD)
        n_told = sum(_tell(brain, transaction, account_id, of_person, now) for account_id, of_person in going.items())
    if n_told:
        brain.outbox_alarm.set()
    return n_told


def _going(transaction: Transaction, *, after: datetime, until: datetime) -> dict[str, _Going]:
    data_files = transaction.data_files.expiring(after=after, until=until)
    results = transaction.jobs.expiring(after=after, until=until)
    people = sorted({each.owner_id for each in (*data_files, *results)})
    return {
        person: _Going(
            data_files=[each for each in data_files if each.owner_id == person],
            results=[each for each in results if each.owner_id == person],
        )
        for person in people
    }


def _tell(brain: Brain, transaction: Transaction, account_id: str, going: _Going, now: datetime) -> bool:
    settings = transaction.notifications.of(account_id)
    account = transaction.accounts.get(account_id)
    if settings is None or settings.mail is NotifyOn.NEVER or account is None:
        return False
    if account.status is not AccountStatus.ACTIVE:
        return False
    first = min(each.expires_at for each in (*going.data_files, *going.results))
    message = Message(
        account_id=account_id,
        kind=MessageKind.MAIL,
        target=account.email,
        subject=f"Some of your files in CloudMR Brain are deleted from {first:%Y-%m-%d} on",
        body=_letter(brain, going),
        dedupe_key=f"expiry|{now:%Y-%m-%d}|{account_id}",
        not_after=max(each.expires_at for each in (*going.data_files, *going.results)),
    )
    post(brain, transaction, message)
    return True


def _letter(brain: Brain, going: _Going) -> str:
    """Return the mail: ids and times, and nothing that something was called, which may name a person."""
    parts = ["The time of some of what is yours in the shared computing unit is nearly up.\n"]
    if going.data_files:
        parts.append("Data files, each deleted at:\n")
        parts.append(_lines(going.data_files))
        parts.append(f"Download them at {brain.public_url}{DATA_PAGE}, or: cloudmr data download ID -o FILE\n")
    if going.results:
        parts.append("What jobs left, each deleted at:\n")
        parts.append(_lines(going.results, address=f"{brain.public_url}{JOBS_PAGE}/"))
        parts.append("Download it there, or: cloudmr job download ID -o FOLDER\n")
    days = brain.limits.undo.days
    parts.append(
        f"For {days} days after that, files can still be restored (`cloudmr data restore`, `cloudmr job restore`); "
        "then they are gone.\n"
        "You are told because you asked for mails about your jobs: `cloudmr notify set --mail never` ends them.\n"
    )
    return "\n".join(parts)


def _lines(going: Sequence[Expiring], *, address: str = "") -> str:
    shown = sorted(going, key=lambda each: (each.expires_at, each.id))[:_MOST_LINES]
    lines = [f"    {each.expires_at:%Y-%m-%d %H:%M} UTC  {address}{each.id}{_size(each)}" for each in shown]
    if len(going) > len(shown):
        lines.append(f"    and {len(going) - len(shown)} more")
    return "\n".join(lines) + "\n"


def _size(each: Expiring) -> str:
    return "" if each.size_bytes is None else f"  ({each.size_bytes / 1e6:.1f} MB)"
