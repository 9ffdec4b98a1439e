"""What is found in a shipped stack, well and damaged, by the Brain's own role."""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import pytest

from aws_accounts import USER, Accounts
from aws_stacks import deploy
from aws_units import BRAIN_ARN, brain_credentials, empty, policy, unit_of
from cloudmr.aws.sessions import Sessions
from cloudmr.aws.unit import AwsUnit
from cloudmr.errors import UnitUnavailable
from cloudmr.model.findings import Check, Finding, Outcome
from cloudmr.model.ids import Kind, new_id
from cloudmr.model.instants import utc_now
from cloudmr.model.permissions import Measured
from cloudmr.probes.aws import AwsProbe
from cloudmr.probes.conformance import ProbeConformance, UnitUnderTest
from cloudmr.storage.base import Bucket

PAGE_URL = "https://brain.example.org/Prod"
IMAGE = f"262361552878.dkr.ecr.us-east-1.amazonaws.com/mroptimum@sha256:{'0a' * 32}"


@dataclass(frozen=True, kw_only=True)
class AsItWas:
    """What a test may break of a stack, before it did."""

    trust: str
    rights: str
    cors: Any

    @classmethod
    def of(cls, accounts: Accounts, unit: AwsUnit) -> Self:
        session = accounts.session(USER)
        iam, name = session.client("iam"), unit.role_arn.rpartition("/")[2]
        trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
        rights = iam.get_role_policy(RoleName=name, PolicyName="cloudmr")["PolicyDocument"]
        cors = session.client("s3").get_bucket_cors(Bucket=unit.buckets[Bucket.DATA])
        return cls(trust=json.dumps(trust), rights=json.dumps(rights), cors={"CORSRules": cors["CORSRules"]})


@dataclass(frozen=True, kw_only=True)
class StackUnderTest:
    """A stack of the test's own, and the Brain's view of it."""

    accounts: Accounts
    unit: AwsUnit
    sessions: Sessions

    @property
    def probe(self) -> AwsProbe:
        return AwsProbe(self.sessions, self.unit, page_url=PAGE_URL, image_uri=IMAGE, may_delete=False)

    @property
    def breakable(self) -> Collection[Check]:
        return (Check.ROLE_NEEDS_EXTERNAL_ID, Check.EXECUTIONS, Check.RESULTS_BUCKET, Check.ROLE_IS_NARROW)

    @property
    def role(self) -> str:
        return self.unit.role_arn.rpartition("/")[2]

    @property
    def iam(self) -> Any:
        return self.accounts.session(USER).client("iam")

    def damage(self, check: Check) -> None:
        match check:
            case Check.ROLE_NEEDS_EXTERNAL_ID:
                trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
                self.iam.update_assume_role_policy(RoleName=self.role, PolicyDocument=policy(trust))
            case Check.EXECUTIONS:
                self.allow("no-follow", Effect="Deny", Action="states:DescribeExecution", Resource="*")
            case Check.ROLE_IS_NARROW:
                self.allow("too-much", Effect="Allow", Action="iam:ListRoles", Resource="*")
            case Check.RESULTS_BUCKET:
                s3 = self.accounts.session(USER).client("s3")
                s3.delete_bucket(Bucket=self.unit.buckets[Bucket.RESULTS])
            case _:
                raise ValueError(check)

    def allow(self, name: str, **statement: str) -> None:
        self.iam.put_role_policy(RoleName=self.role, PolicyName=name, PolicyDocument=policy(statement))

    def vanish(self) -> None:
        for name in self.iam.list_role_policies(RoleName=self.role)["PolicyNames"]:
            self.iam.delete_role_policy(RoleName=self.role, PolicyName=name)
        self.iam.delete_role(RoleName=self.role)

    def mend(self, was: AsItWas) -> None:
        """Bring back the role and the buckets."""
        s3 = self.accounts.session(USER).client("s3")
        there = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
        for name in set(self.unit.buckets.values()) - there:
            s3.create_bucket(Bucket=name)
        s3.put_bucket_cors(Bucket=self.unit.buckets[Bucket.DATA], CORSConfiguration=was.cors)
        iam = self.iam
        with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_role(RoleName=self.role, AssumeRolePolicyDocument=was.trust)
        iam.update_assume_role_policy(RoleName=self.role, PolicyDocument=was.trust)
        for name in iam.list_role_policies(RoleName=self.role)["PolicyNames"]:
            iam.delete_role_policy(RoleName=self.role, PolicyName=name)
        iam.put_role_policy(RoleName=self.role, PolicyName="cloudmr", PolicyDocument=was.rights)

    def find(self, check: Check) -> Finding:
        [found] = [finding for finding in self.probe.look() if finding.check is check]
        return found


