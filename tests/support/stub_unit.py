"""A unit with a worker that does as it is told, made of the shipped template, and a Brain that listens."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from aws_accounts import CHECKOUT, IMAGE_URI, OPERATOR, PYTHON, USER, Accounts, Image
from aws_stacks import Stack, deploy
from listener import Listener, listening
from waiting import wait_until

STUB = CHECKOUT / "tests" / "aws" / "stub"
EXTERNAL_ID = "an-external-id-that-only-this-unit-got"
PRINCIPAL = f"arn:aws:iam::{OPERATOR}:role/cloudmr-brain"
STUB_URI = IMAGE_URI.replace("mroptimum:", "stub:")
_JOBS = count(1)


def stub_image(*, does: str = "succeeds") -> Image:
    """Return the image of the worker that does as it is told, or always the same."""
    return Image(argv=(str(PYTHON), str(STUB / "worker.py")), folder=str(STUB), environment={"STUB_DOES": does})


def answer_as_brain(listener: Listener, *, unit_id: str = "unit_1", image_uri: str = STUB_URI) -> None:
    """Have a listener announce and register one unit."""
    prepared = {
        "computingUnitId": unit_id,
        "externalId": EXTERNAL_ID,
        "brainPrincipalArn": PRINCIPAL,
        "imageUri": image_uri,
    }
    registered = {"computingUnitId": unit_id, "status": "unverified", "message": "It is verified now."}
    listener.answers["/api/computing-unit/prepare"] = (201, json.dumps(prepared).encode())
    listener.answers["/api/computing-unit/register"] = (200, json.dumps(registered).encode())


@dataclass(frozen=True, kw_only=True)
class StubUnit:
    """The unit's stack, and who listens in the Brain's place."""

    accounts: Accounts
    stack: Stack
    brain: Listener
    secret: str = field(default="5" * 64, repr=False)

    def start(self, does: str = "succeeds", **given: Any) -> str:
        """Start a job and return the ARN of its execution."""
        job_id = f"job_{next(_JOBS)}"
        job = {
            "attempt": 1,
            "callback_url": f"{self.brain.url}/api/job/{job_id}/callback",
            "deadline_s": 600,
            "disk_gib": 30,
            "document_url": f"{self.brain.url}/api/job/{job_id}/document",
            "does": does,
            "job_id": job_id,
            "key_id": "0123456789ab",
            "memory_mib": 8192,
            "platform": "lambda",
            "progress_url": f"{self.brain.url}/api/job/{job_id}/progress",
            "schema_version": 1,
            "secret": self.secret,
            "vcpu": 4,
            **given,
        }
        machines = self.accounts.session(self.stack.account).client("stepfunctions")
        started = machines.start_execution(
            stateMachineArn=self.stack.outputs["CalculationStateMachineArn"],
            name=f"{job_id}-1",
            input=json.dumps(job, sort_keys=True),
        )
        return str(started["executionArn"])

    def end_of(self, execution_arn: str) -> Mapping[str, Any]:
        """Wait for an end, and return how AWS describes it."""
        machines = self.accounts.session(self.stack.account).client("stepfunctions")

        def look() -> Mapping[str, Any] | None:
            described = machines.describe_execution(executionArn=execution_arn)
            return None if described["status"] == "RUNNING" else described

        return wait_until(look, what=f"the end of {execution_arn}")

    def run(self, does: str = "succeeds", **given: Any) -> Mapping[str, Any]:
        """Run a job to its end."""
        return self.end_of(self.start(does, **given))

    def report_of(self, execution_arn: str) -> Mapping[str, Any]:
        """Return what the Brain heard of an execution's end."""
        job_id = execution_arn.rpartition(":")[2].removesuffix("-1")
        report: Mapping[str, Any] = json.loads(self.brain.next(f"/api/job/{job_id}/callback").body)
        return report

    def tasks(self) -> list[Mapping[str, Any]]:
        """Return the tasks of the cluster, ended and running."""
        ecs = self.accounts.session(self.stack.account).client("ecs")
        cluster = self.stack.outputs["ClusterName"]
        arns = [
            *ecs.list_tasks(cluster=cluster, desiredStatus="STOPPED")["taskArns"],
            *ecs.list_tasks(cluster=cluster, desiredStatus="RUNNING")["taskArns"],
        ]
        described = ecs.describe_tasks(cluster=cluster, tasks=arns, include=["TAGS"])["tasks"] if arns else []
        return [dict(task) for task in described]

    def task_of(self, execution_arn: str) -> Mapping[str, Any]:
        """Return the task that an execution ran."""
        job_id = execution_arn.rpartition(":")[2].removesuffix("-1")
        tag = {"key": "cloudmr:job", "value": job_id}
        return next(task for task in self.tasks() if tag in task["tags"])


@contextmanager
def stub_unit(accounts: Accounts, name: str, **parameters: str) -> Iterator[StubUnit]:
    """Deploy one; nothing of it is removed afterwards but with the accounts."""
    accounts.put_image(STUB_URI, stub_image())
    with listening() as brain:
        answer_as_brain(brain)
        given = {"CloudMRApiUrl": brain.url, "CloudMRUserToken": "a-token", "SmallJobMemory": "256", **parameters}
        stack = deploy(accounts, name, given, account=USER)
        assert stack.status == "CREATE_COMPLETE", stack.failures
        yield StubUnit(accounts=accounts, stack=stack, brain=brain)


def hurry(accounts: Accounts, stack: Stack) -> None:
    """Have what was not heard come again at once, where it would after minutes."""
    sqs = accounts.session(stack.account).client("sqs")
    for url in sqs.list_queues(QueueNamePrefix=f"{stack.name}-EndQueue")["QueueUrls"]:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
