"""A plan is a value: what is made, with which parameters, or everything that stands in the way, at once."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from cloudmr.deploy.account import Bucket, Person, Stack
from cloudmr.deploy.buckets import Kind, Setting
from cloudmr.deploy.network import Network, NetworkChoice, Subnet, WayOut
from cloudmr.deploy.options import Given, given
from cloudmr.deploy.plan import (
    Announced,
    Origin,
    Parameter,
    Plan,
    Seen,
    SeenBucket,
    bucket_name,
    decide_mode,
    example_jobs,
    make_plan,
    shared_bucket_name,
    unknown_parameters,
)
from cloudmr.deploy.situation import Step
from cloudmr.deploy.template import Template
from cloudmr.deploy.troubles import Problem, Trouble
from cloudmr.model.units import Mode
from units import ACCOUNT, OPERATOR, OPERATORS_ACCOUNT

TEMPLATE = Template.of("""
Parameters:
  CloudMRApiUrl: {Type: String}
  CloudMRUserToken: {Type: String}
  VpcId: {Type: String}
  SubnetId1: {Type: String}
  SubnetId2: {Type: String}
  ImageTag: {Type: String}
  ImageUri: {Type: String, Default: ""}
  AssignPublicIp:
    Type: String
  SecurityGroupId: {Type: String}
  DataBucketName: {Type: String}
  Memory: {Type: String}
  MonthlyBudgetUsd: {Type: Number, Default: 0}
Conditions:
  MakesDataBucket: !Equals [!Ref DataBucketName, ""]
  HasBudget: !Not [!Equals [!Ref MonthlyBudgetUsd, 0]]
Resources:
  DataBucket:
    Type: AWS::S3::Bucket
    Condition: MakesDataBucket
  Budget:
    Type: AWS::Budgets::Budget
    Condition: HasBudget
  JobStateMachine:
    Type: AWS::StepFunctions::StateMachine
  Register: {Type: "Custom::ComputingUnit", Properties: {}}
Outputs:
  ComputingUnitId: {Value: !Ref X}
