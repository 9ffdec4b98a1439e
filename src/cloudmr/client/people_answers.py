"""What the API answers about tokens, audit trails and administration, as values."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class PersonalToken(_Answer):
    """A personal token, without its secret."""

    id: str
    name: str
    scope: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = None
    spent_at: datetime | None = None


class NewToken(PersonalToken):
    """A token that was just made; its secret is shown this once."""

    token: str = Field(repr=False)


class TokenList(_Answer):
    """Personal tokens, the latest first."""

    tokens: tuple[PersonalToken, ...]


class AuditEntry(_Answer):
    """Something that happened to an account or its things."""

    number: int
    at: datetime
    action: str
    account_id: str
    actor_id: str | None = None
    address: str | None = None
    token_id: str | None = None
    target: str | None = None
    reason: str | None = None


class AuditPage(_Answer):
    """Some of what happened, the latest first."""

    events: tuple[AuditEntry, ...]
    next: int | None = None


class PersonLimits(_Answer):
    """Numbers for one person; None is what everybody gets."""

    n_monthly: int | None = None
    n_running: int | None = None
    n_queued: int | None = None
    stored_bytes: int | None = None


class User(_Answer):
    """An account as administrators see it: the limits in force, and those that were set for it."""

    user_id: str
    email: str
    name: str | None = None
    status: str
    is_admin: bool
    created_at: datetime
    limits: PersonLimits
    allowance: PersonLimits


class UserPage(_Answer):
    """Some accounts, the latest first."""

    users: tuple[User, ...]
    next: str | None = None


class OpenJob(_Answer):
    """Somebody's job that has not ended."""

    job_id: str
    owner_id: str
    owner_email: str
    unit_id: str
    unit_alias: str
    state: str
    attempt: int
    created_at: datetime
    deadline_at: datetime
    dispatched_at: datetime | None = None
    cancel_requested_at: datetime | None = None
    waiting_reason: str | None = None


class OpenJobPage(_Answer):
    """Some jobs that have not ended, the latest first."""

    jobs: tuple[OpenJob, ...]
    next: str | None = None


class FailedJob(_Answer):
    """Somebody's job that ended without success."""

    job_id: str
    owner_id: str
    owner_email: str
    unit_id: str
    unit_alias: str
    state: str
    attempt: int
    ended_at: datetime
    code: str
    message: str
    next_step: str


class FailurePage(_Answer):
    """Some failed jobs, the latest first, and how often each cause came up among all."""

    jobs: tuple[FailedJob, ...]
    by_code: dict[str, int]
    next: str | None = None
