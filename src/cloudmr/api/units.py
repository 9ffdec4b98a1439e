"""/api/computing-unit: where data lie and jobs run; and a unit of one's own, from its announcement to its removal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field, StringConstraints, field_validator

from cloudmr.api.access import Owner, Reader, TheBrain, caller_with
from cloudmr.api.bodies import CamelBody, IdText
from cloudmr.model.findings import Check, Finding, Outcome
from cloudmr.model.people import Caller
from cloudmr.model.permissions import Measured, Permission
from cloudmr.model.registration import MAX_ALIAS_LENGTH, Registration
from cloudmr.model.tokens import Scope
from cloudmr.model.units import APP_NAME, ComputingUnit, Mode, Provider, UnitStatus
from cloudmr.services import units
from cloudmr.services.list_units import list_units
from cloudmr.services.prepare_unit import prepare_unit
from cloudmr.services.register_unit import register_unit
from cloudmr.services.remove_unit import remove_unit
from cloudmr.services.verify_unit import check_unit

router = APIRouter(prefix="/api/computing-unit", tags=["computing units"])

UnitId = Annotated[IdText, Path(description="id of a computing unit")]
Text = Annotated[str, StringConstraints(max_length=2048)]
Word = Annotated[str, StringConstraints(max_length=64)]
Registrar = Annotated[Caller, caller_with(Scope.UNIT_REGISTER)]
"""Somebody who may register a computing unit, if only once."""
_ID = "unit_01jd3v6w0s8k2m4n6p8q0r2t4v"
_ACCOUNT = "123456789012"
_STATE_MACHINE = f"arn:aws:states:us-east-1:{_ACCOUNT}:stateMachine:mroptimum-mode2-jobs"
_ROLE = f"arn:aws:iam::{_ACCOUNT}:role/mroptimum-mode2-cloudmr"


class PrepareRequest(CamelBody):
    """A unit to come: in which account and region, and from which image."""

    aws_account_id: Word = Field(examples=[_ACCOUNT])
    region: Word = Field(examples=["us-east-1"])
    image_tag: Annotated[str, StringConstraints(max_length=128)] = Field("latest", examples=["latest"])


class PrepareAnswer(CamelBody):
    """What the stack of the unit is made with. `externalId` is made here and nowhere else: its role asks for it."""

    computing_unit_id: str = Field(examples=[_ID])
    external_id: str = Field(examples=["jbswy3dpeb3w64tmmqqho33snrscc3tjm5uhiidxn5zgy"])
    brain_principal_arn: str = Field(examples=["arn:aws:iam::262361552878:role/cloudmr-brain"])
    image_uri: str = Field(examples=["262361552878.dkr.ecr.us-east-1.amazonaws.com/mroptimum:latest"])


class RegisterRequest(CamelBody):
    """What a stack names in its outputs. Without `computingUnitId` it is the unit announced for account and region."""

    computing_unit_id: IdText | None = Field(None, examples=[_ID])
    app_name: Word = Field(APP_NAME, examples=[APP_NAME])
    mode: Mode | None = Field(None, examples=["mode_2"])
    provider: Provider | None = Field(None, examples=["user"])
    aws_account_id: Word = Field(examples=[_ACCOUNT])
    region: Word = Field(examples=["us-east-1"])
    state_machine_arn: Text = Field(examples=[_STATE_MACHINE])
    cross_account_role_arn: Text = Field(examples=[_ROLE])
    data_bucket: Word = Field(examples=[f"mroptimum-mode2-data-{_ACCOUNT}"])
    results_bucket: Word = Field(examples=[f"mroptimum-mode2-results-{_ACCOUNT}"])
    failed_bucket: Word = Field(examples=[f"mroptimum-mode2-failed-{_ACCOUNT}"])
    alias: Annotated[str, StringConstraints(max_length=MAX_ALIAS_LENGTH)] | None = Field(None, examples=["my account"])
    is_default: bool = False

    @field_validator("computing_unit_id", "mode", "provider", "alias", mode="before")
    @classmethod
    def _not_given(cls, value: object) -> object:
        """Take an empty text for none: that is how a shell passes on what was not given."""
        return value or None


class RegisterAnswer(CamelBody):
    """The unit as it is registered; `message` says what comes next."""

    computing_unit_id: str = Field(examples=[_ID])
    status: UnitStatus
    is_default: bool
    message: str = Field(examples=["It is verified now, and becomes your default unit when that has gone well."])


class UnitAnswer(CamelBody):
    """A computing unit. The fields of an AWS account are null for a unit on the Brain's own machine.

    `statusReason` says why it is not ready. `snrVerifiedAt` is when it last gave the right numbers for a synthetic
    acquisition whose SNR is known; null: never.
    """

    computing_unit_id: str = Field(examples=[_ID])
    app_name: str = Field(examples=[APP_NAME])
    mode: Mode
    provider: Provider
    alias: str = Field(examples=["my account"])
    status: UnitStatus
    status_reason: str | None
    is_default: bool
    aws_account_id: str | None = Field(examples=[_ACCOUNT])
    region: str | None = Field(examples=["us-east-1"])
    state_machine_arn: str | None = Field(examples=[_STATE_MACHINE])
    data_bucket: str
    results_bucket: str
    failed_bucket: str
    created_at: datetime
    last_checked_at: datetime | None
    snr_verified_at: datetime | None

    @classmethod
    def of(cls, unit: ComputingUnit) -> UnitAnswer:
        """Return a unit as JSON has it."""
        shown = {name: value for name, value in vars(unit).items() if name in cls.model_fields}
        return cls(computing_unit_id=unit.id, **shown)


class UnitList(CamelBody):
    """The units open to whoever asks, the shared ones first."""

    computing_units: list[UnitAnswer]


class UnitChange(CamelBody):
    """What to call a unit."""

    alias: Annotated[str, StringConstraints(max_length=MAX_ALIAS_LENGTH)] = Field(examples=["scanner room"])


class CheckRequest(CamelBody):
    """`known_answer` has the unit prove its numbers by a small job, too, which takes a minute and costs its account."""

    known_answer: bool = False


class FindingAnswer(CamelBody):
    """What one look at a unit came to, and how to mend it."""

    check: Check
    outcome: Outcome
    message: str
    fix: str
    at: datetime

    @classmethod
    def of(cls, finding: Finding) -> FindingAnswer:
        """Return a finding as JSON has it."""
        return cls(**vars(finding))


class CheckAnswer(CamelBody):
    """A unit with everything that was found there; `nextCheckAt` is when it is looked at again."""

    computing_unit: UnitAnswer
    findings: list[FindingAnswer]
    next_check_at: datetime | None

    @classmethod
    def of(cls, report: units.UnitReport) -> CheckAnswer:
        """Return a report as JSON has it."""
        return cls(
            computing_unit=UnitAnswer.of(report.unit),
            findings=[FindingAnswer.of(finding) for finding in report.findings],
            next_check_at=report.care.check_at if report.care else None,
        )


class PermissionAnswer(CamelBody):
    """One thing that CloudMR Brain can do in a unit: as declared, and as measured by trying just now."""

    action: str = Field(examples=["s3:GetObject"])
    resource: str
    purpose: str
    switch: str | None = Field(description="the parameter of the deployment that grants it")
    is_declared: bool
    measured: Measured
    is_as_declared: bool


class PermissionList(CamelBody):
    """Everything that CloudMR Brain can do in a unit."""

    computing_unit_id: str
    permissions: list[PermissionAnswer]

    @classmethod
    def of(cls, unit: ComputingUnit, permissions: Sequence[Permission]) -> PermissionList:
        """Return permissions as JSON has them."""
        shown = [PermissionAnswer(**vars(each), is_as_declared=each.is_as_declared) for each in permissions]
        return cls(computing_unit_id=unit.id, permissions=shown)


@router.get("/list")
def list_computing_units(
    caller: Reader,
    brain: TheBrain,
    app_name: Annotated[str | None, Query(max_length=64, description="only units of this application")] = None,
) -> UnitList:
    """List the computing units that the caller may use."""
    found = list_units(brain, caller, app_name=app_name)
    return UnitList(computing_units=[UnitAnswer.of(unit) for unit in found])


@router.post("/prepare", status_code=HTTPStatus.CREATED)
def prepare(body: PrepareRequest, caller: Registrar, brain: TheBrain) -> PrepareAnswer:
    """Announce a unit in an AWS account; said again within a day, it is the same unit."""
    preparation = prepare_unit(
        brain, caller, aws_account_id=body.aws_account_id, region=body.region, image_tag=body.image_tag
    )
    return PrepareAnswer(
        computing_unit_id=preparation.unit_id,
        external_id=preparation.external_id,
        brain_principal_arn=brain.operator.principal_arn or "",
        image_uri=preparation.image_uri,
    )


@router.post("/register")
def register(body: RegisterRequest, caller: Registrar, brain: TheBrain) -> RegisterAnswer:
    """Register an announced unit; said again, it is the same unit. It is verified afterwards, by itself."""
    wanted = {name: value for name, value in dict(body).items() if name != "computing_unit_id"}
    done = register_unit(brain, caller, Registration(unit_id=body.computing_unit_id, **wanted))
    return RegisterAnswer(
        computing_unit_id=done.unit.id, status=done.unit.status, is_default=done.unit.is_default, message=done.note
    )


@router.get("/{unit_id}")
def get_unit(unit_id: UnitId, caller: Reader, brain: TheBrain) -> UnitAnswer:
    """Return one unit."""
    return UnitAnswer.of(units.get_unit(brain, caller, unit_id))


@router.patch("/{unit_id}")
def rename_unit(unit_id: UnitId, body: UnitChange, caller: Owner, brain: TheBrain) -> UnitAnswer:
    """Call a unit something else."""
    return UnitAnswer.of(units.rename_unit(brain, caller, unit_id, alias=body.alias))


@router.post("/{unit_id}/default")
def choose_default(unit_id: UnitId, caller: Owner, brain: TheBrain) -> UnitAnswer:
    """Have data and jobs go to this unit unless they say otherwise."""
    return UnitAnswer.of(units.choose_default(brain, caller, unit_id))


@router.get("/{unit_id}/check")
def get_findings(unit_id: UnitId, caller: Reader, brain: TheBrain) -> CheckAnswer:
    """Return what was found the last time somebody looked."""
    return CheckAnswer.of(units.unit_report(brain, caller, unit_id))


@router.post("/{unit_id}/check")
def check(unit_id: UnitId, caller: Owner, brain: TheBrain, body: CheckRequest | None = None) -> CheckAnswer:
    """Look at a unit now."""
    proves_numbers = body is not None and body.known_answer
    return CheckAnswer.of(check_unit(brain, caller, unit_id, proves_numbers=proves_numbers))


@router.get("/{unit_id}/permissions")
def get_permissions(unit_id: UnitId, caller: Reader, brain: TheBrain) -> PermissionList:
    """Return what CloudMR Brain can do in a unit, as declared and as measured now."""
    return PermissionList.of(*units.unit_permissions(brain, caller, unit_id))


@router.delete("/{unit_id}", status_code=HTTPStatus.NO_CONTENT)
def remove(
    unit_id: UnitId,
    caller: Owner,
    brain: TheBrain,
    cancel_jobs: Annotated[bool, Query(description="have the jobs cancelled that have not ended")] = False,
) -> Response:
    """Give up a unit. Its stack and its buckets stay as they are, in its account."""
    remove_unit(brain, caller, unit_id, cancels_jobs=cancel_jobs)
    return Response(status_code=HTTPStatus.NO_CONTENT)
