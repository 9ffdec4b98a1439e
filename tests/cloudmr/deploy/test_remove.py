"""Removing a unit: what is deleted when it is told, what stays, and what that costs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cloudmr.deploy.account import Stack
from cloudmr.deploy.errors import AwsRefused, StandsInTheWay
from cloudmr.deploy.remove import Stays, buckets_of, content, empty, own_buckets_of, remove_stack, said_of
from scripted_account import ScriptedAccount, refusal

STACK = Stack(
    name="s",
    id="arn:s",
    status="CREATE_COMPLETE",
    reason="",
    parameters={},
    outputs={"DataBucketName": "brought-along", "ResultsBucketName": "s-results-1", "FailedBucketName": "s-failed-1"},
)


def described(status: str) -> dict[str, Any]:
    return {"Stacks": [{"StackName": "s", "StackId": "arn:s", "StackStatus": status}]}


def account(**changes: Any) -> ScriptedAccount:
    states = iter(["CREATE_COMPLETE", "DELETE_IN_PROGRESS", "DELETE_COMPLETE"])
    answers: dict[str, Any] = {
        "cloudformation:describe_stacks": lambda **_: described(next(states)),
        "cloudformation:describe_stack_events": [],
        "cloudformation:delete_stack": {},
        "s3:list_objects_v2": [{"Size": 10}, {"Size": 5}],
        "s3:list_object_versions": lambda **_: [],
        "s3:list_multipart_uploads": [],
        "s3:delete_bucket": {},
    }
    return ScriptedAccount(answers | {name.replace("__", ":"): answer for name, answer in changes.items()})


def removed(aws: ScriptedAccount, *, deletes_data: bool) -> tuple[tuple[str, ...], tuple[Stays, ...]]:
    return remove_stack(
        aws, STACK, deletes_data=deletes_data, hear=lambda _: None, tell=lambda _: None, pause=lambda _: None
    )


def test_the_buckets_stay_and_are_named_with_what_is_in_them() -> None:
    gone, stays = removed(account(), deletes_data=False)
    assert gone == ()
    assert [(each.bucket, each.n_objects, each.n_bytes) for each in stays] == [
        ("brought-along", 2, 15),
        ("s-results-1", 2, 15),
        ("s-failed-1", 2, 15),
    ]


def test_data_go_only_when_that_is_said_and_never_from_a_bucket_that_was_brought_along() -> None:
    aws = account()
    gone, stays = removed(aws, deletes_data=True)
    assert gone == ("s-results-1", "s-failed-1")
    assert [each.bucket for each in stays] == ["brought-along"]
    assert [asked["Bucket"] for what, asked in aws.asked if what == "s3:delete_bucket"] == ["s-results-1", "s-failed-1"]


def test_tasks_that_are_ending_are_waited_for() -> None:
    tasks, said = iter([["a", "b"], ["b"], []]), list[str]()
    aws = account(ecs__list_tasks=lambda **_: next(tasks))
    with_cluster = replace(STACK, outputs={**STACK.outputs, "ClusterName": "s-cluster"})
    remove_stack(aws, with_cluster, deletes_data=False, hear=lambda _: None, tell=said.append, pause=lambda _: None)
    assert said == ["Waiting for 2 tasks of Fargate to end…"]
    assert next(tasks, None) is None


def test_a_cluster_that_is_gone_has_no_tasks() -> None:
    aws = account(ecs__list_tasks=refusal("ClusterNotFoundException", "no such cluster"))
    with_cluster = replace(STACK, outputs={**STACK.outputs, "ClusterName": "s-cluster"})
    gone, _ = remove_stack(
        aws, with_cluster, deletes_data=False, hear=lambda _: None, tell=lambda _: None, pause=lambda _: None
    )
    assert gone == ()


def test_a_stack_that_cannot_be_deleted_says_why() -> None:
    states = iter(["CREATE_COMPLETE", "DELETE_FAILED"])
    event = {
        "EventId": "1",
        "LogicalResourceId": "DataBucket",
        "ResourceStatus": "DELETE_FAILED",
        "ResourceStatusReason": "The bucket you tried to delete is not empty",
    }
    events = iter([[], [event], [event]])
    aws = account(
        cloudformation__describe_stacks=lambda **_: described(next(states)),
        cloudformation__describe_stack_events=lambda **_: next(events),
    )
    with pytest.raises(StandsInTheWay) as caught:
        removed(aws, deletes_data=False)
    assert caught.value.instance_code == "bucket_not_empty"


def test_emptying_takes_versions_marks_and_unfinished_uploads() -> None:
    listed = iter([[{"Key": f"k{n}", "VersionId": "1"} for n in range(1500)], [{"Key": "gone", "VersionId": "2"}]])
    aws = account(
        s3__list_object_versions=lambda **_: next(listed),
        s3__delete_objects={},
        s3__list_multipart_uploads=[{"Key": "begun", "UploadId": "u"}],
        s3__abort_multipart_upload={},
    )
    assert empty(aws, "b") == 1501
    requests = [asked for what, asked in aws.asked if what == "s3:delete_objects"]
    assert [len(asked["Delete"]["Objects"]) for asked in requests] == [1000, 501]
    assert ("s3:abort_multipart_upload", {"Bucket": "b", "Key": "begun", "UploadId": "u"}) in aws.asked


def test_an_object_that_cannot_be_deleted_is_named() -> None:
    listed = iter([[{"Key": "held", "VersionId": "1"}], []])
    aws = account(
        s3__list_object_versions=lambda **_: next(listed),
        s3__delete_objects={"Errors": [{"Key": "held", "Message": "It is locked"}]},
    )
    with pytest.raises(AwsRefused, match="held of b: It is locked"):
        empty(aws, "b")


def test_a_bucket_that_is_gone_does_not_stay() -> None:
    assert content(account(s3__list_objects_v2=refusal("NoSuchBucket")), "b") is None


def test_what_stays_is_said_with_its_price() -> None:
    # 87 GB at $0.023 a GB and month are the guide's $2.
    stays = Stays(bucket="b", n_objects=3, n_bytes=87 * 10**9)
    assert stays.microdollars_a_month == 2_001_000
    assert list(said_of([stays])) == ["b stays: 3 objects, 87 GB, about $2.00 a month."]


def test_buckets_of_the_stack_are_told_from_those_brought_along() -> None:
    assert buckets_of(STACK) == ("brought-along", "s-results-1", "s-failed-1")
    assert own_buckets_of(STACK) == ("s-results-1", "s-failed-1")
