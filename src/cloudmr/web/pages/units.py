"""Computing units: those there are, what was found and what CloudMR may do there; one of one's own, step by step."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Form, Path, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from cloudmr.api.access import TheBrain
from cloudmr.api.bodies import IdText
from cloudmr.deploy.template import NAME as TEMPLATE_NAME
from cloudmr.deploy.template import find_template
from cloudmr.model.findings import Check, Outcome
from cloudmr.model.launch import STACK_NAME, Launch, deploy_command, launch_link
from cloudmr.model.people import Caller
from cloudmr.model.tokens import Scope
from cloudmr.model.units import ComputingUnit, UnitStatus
from cloudmr.services.await_unit import ArrivalState, await_unit
from cloudmr.services.brain import Brain
from cloudmr.services.list_units import list_units
from cloudmr.services.personal_tokens import create_token
from cloudmr.services.prepare_unit import obstacles
from cloudmr.services.remove_unit import remove_unit
from cloudmr.services.units import choose_default, get_unit, rename_unit, unit_permissions, unit_report
from cloudmr.services.verify_unit import check_unit
from cloudmr.web.rendering import render
from cloudmr.web.visitor import TheVisitor
from mroptimum.errors import ExplainedError

router = APIRouter(prefix="/units", include_in_schema=False)

UnitId = Annotated[IdText, Path()]
TokenId = Annotated[IdText, Path()]
Field = Annotated[str, Form(max_length=255)]

CHECKS = {
    Check.REACHABLE: "The unit answers",
    Check.ROLE_ASSUMED: "Its role lets CloudMR in",
    Check.ROLE_NEEDS_EXTERNAL_ID: "Its role lets nobody in without an ExternalId",
    Check.ROLE_REFUSES_WRONG_EXTERNAL_ID: "Its role refuses any other ExternalId",
    Check.ROLE_IS_NARROW: "Its role may do no more than it needs",
    Check.EXECUTIONS: "Its state machine can be asked",
    Check.WORKERS: "Workers can be started",
    Check.DATA_BUCKET: "Bucket for data",
    Check.RESULTS_BUCKET: "Bucket for results",
    Check.FAILED_BUCKET: "Bucket for failures",
    Check.UPLOADS_FROM_PAGES: "These pages can upload (CORS)",
    Check.IMAGE: "It runs an image that is known",
    Check.ROOM: "There is room",
    Check.KNOWN_ANSWER: "It gives the right SNR for a known acquisition",
}
"""What a check is called here."""


@router.get("")
def units_page(request: Request, brain: TheBrain, visitor: TheVisitor, removed: str = "") -> Response:
    """Show the units that the visitor may use."""
    units = list_units(brain, visitor.caller, app_name=None)
    return render(request, "units.html", {"units": units, "removed": bool(removed)})


@router.get("/new")
def wizard(request: Request, brain: TheBrain, _: TheVisitor) -> Response:
    """Show how to get a unit of one's own, or what this Brain lacks for that."""
    launch = Launch(api_url=brain.public_url, region=brain.operator.image_regions[0])
    return render(request, "new_unit.html", _wizard(brain, launch))


