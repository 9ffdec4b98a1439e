"""Looks at a unit in somebody's AWS account, as far as the Brain's own role there sees it.

The rest (its trust policy, its network, its image as it is now) is seen by `cloudmr unit check` with the owner's own
credentials.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence

from cloudmr.aws.errors import AccessRefused, NotThere, RoleRefused, explained
from cloudmr.aws.preflight import has_bucket, lets_pages_upload
from cloudmr.aws.scopes import WHOLE_UNIT
from cloudmr.aws.sessions import Clients, Sessions
from cloudmr.aws.trials import begin_and_give_up, granted, not_granted
from cloudmr.aws.unit import AwsUnit
from cloudmr.errors import UnitUnavailable
from cloudmr.model.findings import Check, Finding, Outcome
from cloudmr.model.instants import Clock, utc_now
from cloudmr.model.permissions import Measured, Permission
from cloudmr.storage.base import Bucket

_BUCKETS: dict[Bucket, tuple[Check, str]] = {
    Bucket.DATA: (Check.DATA_BUCKET, "uploads/"),
    Bucket.RESULTS: (Check.RESULTS_BUCKET, "results/"),
    Bucket.FAILED: (Check.FAILED_BUCKET, "failed/"),
}
_DEPLOY = (
    "Remove the unit's stack (`cloudmr unit remove`; buckets stay) and deploy it anew, in the same account and region."
)
_OWNER_SEES = "Run `cloudmr unit check` with the credentials of the unit's owner: it sees this."


class AwsProbe:
    """Looks at one unit. `may_delete` is so in the operator's own account; pages are at `page_url`."""

    def __init__(
        self,
        sessions: Sessions,
        unit: AwsUnit,
        *,
        page_url: str,
        image_uri: str | None,
        may_delete: bool,
        clock: Clock = utc_now,
    ) -> None:
        self._sessions = sessions
        self._unit = unit
        self._page_url = page_url
        self._image_uri = image_uri
        self._may_delete = may_delete
        self._clock = clock

    def look(self) -> Sequence[Finding]:
        """Return everything that was found."""
        return tuple(self._look())

    def permissions(self) -> Sequence[Permission]:
        """Return what can be done there, as the template grants it and as it was measured. Raise `UnitUnavailable`."""
        aws = self._enter(self._unit.external_id)
        trials = (
            *granted(self._unit, may_delete=self._may_delete),
            *not_granted(self._unit, may_delete=self._may_delete),
        )
        return tuple(trial.carry_out(aws) for trial in trials)

    def _look(self) -> Iterator[Finding]:
        try:
            aws = self._enter(self._unit.external_id)
        except RoleRefused as error:
            yield self._role_refused(error)
            aws = None
        except UnitUnavailable as error:
            # Nothing that could be found now would be about the unit.
            yield self._finding(Check.REACHABLE, Outcome.FAILED, error.message, error.next_step)
            return
        yield from self._doors()
        yield self._pages()
        yield self._image()
        if aws is not None:
            yield self._finding(Check.ROLE_ASSUMED, Outcome.PASSED, "Its role let CloudMR Brain in.")
            yield self._narrow(aws)
            yield self._executions(aws)
            for bucket in Bucket:
                yield self._bucket(aws, bucket)

    def _enter(self, external_id: str | None) -> Clients:
        return self._sessions.assume(self._unit, WHOLE_UNIT, external_id=external_id)

    def _role_refused(self, error: UnitUnavailable) -> Finding:
        is_there = [has_bucket(self._origin(bucket), ca_bundle=self._sessions.workshop.ca_bundle) for bucket in Bucket]
        if is_there == [False] * len(is_there):
            message = "Neither its role nor one of its buckets is there any more: its stack was deleted."
            return self._finding(Check.ROLE_ASSUMED, Outcome.GONE, message, _DEPLOY)
        return self._finding(Check.ROLE_ASSUMED, Outcome.FAILED, error.message, error.next_step)

    def _doors(self) -> Iterator[Finding]:
        """Whether the role keeps out who does not know the unit's ExternalId."""
        wrong = secrets.token_hex(16)
        for check, shown, words in (
            (Check.ROLE_NEEDS_EXTERNAL_ID, None, "without an ExternalId"),
            (Check.ROLE_REFUSES_WRONG_EXTERNAL_ID, wrong, "with a wrong ExternalId"),
        ):
            try:
                self._enter(shown)
            except RoleRefused:
                yield self._finding(check, Outcome.PASSED, f"Its role refuses who comes {words}.")
            except UnitUnavailable as error:
                yield self._finding(check, Outcome.FAILED, error.message, error.next_step)
            else:
                yield self._finding(
                    check,
                    Outcome.REFUSED,
                    f"Its role lets in who comes {words}: somebody else's unit could be made to use it.",
                    "Delete the role at once: its trust policy must ask for the unit's own ExternalId. Then remove the "
                    "stack, and deploy it anew.",
                )

    def _narrow(self, aws: Clients) -> Finding:
        tried = [trial.carry_out(aws) for trial in not_granted(self._unit, may_delete=self._may_delete)]
        too_much = [each.action for each in tried if each.measured is Measured.ALLOWED]
        if too_much:
            return self._finding(
                Check.ROLE_IS_NARROW,
                Outcome.REFUSED,
                f"Its role may do more than a unit needs: {', '.join(too_much)}.",
                "Take every other policy off its role, in the IAM console.",
            )
        return self._finding(
            Check.ROLE_IS_NARROW, Outcome.PASSED, f"Its role may not {', '.join(each.action for each in tried)}."
        )

    def _executions(self, aws: Clients) -> Finding:
        [follow] = [
            trial
            for trial in granted(self._unit, may_delete=self._may_delete)
            if trial.action == "states:DescribeExecution"
        ]
        match follow.carry_out(aws).measured:
            case Measured.ALLOWED:
                return self._finding(Check.EXECUTIONS, Outcome.PASSED, "Its executions can be described.")
            case Measured.REFUSED:
                message = "Its role may not describe executions, so that no job could be followed."
            case _:
                message = "Its executions could not be asked for."
        return self._finding(Check.EXECUTIONS, Outcome.FAILED, message, _DEPLOY)

    def _bucket(self, aws: Clients, bucket: Bucket) -> Finding:
        check, prefix = _BUCKETS[bucket]
        name = self._unit.buckets[bucket]
        try:
            with explained(f"look into the bucket {name}"):
                aws.s3.list_objects_v2(Bucket=name, Prefix=prefix, MaxKeys=1, ExpectedBucketOwner=self._unit.account_id)
                if bucket is Bucket.DATA:
                    begin_and_give_up(aws, name)
        except NotThere:
            message = f"The bucket {name} is not there any more."
            return self._finding(check, Outcome.FAILED, message, _DEPLOY)
        except AccessRefused:
            return self._finding(
                check,
                Outcome.FAILED,
                f"The bucket {name} cannot be used: it belongs to another account, or the role has no right to it.",
                "Deploy the stack with AllowUpload=true, and with buckets of its own account.",
            )
        except UnitUnavailable as error:
            return self._finding(check, Outcome.FAILED, error.message, error.next_step)
        return self._finding(check, Outcome.PASSED, f"The bucket {name} is there, and of the unit's account.")

    def _pages(self) -> Finding:
        url = f"{self._origin(Bucket.DATA)}/uploads/none"
        may = lets_pages_upload(url, self._page_url, ca_bundle=self._sessions.workshop.ca_bundle)
        if may is None:
            message = "Whether pages may upload to its data bucket (CORS) could not be seen."
            return self._finding(Check.UPLOADS_FROM_PAGES, Outcome.UNSEEN, message, _OWNER_SEES)
        if not may:
            return self._finding(
                Check.UPLOADS_FROM_PAGES,
                Outcome.DOUBTFUL,
                f"Its data bucket lets no page of {self._page_url} upload; `cloudmr data upload` works.",
                "Deploy the stack again, with the address of CloudMR Brain as it is now (CORS).",
            )
        return self._finding(Check.UPLOADS_FROM_PAGES, Outcome.PASSED, "Its data bucket lets CloudMR's pages upload.")

    def _image(self) -> Finding:
        name, _, digest = (self._image_uri or "").partition("@")
        if not digest:
            message = (
                f"Its image is known by a tag alone ({name}), which may mean another one tomorrow."
                if name
                else ("Which image it runs is not known.")
            )
            return self._finding(Check.IMAGE, Outcome.UNSEEN, message, _OWNER_SEES)
        message = f"It was given the image {digest}; whether its owner chose another one, `cloudmr unit check` sees."
        return self._finding(Check.IMAGE, Outcome.PASSED, message)

    def _origin(self, bucket: Bucket) -> str:
        return self._sessions.workshop.bucket_origin(self._unit.region, self._unit.buckets[bucket]).rstrip("/")

    def _finding(self, check: Check, outcome: Outcome, message: str, fix: str = "") -> Finding:
        return Finding(check=check, outcome=outcome, message=message, fix=fix, at=self._clock())
