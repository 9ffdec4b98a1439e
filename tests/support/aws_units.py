"""Computing units in emulated accounts, made by hand: no more of a stack than its buckets and its role."""

from __future__ import annotations

import json
import secrets
from functools import reduce
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from aws_accounts import CHECKOUT, OPERATOR, REGION, USER, Accounts, Credentials
from aws_stacks import Stack
from cloudmr.aws.unit import AwsUnit
from cloudmr.storage.base import Bucket
from unit_template import read_template

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_BRAIN = CHECKOUT / "brain-deployment" / "template-brain.yaml"
BRAIN_ROLE = "cloudmr-brain"
BRAIN_ARN = f"arn:aws:iam::{OPERATOR}:role/{BRAIN_ROLE}"


def brain_credentials(accounts: Accounts) -> Credentials:
    """Return a session of the Brain's role in the operator's account; the role is made the first time.

    It may do what the stack of a Brain on AWS lets it.
    """
    iam = accounts.session(OPERATOR).client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{OPERATOR}:root"}, "Action": "sts:AssumeRole"}
    try:
        iam.create_role(RoleName=BRAIN_ROLE, AssumeRolePolicyDocument=policy(trust))
    except ClientError as error:
        if error.response["Error"]["Code"] != "EntityAlreadyExists":
            raise
    iam.put_role_policy(RoleName=BRAIN_ROLE, PolicyName="units", PolicyDocument=_rights_of_the_brain())
    given = accounts.session(OPERATOR).client("sts").assume_role(RoleArn=BRAIN_ARN, RoleSessionName="brain")
    session = given["Credentials"]
    return Credentials(key=session["AccessKeyId"], secret=session["SecretAccessKey"], token=session["SessionToken"])


def _rights_of_the_brain() -> str:
    """Return the policy of the Brain's own template, as it reads in the operator's account."""
    [shipped] = read_template(_BRAIN)["Resources"]["BrainRole"]["Properties"]["Policies"]
    here = {"AWS::AccountId": OPERATOR, "AWS::Partition": "aws"}

    def filled_in(value: Any) -> Any:
        match value:
            case {"Ref": name}:
                return here[name]
            case {"Fn::Sub": str(text)}:
                return reduce(lambda said, each: said.replace(f"${{{each}}}", here[each]), here, text)
            case dict():
                return {key: filled_in(each) for key, each in value.items()}
            case list():
                return [filled_in(each) for each in value]
            case _:
                return value

    return json.dumps(filled_in(shipped["PolicyDocument"]))


def make_unit(accounts: Accounts, account: str = USER, *, may_delete: bool = False) -> AwsUnit:
    """Make the buckets of a unit and the role that lets the Brain in; there is no state machine."""
    name = f"unit-{secrets.token_hex(4)}"
    external_id = secrets.token_hex(16)
    buckets = {bucket: f"{name}-{bucket}-{account}" for bucket in Bucket}
    s3 = accounts.session(account).client("s3")
    for bucket_name in buckets.values():
        s3.create_bucket(Bucket=bucket_name)
    unit = AwsUnit(
        account_id=account,
        region=REGION,
        role_arn=f"arn:aws:iam::{account}:role/{name}-cloudmr",
        external_id=external_id,
        state_machine_arn=f"arn:aws:states:{REGION}:{account}:stateMachine:{name}-jobs",
        buckets=buckets,
    )
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{OPERATOR}:root"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": external_id, "aws:PrincipalArn": BRAIN_ARN}},
    }
    iam = accounts.session(account).client("iam")
    iam.create_role(RoleName=f"{name}-cloudmr", AssumeRolePolicyDocument=policy(trust))
    iam.put_role_policy(
        RoleName=f"{name}-cloudmr", PolicyName="brain", PolicyDocument=policy(*_rights(unit, may_delete=may_delete))
    )
    return unit


def unit_of(stack: Stack, *, external_id: str) -> AwsUnit:
    """Return the unit that somebody's stack made, whose role asks for this ExternalId."""
    return AwsUnit(
        account_id=USER,
        region=REGION,
        role_arn=stack.outputs["CloudMRCrossAccountRoleArn"],
        external_id=external_id,
        state_machine_arn=stack.outputs["CalculationStateMachineArn"],
        buckets={
            Bucket.DATA: stack.outputs["DataBucketName"],
            Bucket.RESULTS: stack.outputs["ResultsBucketName"],
            Bucket.FAILED: stack.outputs["FailedBucketName"],
        },
    )


def empty(s3: S3Client, unit: AwsUnit) -> None:
    """Remove what lies in the buckets of a unit, begun uploads too."""
    for bucket_name in unit.buckets.values():
        for upload in s3.list_multipart_uploads(Bucket=bucket_name).get("Uploads", ()):
            s3.abort_multipart_upload(Bucket=bucket_name, Key=upload["Key"], UploadId=upload["UploadId"])
        for found in s3.list_objects_v2(Bucket=bucket_name).get("Contents", ()):
            s3.delete_object(Bucket=bucket_name, Key=found["Key"])


def policy(*statements: dict[str, Any]) -> str:
    """Return a policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _rights(unit: AwsUnit, *, may_delete: bool) -> list[dict[str, Any]]:
    data, results, failed = (f"arn:aws:s3:::{unit.buckets[bucket]}" for bucket in Bucket)
    put = ["s3:PutObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"]
    objects = [f"{data}/uploads/*", f"{data}/regions/*", f"{results}/results/*", f"{failed}/failed/*"]
    rights: list[dict[str, Any]] = [
        {"Action": "s3:GetObject", "Resource": objects},
        {"Action": put, "Resource": objects[:2]},
        _listing(data, "uploads/*", "regions/*"),
        _listing(results, "results/*"),
        _listing(failed, "failed/*"),
    ]
    if may_delete:
        rights.append({"Action": "s3:DeleteObject", "Resource": objects})
    return [{"Effect": "Allow", **right} for right in rights]


def _listing(bucket: str, *prefixes: str) -> dict[str, Any]:
    return {
        "Action": "s3:ListBucket",
        "Resource": bucket,
        "Condition": {"StringLike": {"s3:prefix": list(prefixes)}},
    }
