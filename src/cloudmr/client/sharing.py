"""What a person asks of a Brain about looking at each other's jobs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from cloudmr.client.answers import Job, Nothing
from cloudmr.client.connection import Connection


class _CamelAnswer(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )


class Share(_CamelAnswer):
    """A permission to look at a job: for a person, or (no `email`) for whoever has the link."""

    share_id: str
    job_id: str
    email: str | None = None
    created_at: datetime
    expires_at: datetime


class NewShare(Share):
    """A share that was just made; its link is shown this once."""

    link: str | None = Field(None, repr=False)


class ShareList(_CamelAnswer):
    """The shares of a job that are in force."""

    shares: tuple[Share, ...]


class SharedJob(_CamelAnswer):
    """A job that somebody shared."""

    share_id: str
    shared_by: str
    shared_until: datetime
    job: Job


class SharedPage(_CamelAnswer):
    """Some shared jobs; `next` is what to ask for those before them."""

    jobs: tuple[SharedJob, ...]
    next: str | None = None


class Sharing:
    """Shares; every method raises as those of `BrainClient` do."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def share(self, job_id: str, *, email: str | None = None, days: int | None = None) -> NewShare:
        """Let the person of an e-mail address, or else whoever has the link, look at a job for some days."""
        body = {"email": email, "days": days}
        return self._connection.ask(NewShare, "POST", f"/api/job/{job_id}/shares", body=body)

    def of_job(self, job_id: str) -> tuple[Share, ...]:
        """Return the shares of one's own job that are in force, the latest first."""
        return self._connection.ask(ShareList, "GET", f"/api/job/{job_id}/shares").shares

    def unshare(self, job_id: str, share_id: str | None = None) -> None:
        """End one share of a job, or all of them."""
        path = f"/api/job/{job_id}/shares" + (f"/{share_id}" if share_id else "")
        self._connection.ask(Nothing, "DELETE", path)

    def with_me(self) -> Iterator[SharedJob]:
        """Yield the jobs that others shared with this person, the latest share first."""
        query: dict[str, str] = {}
        while True:
            page = self._connection.ask(SharedPage, "GET", "/api/job/shared", query=query)
            yield from page.jobs
            if page.next is None:
                return
            query = {"before": page.next}
