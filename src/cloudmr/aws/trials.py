"""What the Brain may do in a unit's account, right by right, and a way to try each without doing anything.

Tried is what has no effect: what is asked for does not exist, or is given up at once. A right that cannot be tried so
stays untried.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from cloudmr.aws.errors import REFUSED, code_of
from cloudmr.aws.sessions import Clients
from cloudmr.aws.unit import AwsUnit
from cloudmr.model.permissions import Measured, Permission
from cloudmr.storage.base import Bucket

_NOTHING = "data_00000000000000000000000000"
"""No data file has this id."""
_NO_UPLOAD = "none"
UPLOAD, STOP, LOGS = "AllowUpload", "AllowStop", "AllowLogs"
"""The parameters of a stack that grant rights."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One right, and how to try it (None: not without doing it).

    `means_allowed` are AWS's words that say that the right is there, and the thing is not. With `is_ambiguous` a
    refusal may mean the same: S3 says of an absent object what it says of a forbidden one.
    """

    action: str
    resource: str
    purpose: str
    attempt: Callable[[Clients], object] | None
    switch: str | None = None
    is_granted: bool = True
    means_allowed: frozenset[str] = frozenset()
    is_ambiguous: bool = False

    def carry_out(self, aws: Clients) -> Permission:
        """Try it, and return what came of it.

        What a parameter grants is declared as far as it is not refused: nobody here knows how it was set.
        """
        measured = Measured.NOT_TRIED if self.attempt is None else self._measure(aws, self.attempt)
        is_off = self.switch is not None and measured is Measured.REFUSED
        return Permission(
            action=self.action,
            resource=self.resource,
            purpose=self.purpose,
            is_declared=self.is_granted and not is_off,
            measured=measured,
            switch=self.switch,
        )

    def _measure(self, aws: Clients, attempt: Callable[[Clients], object]) -> Measured:
        try:
            attempt(aws)
        except ClientError as error:
            if code_of(error) in self.means_allowed:
                return Measured.ALLOWED
            is_refused = code_of(error) in REFUSED and not self.is_ambiguous
            return Measured.REFUSED if is_refused else Measured.NOT_TRIED
        except BotoCoreError:
            return Measured.NOT_TRIED
        return Measured.ALLOWED


def granted(unit: AwsUnit, *, may_delete: bool) -> Sequence[Trial]:
    """Return what a stack grants; `may_delete` is so in the operator's own account, whose retention is the Brain's."""
    data, results, failed = (unit.buckets[bucket] for bucket in Bucket)
    uploads, regions = f"{data}/uploads/*", f"{data}/regions/*"
    execution = unit.execution_arn("none")
    trials = [
        Trial(
            action="states:StartExecution",
            resource=unit.state_machine_arn,
            purpose="to start jobs",
            attempt=None,
        ),
        Trial(
            action="states:DescribeExecution",
            resource=unit.execution_arn("*"),
            purpose="to follow jobs",
            attempt=lambda aws: aws.step_functions.describe_execution(executionArn=execution),
            means_allowed=frozenset({"ExecutionDoesNotExist"}),
        ),
        Trial(
            action="states:StopExecution",
            resource=unit.execution_arn("*"),
            purpose="to stop jobs",
            attempt=lambda aws: aws.step_functions.stop_execution(executionArn=execution),
            switch=STOP,
            means_allowed=frozenset({"ExecutionDoesNotExist"}),
        ),
        _reading(results, "results/", "to hand out results"),
        _reading(failed, "failed/", "to tell why a job failed", switch=UPLOAD),
        _reading(data, "uploads/", "to hand out uploaded files", switch=UPLOAD),
        Trial(
            action="s3:PutObject",
            resource=f"{uploads}, {regions}",
            purpose="to sign uploads of data and of regions of interest",
            attempt=lambda aws: begin_and_give_up(aws, data),
            switch=UPLOAD,
        ),
        Trial(
            action="s3:ListMultipartUploadParts",
            resource=uploads,
            purpose="to go on with an upload that was interrupted",
            attempt=lambda aws: aws.s3.list_parts(Bucket=data, Key=f"uploads/{_NOTHING}", UploadId=_NO_UPLOAD),
            switch=UPLOAD,
            means_allowed=frozenset({"NoSuchUpload"}),
        ),
        Trial(
            action="s3:AbortMultipartUpload",
            resource=uploads,
            purpose="to give an upload up",
            attempt=lambda aws: aws.s3.abort_multipart_upload(
                Bucket=data, Key=f"uploads/{_NOTHING}", UploadId=_NO_UPLOAD
            ),
            switch=UPLOAD,
            means_allowed=frozenset({"NoSuchUpload"}),
        ),
        *(
            Trial(
                action="s3:ListBucket",
                resource=f"{bucket}: {prefix}*",
                purpose="to tell what is not there from what is refused",
                attempt=_listing(bucket, prefix),
                switch=UPLOAD,
            )
            for bucket, prefix in ((data, "uploads/"), (results, "results/"), (failed, "failed/"))
        ),
        Trial(
            action="logs:FilterLogEvents",
            resource=unit.log_group,
            purpose="to show the log of a job that runs",
            attempt=lambda aws: aws.logs.filter_log_events(logGroupName=unit.log_group, limit=1),
            switch=LOGS,
        ),
    ]
    if may_delete:
        trials.append(_deleting(unit, is_granted=True))
    return trials


def not_granted(unit: AwsUnit, *, may_delete: bool) -> Sequence[Trial]:
    """Return what no stack grants, and what therefore must be refused."""
    trials = [
        Trial(
            action="s3:ListAllMyBuckets",
            resource="the account",
            purpose="none",
            attempt=lambda aws: aws.s3.list_buckets(),
            is_granted=False,
        ),
        Trial(
            action="states:ListStateMachines",
            resource="the account",
            purpose="none",
            attempt=lambda aws: aws.step_functions.list_state_machines(maxResults=1),
            is_granted=False,
        ),
        Trial(
            action="iam:ListRoles",
            resource="the account",
            purpose="none",
            attempt=lambda aws: aws.iam.list_roles(MaxItems=1),
            is_granted=False,
        ),
    ]
    return trials if may_delete else [_deleting(unit, is_granted=False), *trials]


def _deleting(unit: AwsUnit, *, is_granted: bool) -> Trial:
    data = unit.buckets[Bucket.DATA]
    return Trial(
        action="s3:DeleteObject",
        resource=", ".join(unit.buckets.values()),
        purpose="to remove what has expired, or was deleted" if is_granted else "none",
        attempt=lambda aws: aws.s3.delete_object(Bucket=data, Key=f"uploads/{_NOTHING}"),
        is_granted=is_granted,
    )


def _reading(bucket: str, prefix: str, purpose: str, *, switch: str | None = None) -> Trial:
    return Trial(
        action="s3:GetObject",
        resource=f"{bucket}/{prefix}*",
        purpose=purpose,
        attempt=lambda aws: aws.s3.get_object(Bucket=bucket, Key=f"{prefix}{_NOTHING}"),
        switch=switch,
        means_allowed=frozenset({"NoSuchKey"}),
        is_ambiguous=True,
    )


def _listing(bucket: str, prefix: str) -> Callable[[Clients], object]:
    return lambda aws: aws.s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)


def begin_and_give_up(aws: Clients, bucket: str) -> None:
    """Begin an upload and give it up, which leaves nothing."""
    key = f"uploads/{_NOTHING}"
    begun = aws.s3.create_multipart_upload(Bucket=bucket, Key=key)
    aws.s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=begun["UploadId"])