@router.post("/new")
def begin_unit(
    request: Request,
    brain: TheBrain,
    visitor: TheVisitor,
    region: Field = "",
    stack_name: Field = STACK_NAME,
    vpc_id: Field = "",
    subnet_id_1: Field = "",
    subnet_id_2: Field = "",
) -> Response:
    """Make a token, and show it this once with what it is used in."""
    launch = Launch(
        api_url=brain.public_url,
        region=region.strip(),
        stack_name=stack_name.strip(),
        vpc_id=vpc_id.strip(),
        subnet_ids=(subnet_id_1.strip(), subnet_id_2.strip()),
    )
    try:
        for obstacle in obstacles(brain):
            raise obstacle
        launch.check()
        made = create_token(brain, visitor.caller, name=f"unit {launch.stack_name}", scope=Scope.UNIT_REGISTER)
    except ExplainedError as error:
        context = _wizard(brain, launch) | {"error": error.explain()}
        return render(request, "new_unit.html", context, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    template_url = brain.operator.template_url
    context = _wizard(brain, launch) | {
        "token": made.secret,
        "command": deploy_command(launch, token=made.secret),
        "console_url": launch_link(launch, template_url=template_url) if template_url else None,
        **_arrival(brain, visitor.caller, made.token.id),
    }
    return render(request, "new_unit.html", context)


@router.get("/new/{token_id}")
def arrival(request: Request, token_id: TokenId, brain: TheBrain, visitor: TheVisitor) -> Response:
    """Show how far a registration is."""
    return render(request, "parts/arrival.html", _arrival(brain, visitor.caller, token_id))


@router.get(f"/{TEMPLATE_NAME}")
def template() -> Response:
    """Give what a unit is made by, as this release has it, to whoever wants to read or use it without the rest."""
    disposition = {"Content-Disposition": f'attachment; filename="{TEMPLATE_NAME}"'}
    return PlainTextResponse(find_template().text, media_type="application/yaml", headers=disposition)


@router.get("/{unit_id}")
def unit_page(request: Request, unit_id: UnitId, brain: TheBrain, visitor: TheVisitor) -> Response:
    """Show one unit."""
    return _unit_page(request, brain, visitor.caller, unit_id)


@router.get("/{unit_id}/checks")
def checks(request: Request, unit_id: UnitId, brain: TheBrain, visitor: TheVisitor) -> Response:
    """Show what was found in a unit."""
    return render(request, "parts/unit_checks.html", _findings(brain, visitor.caller, unit_id))


@router.get("/{unit_id}/permissions")
def permissions(request: Request, unit_id: UnitId, brain: TheBrain, visitor: TheVisitor) -> Response:
    """Show what CloudMR can do in a unit: as declared, and as tried just now."""
    try:
        unit, found = unit_permissions(brain, visitor.caller, unit_id)
    except ExplainedError as error:
        # The part says it; the page around it is as good as before.
        return render(request, "parts/error.html", {"error": error.explain()})
    return render(request, "parts/permissions.html", {"unit": unit, "permissions": found})


@router.post("/{unit_id}/check")
def check(unit_id: UnitId, brain: TheBrain, visitor: TheVisitor, known_answer: Field = "") -> Response:
    """Look at a unit now."""
    check_unit(brain, visitor.caller, unit_id, proves_numbers=bool(known_answer))
    return _to(unit_id)


@router.post("/{unit_id}/default")
def make_default(unit_id: UnitId, brain: TheBrain, visitor: TheVisitor) -> Response:
    """Have data and jobs go to a unit from now on."""
    choose_default(brain, visitor.caller, unit_id)
    return _to(unit_id)


@router.post("/{unit_id}/rename")
def rename(request: Request, unit_id: UnitId, brain: TheBrain, visitor: TheVisitor, alias: Field = "") -> Response:
    """Call a unit something else."""
    try:
        rename_unit(brain, visitor.caller, unit_id, alias=alias)
    except ExplainedError as error:
        return _unit_page(request, brain, visitor.caller, unit_id, error=error)
    return _to(unit_id)


@router.post("/{unit_id}/remove")
def remove(
    request: Request, unit_id: UnitId, brain: TheBrain, visitor: TheVisitor, cancel_jobs: Field = ""
) -> Response:
    """Remove a unit; nothing is removed in its account."""
    try:
        remove_unit(brain, visitor.caller, unit_id, cancels_jobs=bool(cancel_jobs))
    except ExplainedError as error:
        return _unit_page(request, brain, visitor.caller, unit_id, error=error)
    return RedirectResponse("/units?removed=1", HTTPStatus.SEE_OTHER)


def _to(unit_id: str) -> Response:
    return RedirectResponse(f"/units/{unit_id}", HTTPStatus.SEE_OTHER)


def _wizard(brain: Brain, launch: Launch) -> dict[str, Any]:
    return {
        "obstacles": [obstacle.explain() for obstacle in obstacles(brain)],
        "launch": launch,
        "regions": brain.operator.image_regions,
        "template_name": TEMPLATE_NAME,
        "error": None,
        "token": None,
    }


def _unit_page(
    request: Request, brain: Brain, caller: Caller, unit_id: str, *, error: ExplainedError | None = None
) -> Response:
    unit = get_unit(brain, caller, unit_id)
    # The shared unit is everybody's default who has made none of their own that.
    has_own_default = any(each.is_default for each in list_units(brain, caller, app_name=None))
    context = {
        "unit": unit,
        "is_default": unit.is_default or (unit.owner_id is None and not has_own_default),
        "error": error.explain() if error else None,
        "is_managed": _is_managed(unit, caller),
        **(_findings(brain, caller, unit_id) if _is_managed(unit, caller) else {}),
    }
    return render(request, "unit.html", context, status=HTTPStatus.CONFLICT if error else HTTPStatus.OK)


def _is_managed(unit: ComputingUnit, caller: Caller) -> bool:
    """Tell whether a unit that is open to somebody is theirs to manage."""
    return unit.owner_id is not None or caller.is_admin


def _findings(brain: Brain, caller: Caller, unit_id: str) -> dict[str, Any]:
    report = unit_report(brain, caller, unit_id)
    is_awaited = any(finding.outcome is Outcome.AWAITED for finding in report.findings)
    return {
        "unit": report.unit,
        "findings": report.findings,
        "next_check_at": report.care.check_at if report.care else None,
        "check_names": CHECKS,
        "is_live": is_awaited or (report.unit.status is UnitStatus.UNVERIFIED),
    }


def _arrival(brain: Brain, caller: Caller, token_id: str) -> dict[str, Any]:
    found = await_unit(brain, caller, token_id)
    is_there = found.state is ArrivalState.REGISTERED and found.unit is not None
    return {"arrival": found, **(_findings(brain, caller, found.unit.id) if is_there and found.unit else {})}
