"""What a stack in somebody's AWS account says of itself when it is registered."""

from __future__ import annotations

from typing import Any

from bench import Bench
from cloudmr.model.people import Caller
from cloudmr.model.registration import Operator, Preparation, Registration
from cloudmr.services.prepare_unit import prepare_unit

OPERATORS_ACCOUNT = "262361552878"
ACCOUNT = "123456789012"
REGION = "us-east-1"
OPERATOR = Operator(
    account_id=OPERATORS_ACCOUNT,
    principal_arn=f"arn:aws:iam::{OPERATORS_ACCOUNT}:role/cloudmr-brain",
    image_repository=f"{OPERATORS_ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/mroptimum@sha256:{'0a' * 32}",
    image_regions=("us-east-1", "eu-central-1"),
)
PUBLIC_URL = "https://brain.example.org/Prod"


def stack(account: str = ACCOUNT, *, name: str = "mroptimum-mode2", region: str = REGION) -> dict[str, str]:
    """Return the outputs of a stack, under the names that a registration has."""
    return {
        "aws_account_id": account,
        "region": region,
        "state_machine_arn": f"arn:aws:states:{region}:{account}:stateMachine:{name}-jobs",
        "cross_account_role_arn": f"arn:aws:iam::{account}:role/{name}-cloudmr",
        "data_bucket": f"{name}-data-{account}",
        "results_bucket": f"{name}-results-{account}",
        "failed_bucket": f"{name}-failed-{account}",
    }


def prepared(bench: Bench, caller: Caller, *, account: str = ACCOUNT, region: str = REGION) -> Preparation:
    """Return a unit that was just announced."""
    return prepare_unit(bench.brain, caller, aws_account_id=account, region=region, image_tag="latest")


def registration(unit_id: str | None = None, **changes: Any) -> Registration:
    """Return a registration of the stack, or of one that differs from it."""
    outputs: dict[str, Any] = {**stack(), **changes}
    return Registration(unit_id=unit_id, **outputs)