""")
ANNOUNCED = Announced(
    unit_id="unit_1",
    external_id="not shown",
    brain_principal_arn=OPERATOR.principal_arn or "",
    image_uri="262361552878.dkr.ecr.us-east-1.amazonaws.com/mroptimum:latest",
)


def subnets(way: WayOut = WayOut.INTERNET_GATEWAY) -> tuple[Subnet, Subnet]:
    first, second = (
        Subnet(id=f"subnet-{zone}", vpc_id="vpc-1", zone=f"us-east-1{zone}", n_free_addresses=9, way_out=way)
        for zone in "ab"
    )
    return first, second


def seen(stack: Stack | None = None, *, account: str = ACCOUNT, way: WayOut = WayOut.INTERNET_GATEWAY) -> Seen:
    network = Network(vpc_id="vpc-1", subnets=subnets(way), security_group_id=None, reason="the only one")
    names = {kind: bucket_name("mroptimum-mode2", kind, account_id=account, region="us-east-1") for kind in Kind}
    return Seen(
        person=Person(account_id=account, arn=f"arn:aws:iam::{account}:user/me"),
        region="us-east-1",
        stack=stack,
        network=NetworkChoice(network=network),
        buckets={kind: SeenBucket(name=name, is_free=True) for kind, name in names.items()},
    )


def stack(status: str) -> Stack:
    return Stack(
        name="mroptimum-mode2",
        id="arn:aws:cloudformation:us-east-1:123456789012:stack/mroptimum-mode2/1",
        status=status,
        reason="",
        parameters={"VpcId": "vpc-1", "Memory": "16384", "CloudMRUserToken": "****"},
        outputs={},
    )


def own(name: str, **changes: object) -> Bucket:
    bucket = Bucket(
        name=name,
        region="us-east-1",
        blocks_public=True,
        is_encrypted=True,
        cors_origins=dict.fromkeys(("GET", "HEAD", "PUT"), frozenset({"https://brain.example.org"})),
        requires_tls=True,
    )
    return replace(bucket, **changes)  # type: ignore[arg-type]


def said(**flags: str) -> Given:
    return given({"api_url": "https://brain.example.org/Prod", **flags}, {})


def planned(there: Seen, what: Given | None = None, *, announced: Announced | None = ANNOUNCED, **more: str) -> Plan:
    plan = make_plan(there, what or said(), TEMPLATE, more=more, announced=announced)
    assert isinstance(plan, Plan), plan
    return plan


def refused(there: Seen, what: Given | None = None, *, announced: Announced | None = ANNOUNCED) -> list[Trouble]:
    found = make_plan(there, what or said(), TEMPLATE, more={}, announced=announced)
    assert isinstance(found, tuple)
    return [problem.trouble for problem in found]


def values(plan: Plan) -> dict[str, str | None]:
    return {each.name: each.value for each in plan.parameters}


def test_a_first_stack_is_made_with_what_the_guide_passes() -> None:
    plan = planned(seen())
    assert (plan.step, plan.mode) == (Step.CREATE, Mode.MODE_2)
    assert values(plan) == {
        "CloudMRApiUrl": "https://brain.example.org/Prod",
        "VpcId": "vpc-1",
        "SubnetId1": "subnet-a",
        "SubnetId2": "subnet-b",
        "ImageTag": "latest",
        "AssignPublicIp": "ENABLED",
        "SecurityGroupId": "",
    }
    assert [bucket.origin for bucket in plan.buckets] == [Origin.MADE] * 3
    assert plan.buckets[0].name == f"mroptimum-mode2-data-{ACCOUNT}"
    assert plan.resources["Register"] == "Custom::ComputingUnit"


def test_a_plan_says_what_the_brain_may_do_and_by_which_switch() -> None:
    rights = {right.action for right in planned(seen()).rights}
    assert rights == {"states:StartExecution", "states:DescribeExecution", "s3:GetObject"}
    assert "logs:FilterLogEvents" in {right.action for right in planned(seen(), AllowLogs="true").rights}


def test_behind_nat_tasks_get_no_public_address() -> None:
    assert values(planned(seen(way=WayOut.NAT)))["AssignPublicIp"] == "DISABLED"


def test_a_stack_that_is_there_keeps_what_nobody_spoke_of() -> None:
    plan = planned(seen(stack("UPDATE_COMPLETE")))
    assert plan.step is Step.UPDATE
    assert values(plan)["Memory"] is None
    assert values(planned(seen(stack("UPDATE_COMPLETE")), Memory="30720"))["Memory"] == "30720"


def test_an_update_brings_the_image_of_today() -> None:
    there = seen(stack("UPDATE_COMPLETE"))
    assert values(planned(there))["ImageUri"] == ANNOUNCED.image_uri, "the stack remembers what it was announced with"
    own = "123456789012.dkr.ecr.us-east-1.amazonaws.com/own:1"
    assert values(planned(there, said(image_uri=own)))["ImageUri"] == own
    of_yesterday = ANNOUNCED.image_uri.replace(":latest", f"@sha256:{'0' * 64}")
    for before, after in ((of_yesterday, ANNOUNCED.image_uri), (own, None)):
        known = replace(stack("UPDATE_COMPLETE"), parameters={"ImageUri": before})
        assert values(planned(seen(known)))["ImageUri"] == after, "an image of one's own stays"
    assert "ImageUri" not in values(planned(seen())), "a new stack asks CloudMR Brain"


def test_what_a_failed_creation_left_is_made_anew_and_said_so() -> None:
    plan = planned(seen(stack("ROLLBACK_COMPLETE")))
    assert plan.step is Step.REPLACE
    assert "ROLLBACK_COMPLETE" in plan.notes[0]


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        ("CREATE_IN_PROGRESS", Trouble.STACK_BUSY),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", Trouble.STACK_BUSY),
        ("UPDATE_ROLLBACK_FAILED", Trouble.STACK_STUCK),
        ("DELETE_FAILED", Trouble.STACK_STUCK),
        ("ROLLBACK_FAILED", Trouble.STACK_STUCK),
    ],
)
def test_a_stack_that_cannot_be_changed_is_found_beforehand(status: str, trouble: Trouble) -> None:
    assert refused(seen(stack(status))) == [trouble]


def test_buckets_that_an_earlier_stack_left_are_found_and_passed_on() -> None:
    there = seen()
    name = there.buckets[Kind.DATA].name
    kept = SeenBucket(name=name, is_free=False, own=own(name))
    plan = planned(replace(there, buckets={**there.buckets, Kind.DATA: kept}))
    assert values(plan)["DataBucketName"] == name
    assert plan.buckets[0].origin is Origin.KEPT
    assert plan.notes


def test_a_bucket_name_that_is_taken_is_found_beforehand() -> None:
    there = seen()
    taken = SeenBucket(name=there.buckets[Kind.DATA].name, is_free=False)
    assert refused(replace(there, buckets={**there.buckets, Kind.DATA: taken})) == [Trouble.BUCKET_TAKEN]


@pytest.mark.parametrize(
    "changes", [{"region": "eu-central-1"}, {"blocks_public": False}, {"is_encrypted": False}, None]
)
def test_a_bucket_of_ones_own_must_be_as_it_should(changes: dict[str, object] | None) -> None:
    there = seen()
    bucket = SeenBucket(name="mine", is_free=changes is None, own=own("mine", **changes) if changes else None)
    there = replace(there, buckets={**there.buckets, Kind.DATA: bucket})
    assert refused(there, said(data_bucket="mine")) == [Trouble.BUCKET_UNFIT]


def test_a_bucket_of_ones_own_is_taken_as_it_is_and_what_it_lacks_is_shown() -> None:
    there = seen()
    bucket = own("mine", cors_origins={}, requires_tls=False)
    there = replace(there, buckets={**there.buckets, Kind.DATA: SeenBucket(name="mine", is_free=False, own=bucket)})
    plan = planned(there, said(data_bucket="mine"))
    assert values(plan)["DataBucketName"] == "mine"
    assert plan.changes == ()
    assert [line for change in plan.proposals for line in change.lines()] == [
        "mine: + CORS: GET, HEAD, PUT from https://brain.example.org",
        "mine: + policy: deny what comes without TLS",
    ]
    told = plan.with_proposals()
    assert (told.changes, told.proposals) == (plan.proposals, ())


def test_a_kept_bucket_gets_back_what_the_deleted_stack_took_along() -> None:
    there = seen()
    name = there.buckets[Kind.RESULTS].name
    kept = SeenBucket(name=name, is_free=False, own=own(name, requires_tls=False))
    [change] = planned(replace(there, buckets={**there.buckets, Kind.RESULTS: kept})).changes
    assert (change.name, change.settings) == (name, (Setting.TLS,))


def test_mode_1_uses_the_buckets_that_the_guides_name_and_makes_those_it_lacks() -> None:
    there = seen(account=OPERATORS_ACCOUNT)
    buckets = {kind: SeenBucket(name=shared_bucket_name(kind, "us-east-1"), is_free=True) for kind in Kind}
    plan = planned(replace(there, buckets=buckets))
    assert plan.mode is Mode.MODE_1
    assert [bucket.name for bucket in plan.buckets] == [
        "cloudmr-data-cloudmrhub-brain-us-east-1",
        "cloudmr-results-cloudmrhub-brain-us-east-1",
        "cloudmr-failed-cloudmrhub-brain-us-east-1",
    ]
    assert {bucket.origin for bucket in plan.buckets} == {Origin.SHARED}
    assert values(plan)["DataBucketName"] == "cloudmr-data-cloudmrhub-brain-us-east-1"
    assert [change.settings[0] for change in plan.changes] == [Setting.EXISTENCE] * 3


def test_everything_that_stands_in_the_way_is_told_at_once() -> None:
    there = seen(stack("DELETE_FAILED"))
    taken = SeenBucket(name="x", is_free=False)
    there = replace(there, buckets=dict.fromkeys(Kind, taken))
    assert refused(there, said(stack_name="Not_A_Name", mode="mode_1")) == [
        Trouble.STACK_NAME_INVALID,
        Trouble.STACK_STUCK,
        *[Trouble.BUCKET_TAKEN] * 3,
        Trouble.WRONG_ACCOUNT,
    ]


def test_a_name_is_no_longer_than_its_buckets_can_be_called() -> None:
    name = "m" * 41
    long = {kind: SeenBucket(name=f"{name}-{kind}-{ACCOUNT}-eu-central-1", is_free=True) for kind in Kind}
    found = make_plan(replace(seen(), buckets=long), said(stack_name=name), TEMPLATE, more={}, announced=ANNOUNCED)
    assert isinstance(found, tuple)
    assert [each.trouble for each in found] == [Trouble.STACK_NAME_INVALID]
    assert "29 at most" in found[0].fix


@pytest.mark.parametrize(
    ("account", "wanted", "mode"),
    [
        (ACCOUNT, None, Mode.MODE_2),
        (ACCOUNT, "mode_2", Mode.MODE_2),
        (OPERATORS_ACCOUNT, None, Mode.MODE_1),
        (OPERATORS_ACCOUNT, "mode_1", Mode.MODE_1),
    ],
)
def test_the_account_says_which_mode_it_is(account: str, wanted: str | None, mode: Mode) -> None:
    assert decide_mode(account, wanted, ANNOUNCED) is mode


@pytest.mark.parametrize(("account", "wanted"), [(ACCOUNT, "mode_1"), (OPERATORS_ACCOUNT, "mode_2")])
def test_a_mode_that_the_account_contradicts_is_refused(account: str, wanted: str) -> None:
    found = decide_mode(account, wanted, ANNOUNCED)
    assert isinstance(found, Problem)
    assert found.trouble is Trouble.WRONG_ACCOUNT
    assert account in found.message


def test_more_memory_than_lambda_has_is_found_beforehand() -> None:
    [problem] = make_plan(seen(), said(), TEMPLATE, more={"SmallJobMemory": "20480"}, announced=ANNOUNCED)  # type: ignore[misc]
    assert problem.trouble is Trouble.LAMBDA_MEMORY


def test_outside_the_usual_region_its_name_is_in_the_buckets() -> None:
    assert bucket_name("s", Kind.DATA, account_id="1", region="eu-central-1") == "s-data-1-eu-central-1"


def test_the_price_is_that_of_the_price_list() -> None:
    # 4 vCPU * $0.04048 * 1/6 h + 8 GB * $0.004445 * 1/6 h + 4 transitions of $0.025 a thousand
    assert example_jobs()[1].price.dollars.quantize(Decimal("0.00001")) == Decimal("0.03301")
    # 3008 MB for 600 s at $0.0000166667 a GB-s, a request, 4 transitions
    assert example_jobs()[0].price.dollars.quantize(Decimal("0.0001")) == Decimal("0.0295")


def test_secrets_are_not_printed() -> None:
    assert Parameter(name="CloudMRUserToken", value="cmr_x", is_secret=True).shown == "(not shown)"
    assert "not shown" not in repr(ANNOUNCED)


def test_a_parameter_that_there_is_not_is_named() -> None:
    assert unknown_parameters(["Memory", "Memry"], TEMPLATE) == ("Memry",)


def test_a_template_is_read_as_far_as_a_plan_needs() -> None:
    assert "ComputingUnitId" not in TEMPLATE.parameters
    always = {"JobStateMachine": "AWS::StepFunctions::StateMachine", "Register": "Custom::ComputingUnit"}
    assert TEMPLATE.made_with({}) == {"DataBucket": "AWS::S3::Bucket"} | always
    assert TEMPLATE.made_with({"DataBucketName": "mine"}) == always
    assert "Budget" in TEMPLATE.made_with({"MonthlyBudgetUsd": "20"})