@pytest.fixture(scope="module")
def brains_environment(accounts: Accounts) -> Mapping[str, str]:
    return accounts.environment(credentials=brain_credentials(accounts))


@pytest.fixture
def sessions(brains_environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Sessions:
    for name, value in brains_environment.items():
        monkeypatch.setenv(name, value)
    return Sessions()


def make_stack(accounts: Accounts, **parameters: str) -> AwsUnit:
    external_id = secrets.token_hex(16)
    made = deploy(
        accounts,
        f"probed-{secrets.token_hex(3)}",
        {
            "CloudMRApiUrl": PAGE_URL,
            "ComputingUnitId": new_id(Kind.UNIT, now=utc_now()),
            "ExternalId": external_id,
            "BrainPrincipalArn": BRAIN_ARN,
            "ImageUri": IMAGE,
            **parameters,
        },
    )
    assert made.status == "CREATE_COMPLETE", made.failures
    return unit_of(made, external_id=external_id)


@pytest.fixture(scope="module")
def well(accounts: Accounts) -> AwsUnit:
    return make_stack(accounts)


@pytest.fixture(scope="module")
def as_it_was(accounts: Accounts, well: AwsUnit) -> AsItWas:
    return AsItWas.of(accounts, well)


@pytest.fixture
def stack(accounts: Accounts, sessions: Sessions, well: AwsUnit, as_it_was: AsItWas) -> Iterator[StackUnderTest]:
    """A stack that is well; what a test breaks of it is mended."""
    stack = StackUnderTest(accounts=accounts, unit=well, sessions=sessions)
    yield stack
    stack.mend(as_it_was)


class TestAwsProbe(ProbeConformance):
    @pytest.fixture
    def unit(self, stack: StackUnderTest) -> UnitUnderTest:
        return stack


def test_a_stack_that_is_well_is_so_in_every_respect(stack: StackUnderTest) -> None:
    assert {finding.check: finding.outcome for finding in stack.probe.look()} == dict.fromkeys(
        (
            Check.ROLE_ASSUMED,
            Check.ROLE_NEEDS_EXTERNAL_ID,
            Check.ROLE_REFUSES_WRONG_EXTERNAL_ID,
            Check.ROLE_IS_NARROW,
            Check.EXECUTIONS,
            Check.DATA_BUCKET,
            Check.RESULTS_BUCKET,
            Check.FAILED_BUCKET,
            Check.UPLOADS_FROM_PAGES,
            Check.IMAGE,
        ),
        Outcome.PASSED,
    )


def test_looking_leaves_nothing_behind(stack: StackUnderTest) -> None:
    stack.probe.look()
    stack.probe.permissions()
    s3 = stack.accounts.session(USER).client("s3")
    for name in stack.unit.buckets.values():
        assert s3.list_objects_v2(Bucket=name)["KeyCount"] == 0
        assert not s3.list_multipart_uploads(Bucket=name).get("Uploads")


def test_an_external_id_of_another_unit_opens_nothing(stack: StackUnderTest, accounts: Accounts) -> None:
    other = replace(stack.unit, external_id="a" * 32)
    found = replace(stack, unit=other).find(Check.ROLE_ASSUMED)
    assert found.outcome is Outcome.FAILED


def test_a_role_that_asks_for_no_external_id_is_refused(stack: StackUnderTest) -> None:
    stack.damage(Check.ROLE_NEEDS_EXTERNAL_ID)
    for check in (Check.ROLE_NEEDS_EXTERNAL_ID, Check.ROLE_REFUSES_WRONG_EXTERNAL_ID):
        assert stack.find(check).outcome is Outcome.REFUSED


def test_a_stack_of_which_nothing_is_left_is_gone(stack: StackUnderTest, accounts: Accounts) -> None:
    s3 = accounts.session(USER).client("s3")
    stack.vanish()
    assert stack.find(Check.ROLE_ASSUMED).outcome is Outcome.FAILED
    empty(s3, stack.unit)
    for name in stack.unit.buckets.values():
        s3.delete_bucket(Bucket=name)
    assert stack.find(Check.ROLE_ASSUMED).outcome is Outcome.GONE


def test_pages_elsewhere_cannot_upload(stack: StackUnderTest) -> None:
    probe = AwsProbe(
        stack.sessions, stack.unit, page_url="https://elsewhere.example.org", image_uri=None, may_delete=False
    )
    outcomes = {finding.check: finding.outcome for finding in probe.look()}
    assert outcomes[Check.UPLOADS_FROM_PAGES] is Outcome.DOUBTFUL
    assert outcomes[Check.IMAGE] is Outcome.UNSEEN


def test_a_brain_without_credentials_blames_no_unit(well: AwsUnit, accounts: Accounts) -> None:
    probe = AwsProbe(Sessions(), well, page_url=PAGE_URL, image_uri=IMAGE, may_delete=False)
    [found] = probe.look()
    assert (found.check, found.outcome) == (Check.REACHABLE, Outcome.FAILED)
    assert "no AWS credentials" in found.message


def test_what_can_be_done_is_told_right_by_right(stack: StackUnderTest) -> None:
    permissions = stack.probe.permissions()
    declared = {each.action: (each.is_declared, each.switch, each.measured) for each in permissions}
    assert declared["states:StartExecution"] == (True, None, Measured.NOT_TRIED)
    assert declared["states:DescribeExecution"] == (True, None, Measured.ALLOWED)
    assert declared["states:StopExecution"] == (True, "AllowStop", Measured.ALLOWED)
    assert declared["s3:PutObject"] == (True, "AllowUpload", Measured.ALLOWED)
    assert declared["logs:FilterLogEvents"] == (False, "AllowLogs", Measured.REFUSED)
    for action in ("s3:DeleteObject", "s3:ListAllMyBuckets", "states:ListStateMachines", "iam:ListRoles"):
        assert declared[action] == (False, None, Measured.REFUSED)


def test_what_was_switched_off_is_refused(accounts: Accounts, sessions: Sessions) -> None:
    unit = make_stack(accounts, AllowUpload="false", AllowStop="false")
    stack = StackUnderTest(accounts=accounts, unit=unit, sessions=sessions)
    permissions = stack.probe.permissions()
    off = {each.switch for each in permissions if each.measured is Measured.REFUSED and each.switch}
    assert off == {"AllowUpload", "AllowStop", "AllowLogs"}
    assert all(each.is_as_declared for each in permissions)
    assert "AllowUpload=true" in stack.find(Check.DATA_BUCKET).fix


def test_an_account_that_is_not_there_is_a_finding(stack: StackUnderTest) -> None:
    strange = replace(stack.unit, role_arn="arn:aws:iam::999999999999:role/none")
    probe = replace(stack, unit=strange).probe
    assert any(finding.outcome is Outcome.FAILED for finding in probe.look())
    with pytest.raises(UnitUnavailable):
        probe.permissions()
