"""Removing a unit: CloudMR Brain forgets it, its stack is deleted, its buckets stay unless it is told otherwise."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from cloudmr.aws.said import AwsSaid
from cloudmr.client.brain import BrainClient
from cloudmr.client.errors import Refused
from cloudmr.deploy.account import Asks, Stack
from cloudmr.deploy.buckets import Kind
from cloudmr.deploy.carry_out import Hear, Pause, delete_stack
from cloudmr.deploy.errors import AwsRefused
from cloudmr.deploy.explain import explain_refusal
from cloudmr.model.prices import PriceSet, in_dollars, price_book

_TASKS_END_WITHIN_S, _TASKS_EVERY_S = 180, 5
"""A worker has a minute to end, and its network some more to be taken down."""
_AT_ONCE = 1000
"""As many objects as S3 deletes in one request."""
_GB = 10**9


@dataclass(frozen=True, kw_only=True)
class Stays:
    """A bucket that stays: how much is in it, and what that costs in a month."""

    bucket: str
    n_objects: int
    n_bytes: int

    @property
    def microdollars_a_month(self) -> int:
        """What storing it costs in a month, by the list prices."""
        rate = price_book().sets[PriceSet.LIST].s3_gb_month
        return int(rate * self.n_bytes * 1_000_000 / _GB)


@dataclass(frozen=True, kw_only=True)
class Removed:
    """What was done, and what stays."""

    is_deregistered: bool
    emptied: tuple[str, ...]
    stays: tuple[Stays, ...]


def buckets_of(stack: Stack) -> tuple[str, ...]:
    """Return the buckets that a stack made or was given."""
    return tuple(name for kind in Kind if (name := stack.outputs.get(kind.parameter)))


def own_buckets_of(stack: Stack) -> tuple[str, ...]:
    """Return the buckets that belong to the stack by their name, and not those that a person brought along."""
    return tuple(name for name in buckets_of(stack) if name.startswith(f"{stack.name}-"))


def deregister(brain: BrainClient, unit_id: str, *, cancel_jobs: bool) -> bool:
    """Have the Brain forget a unit; return whether it still knew it. Raise what the client raises."""
    try:
        brain.computing_units.remove(unit_id, cancel_jobs=cancel_jobs)
    except Refused as refusal:
        if refusal.instance_code == "not_found":
            return False
        raise
    return True


def remove_stack(
    aws: Asks,
    stack: Stack,
    *,
    deletes_data: bool,
    hear: Hear,
    tell: Callable[[str], None],
    pause: Pause = time.sleep,
) -> tuple[tuple[str, ...], tuple[Stays, ...]]:
    """Delete a stack; with `deletes_data` its own buckets too. Return the buckets that are gone, and those that stay.

    Raise `StandsInTheWay`, `AwsRefused`.
    """
    try:
        _await_tasks(aws, stack, tell=tell, pause=pause)
        delete_stack(aws, stack.name, hear=hear, pause=pause)
        gone = []
        if deletes_data:
            for name in own_buckets_of(stack):
                tell(f"Emptying {name}…")
                empty(aws, name)
                aws.ask("s3", "delete_bucket", Bucket=name)
                gone.append(name)
        stays = [content(aws, name) for name in buckets_of(stack) if name not in gone]
    except AwsSaid as refusal:
        raise explain_refusal(refusal) from refusal
    return tuple(gone), tuple(each for each in stays if each is not None)


def _await_tasks(aws: Asks, stack: Stack, *, tell: Callable[[str], None], pause: Pause) -> None:
    """Wait a while for tasks that were told to end: AWS deletes no cluster that has any. Raise `AwsSaid`."""
    cluster = stack.outputs.get("ClusterName")
    is_told = False
    for _ in range(_TASKS_END_WITHIN_S // _TASKS_EVERY_S if cluster else 0):
        try:
            n_tasks = len(list(aws.pages("ecs", "list_tasks", "taskArns", cluster=cluster)))
        except AwsSaid as refusal:
            if refusal.aws_code in {"ClusterNotFoundException", "ClusterNotFound"}:
                return
            raise
        if not n_tasks:
            return
        if not is_told:
            tell(f"Waiting for {n_tasks} tasks of Fargate to end…")
            is_told = True
        pause(_TASKS_EVERY_S)


def content(aws: Asks, bucket: str) -> Stays | None:
    """Return how much is in a bucket, None if it is gone. Raise `AwsSaid`."""
    try:
        sizes = [each["Size"] for each in aws.pages("s3", "list_objects_v2", "Contents", Bucket=bucket)]
    except AwsSaid as refusal:
        if refusal.aws_code in {"NoSuchBucket", "404"}:
            return None
        raise
    return Stays(bucket=bucket, n_objects=len(sizes), n_bytes=sum(sizes))


def empty(aws: Asks, bucket: str) -> int:
    """Delete everything in a bucket, earlier versions, their marks and unfinished uploads too; return how much.

    Raise `AwsSaid`, `AwsRefused` for an object that cannot be deleted.
    """
    n = 0
    for some in _in_batches(_everything(aws, bucket)):
        answer = aws.ask("s3", "delete_objects", Bucket=bucket, Delete={"Objects": some, "Quiet": True})
        if errors := answer.get("Errors"):
            raise AwsRefused(f"deleting {errors[0].get('Key')} of {bucket}", str(errors[0].get("Message", "")))
        n += len(some)
    for upload in aws.pages("s3", "list_multipart_uploads", "Uploads", Bucket=bucket):
        aws.ask("s3", "abort_multipart_upload", Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    return n


def _everything(aws: Asks, bucket: str) -> Iterator[dict[str, str]]:
    for field in ("Versions", "DeleteMarkers"):
        for each in aws.pages("s3", "list_object_versions", field, Bucket=bucket):
            yield {"Key": each["Key"], "VersionId": each["VersionId"]}


def _in_batches(objects: Iterator[dict[str, str]]) -> Iterator[list[dict[str, str]]]:
    while some := list(islice(objects, _AT_ONCE)):
        yield some


def said_of(stays: Sequence[Stays]) -> Iterator[str]:
    """Yield what stays, in words."""
    for each in stays:
        size = f"{each.n_bytes / _GB:.3g} GB" if each.n_bytes >= _GB / 1000 else f"{each.n_bytes} bytes"
        cost = in_dollars(each.microdollars_a_month)
        yield f"{each.bucket} stays: {each.n_objects} objects, {size}, about {cost} a month."
