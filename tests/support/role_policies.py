"""The policies of a unit's role as they should be, and as they should not."""

from __future__ import annotations

from typing import Any

from cloudmr.deploy.policies import declared_for_brain
from units import ACCOUNT, OPERATORS_ACCOUNT

EXTERNAL_ID = "jbswy3dpeb3w64tmmqqho33snrscc3tjm5uhiidxn5zgy"
ROLE = f"arn:aws:iam::{OPERATORS_ACCOUNT}:role/cloudmr-brain"
ROOT = f"arn:aws:iam::{OPERATORS_ACCOUNT}:root"
MACHINE = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:mroptimum-mode2-jobs"
DECLARED = declared_for_brain(
    machine_arn=MACHINE,
    data_bucket="d",
    results_bucket="r",
    failed_bucket="f",
    log_group="arn:aws*:logs:*:log-group:/g",
)


def trust(principal: Any = None, conditions: dict[str, Any] | None = None) -> dict[str, Any]:
    equals = {"sts:ExternalId": EXTERNAL_ID, "aws:PrincipalArn": ROLE} if conditions is None else conditions
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": ROOT} if principal is None else principal,
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": equals},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}
