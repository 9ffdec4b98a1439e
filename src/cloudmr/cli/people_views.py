"""How accounts, tokens, trails and everybody's jobs look in text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from cloudmr.cli.layout import Record, Table, in_bytes, local_time

if TYPE_CHECKING:
    from cloudmr.client.answers import Profile
    from cloudmr.client.people_answers import AuditEntry, FailedJob, OpenJob, PersonalToken, User


def profile_record(profile: Profile) -> Record:
    """Return one's own account."""
    return Record(
        fields=(
            ("id", profile.user_id),
            ("address", profile.email),
            ("name", profile.name or ""),
            ("status", profile.status),
            ("administrator", "yes" if profile.is_admin else ""),
            ("since", local_time(profile.created_at)),
        )
    )


def token_table(tokens: Iterable[PersonalToken]) -> Table:
    """Return tokens, one a row."""
    return Table(
        columns=("id", "name", "scope", "expires", "last used", "spent"),
        rows=tuple(
            (
                token.id,
                token.name,
                token.scope,
                local_time(token.expires_at),
                local_time(token.last_used_at),
                local_time(token.spent_at),
            )
            for token in tokens
        ),
    )


def audit_table(entries: Iterable[AuditEntry]) -> Table:
    """Return what happened, one a row."""
    return Table(
        columns=("at", "action", "actor", "address", "token", "target", "reason"),
        rows=tuple(
            (
                local_time(entry.at),
                entry.action,
                entry.actor_id or "",
                entry.address or "",
                entry.token_id or "",
                entry.target or "",
                entry.reason or "",
            )
            for entry in entries
        ),
    )


def user_table(users: Iterable[User]) -> Table:
    """Return accounts, one a row."""
    return Table(
        columns=("id", "address", "name", "status", "administrator", "limits set", "since"),
        rows=tuple(
            (
                user.user_id,
                user.email,
                user.name or "",
                user.status,
                "yes" if user.is_admin else "",
                "yes" if any(value is not None for value in user.allowance.model_dump().values()) else "",
                local_time(user.created_at),
            )
            for user in users
        ),
    )


def user_record(user: User) -> Record:
    """Return one account with its limits; a star marks those that were set for it."""

    def limit(name: str) -> str:
        value = getattr(user.limits, name)
        shown = in_bytes(value) if name == "stored_bytes" else str(value)
        return shown if getattr(user.allowance, name) is None else f"{shown} *"

    return Record(
        fields=(
            ("id", user.user_id),
            ("address", user.email),
            ("name", user.name or ""),
            ("status", user.status),
            ("administrator", "yes" if user.is_admin else ""),
            ("since", local_time(user.created_at)),
            ("jobs a month", limit("n_monthly")),
            ("jobs running", limit("n_running")),
            ("jobs waiting", limit("n_queued")),
            ("data files", limit("stored_bytes")),
        )
    )


def queue_table(jobs: Iterable[OpenJob]) -> Table:
    """Return jobs that have not ended, one a row."""
    return Table(
        columns=("id", "owner", "unit", "status", "attempt", "submitted", "waits because"),
        rows=tuple(
            (
                job.job_id,
                job.owner_email,
                job.unit_alias,
                job.state,
                str(job.attempt),
                local_time(job.created_at),
                job.waiting_reason or "",
            )
            for job in jobs
        ),
    )


def failure_table(jobs: Iterable[FailedJob]) -> Table:
    """Return jobs that ended without success, one a row."""
    return Table(
        columns=("id", "owner", "unit", "status", "ended", "cause", "what happened"),
        rows=tuple(
            (
                job.job_id,
                job.owner_email,
                job.unit_alias,
                job.state,
                local_time(job.ended_at),
                job.code,
                job.message,
            )
            for job in jobs
        ),
    )
