"""`cloudmr unit plan|deploy|register`: a computing unit in one's own AWS account."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cloudmr.cli.asking import ask_for_brain, ask_for_network, ask_for_token, is_somebody_there
from cloudmr.cli.exit_codes import EPILOG, ExitCode
from cloudmr.cli.stack_options import (
    ACCOUNT,
    BRAIN,
    BUCKETS,
    IMAGE,
    NETWORK,
    parameters_of,
    password_is_in_arguments,
    with_options,
)
from cloudmr.cli.stack_views import (
    cost_json,
    cost_table,
    event_line,
    log_text,
    output_table,
    plan_json,
    plan_lines,
    problem_lines,
)
from cloudmr.cli.terminal import AsJson, Terminal, answering
from cloudmr.cli.times import in_time
from cloudmr.deploy.errors import NotGiven, StandsInTheWay
from cloudmr.deploy.options import YES, Given, option

if TYPE_CHECKING:
    from cloudmr.aws.own_account import OwnAccount
    from cloudmr.deploy.account import Stack
    from cloudmr.deploy.carry_out import Hear
    from cloudmr.deploy.follow_unit import Followed
    from cloudmr.deploy.plan import Announced, Plan
    from cloudmr.deploy.sign_in import Signed
    from cloudmr.deploy.template import Template

app = typer.Typer()

TemplateFile = Annotated[
    Path | None,
    typer.Option("--template", envvar="CLOUDMR_TEMPLATE", help="Another template than that of the release."),
]
Parameters = Annotated[
    list[str] | None, typer.Option("--parameter", metavar="NAME=VALUE", help="A parameter of the template; repeatable.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Do not wait until the unit is verified.")]


@dataclass(frozen=True, kw_only=True)
class _Wishes:
    """How a deployment is to be done."""

    dry_run: bool
    waits: bool
    asks: bool
    changes_buckets: bool


@app.command(epilog=EPILOG)
@with_options(*ACCOUNT, *BRAIN, "mode", *NETWORK, *BUCKETS, *IMAGE)
def plan(said: Given, template: TemplateFile = None, parameter: Parameters = None, as_json: AsJson = False) -> None:
    """Show what `deploy` would make in your AWS account, and at which price. Nothing is made, nobody is told."""
    with answering(as_json) as terminal, explained(terminal):
        from cloudmr.deploy.template import find_template

        found = find_template(template)
        decided = _decided(terminal, said, found, _more(parameter, found), announced=None)
        terminal.answer(plan_json(decided[0]), plan_lines(decided[0]))


@app.command(epilog=EPILOG)
@with_options(*ACCOUNT, *BRAIN, "mode", *NETWORK, *BUCKETS, *IMAGE)
def deploy(
    said: Given,
    template: TemplateFile = None,
    parameter: Parameters = None,
    change_buckets: Annotated[
        bool, typer.Option("--change-buckets", help="Set on buckets of yours what they lack (CORS, TLS only).")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan, and make nothing.")] = False,
    no_wait: NoWait = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Make a computing unit in your AWS account, or bring it up to date: the stack, its registration, its proof.

    On a terminal you are asked for what is not given; elsewhere everything that is missing is named at once.
    """
    with answering(as_json) as terminal, explained(terminal):
        wishes = _Wishes(dry_run=dry_run, waits=not no_wait, asks=not yes, changes_buckets=change_buckets)
        _deploy(terminal, said, template, parameter, wishes)


@app.command(epilog=EPILOG)
@with_options(*ACCOUNT, *BRAIN, "mode", "state_machine_arn", "image_tag")
def register(said: Given, template: TemplateFile = None, no_wait: NoWait = False, as_json: AsJson = False) -> None:
    """Register the unit that a stack is; everything is read from its outputs. Registered already, nothing changes."""
    with answering(as_json) as terminal, explained(terminal):
        from cloudmr.deploy.register import register as register_stack
        from cloudmr.deploy.register import stack_to_register
        from cloudmr.deploy.template import find_template

        began = time.monotonic()
        said = _complete(terminal, said)
        aws = account(said)
        stack, person = stack_to_register(aws, said)
        terminal.note(f"The stack {stack.name} in {aws.region} of the account {person.account_id} is {stack.status}.")
        with signed(said) as who:
            done = register_stack(
                aws, who.brain, stack, person, said, find_template(template), hear=events_to(terminal)
            )
            terminal.note(f"{done.unit.computing_unit_id} is registered. {done.unit.message}")
            followed = None if no_wait else _follow(terminal, who, done.unit.computing_unit_id)
        _answer(terminal, done.stack, done.unit.computing_unit_id, followed, began)


@app.command(epilog=EPILOG)
@with_options(*ACCOUNT)
def logs(
    said: Given,
    job: Annotated[str | None, typer.Option(help="Only what is of this job.")] = None,
    since: Annotated[str, typer.Option(metavar="TIME", help="From how long ago: 30m, 12h, 7d.")] = "1h",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is written, until Ctrl-C.")] = False,
    events: Annotated[
        bool, typer.Option("--events", help="What happened to the stack, failures with their fix, in place of logs.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what the unit's workers and functions wrote into its logs, in your account."""
    with answering(as_json) as terminal, explained(terminal):
        from cloudmr.deploy.logs import follow_logs, log_lines

        aws = account(said)
        stack = found_stack(aws, said)
        if events:
            _events(terminal, aws, stack)
            return
        span = in_time(since)
        if follow:
            for line in follow_logs(aws, stack.name, since=span, of=job):
                typer.echo(log_text(line))
            return
        lines = list(log_lines(aws, stack.name, since=span, of=job))
        value = [{"at": line.at.isoformat(), "stream": line.stream, "text": line.text} for line in lines]
        terminal.answer(value, "\n".join(log_text(line) for line in lines) or "Nothing was written.")


@app.command(epilog=EPILOG)
@with_options(*ACCOUNT)
def cost(said: Given, as_json: AsJson = False) -> None:
    """Show what AWS has counted for the unit this month, and what its buckets cost to keep."""
    with answering(as_json) as terminal, explained(terminal):
        from cloudmr.deploy.cost import cost_of

        aws = account(said)
        found = cost_of(aws, found_stack(aws, said), today=datetime.now(UTC).date())
        terminal.answer(cost_json(found), cost_table(found))
        if found.why_not:
            terminal.note(found.why_not)


@app.command(epilog=EPILOG)
@with_options(*ACCOUNT, *BRAIN)
def smoke(said: Given, as_json: AsJson = False) -> None:
    """Try the unit out for about a cent: everything looked at, and one job on Lambda and on Fargate, held to the truth.

    What has to be shown stands in docs/first-run-on-aws.md. Exits 1 if anything is not as it should be.
    """
    with answering(as_json) as terminal, explained(terminal):
        from cloudmr.cli.following import watch
        from cloudmr.deploy.check import check_stack
        from cloudmr.deploy.register import stack_of
        from cloudmr.deploy.smoke import Step
        from cloudmr.deploy.smoke import smoke as try_out

        aws = account(said)
        stack, person = stack_of(aws, said)
        said = _complete(terminal, _of_stack(said, stack))
        steps: list[Step] = []
        with signed(said) as who:
            unit_id = stack.outputs.get("ComputingUnitId", "")
            unit = who.brain.computing_units.get(unit_id)
            found = tuple(check_stack(aws, person, stack, api_url=said.get("api_url"), unit=unit))
            for step in try_out(who.brain, unit_id, found, watch=watch):
                steps.append(step)
                terminal.note(f"{'passed' if step.is_right else 'FAILED'}  {step.name}: {step.seen}")
        is_well = all(step.is_right for step in steps)
        terminal.answer(
            {"is_well": is_well, "steps": [vars(step) for step in steps]},
            f"{stack.name} {'works' if is_well else 'does not work as it should'}.",
        )
    if not is_well:
        raise typer.Exit(ExitCode.FAILED)


def check_own(said: Given, terminal: Terminal) -> None:
    """Look at a stack with the person's own credentials, and at what CloudMR Brain knows of it, if it can be asked."""
    from cloudmr.deploy.check import Found, check_stack, is_well
    from cloudmr.deploy.register import stack_to_register

    aws = account(said)
    stack, person = stack_to_register(aws, said)
    unit, not_asked = _unit_at_brain(said, stack)
    found: list[Found] = []
    for each in check_stack(aws, person, stack, api_url=said.get("api_url"), unit=unit):
        found.append(each)
        if not terminal.as_json:
            terminal.note(f"{each.outcome:9} {each.look}: {each.message}{f' {each.fix}' if each.fix else ''}")
    if not_asked:
        terminal.note(not_asked)
    well = is_well(found)
    value = {"stack": stack.name, "is_well": well, "findings": [each.as_json() for each in found]}
    terminal.answer(value, f"{stack.name} is {'well' if well else 'not well'}.")
    if not well:
        raise typer.Exit(ExitCode.FAILED)


def remove_own(said: Given, terminal: Terminal, *, deletes_data: bool, cancel_jobs: bool, yes: bool) -> None:
    """Remove a stack and its registration; say what stays and what that costs."""
    from cloudmr.deploy.remove import deregister, own_buckets_of, remove_stack, said_of
    from cloudmr.deploy.sign_in import token_source

    if password_is_in_arguments(said):
        terminal.warn("a password on the command line can be seen by others on this machine.")
    aws = account(said)
    stack = found_stack(aws, said)
    if not yes:
        if not is_somebody_there():
            raise NotGiven([YES])
        lost = f", and everything in {', '.join(own_buckets_of(stack))}" if deletes_data else ""
        typer.confirm(f"Delete the stack {stack.name} in {aws.region}{lost}?", abort=True, err=True)
    unit_id = stack.outputs.get("ComputingUnitId", "")
    said = _of_stack(said, stack)
    is_deregistered = False
    if unit_id and token_source(said, os.environ) is not None:
        with signed(said) as who:
            is_deregistered = deregister(who.brain, unit_id, cancel_jobs=cancel_jobs)
        terminal.note(f"{unit_id} {'is removed from' if is_deregistered else 'was not known to'} CloudMR Brain.")
    elif unit_id:
        terminal.warn(f"not signed in: CloudMR Brain finds {unit_id} unwell within the hour, and gone after a week.")
    gone, stays = remove_stack(aws, stack, deletes_data=deletes_data, hear=events_to(terminal), tell=terminal.note)
    terminal.answer(
        {
            "stack": stack.name,
            "is_deregistered": is_deregistered,
            "deleted_buckets": list(gone),
            "stays": [
                {
                    "bucket": each.bucket,
                    "n_objects": each.n_objects,
                    "n_bytes": each.n_bytes,
                    "microdollars_a_month": each.microdollars_a_month,
                }
                for each in stays
            ],
        },
        "\n".join([f"The stack {stack.name} is gone.", *(f"{name} is gone." for name in gone), *said_of(stays)]),
    )


def found_stack(aws: OwnAccount, said: Given) -> Stack:
    """Return the stack that was said. Raise `StandsInTheWay` if it is not there."""
    from cloudmr.deploy.register import stack_of

    return stack_of(aws, said)[0]


def _of_stack(said: Given, stack: Stack) -> Given:
    """Return what was said, with the Brain that the stack was made for if none was named."""
    url = stack.parameters.get("CloudMRApiUrl")
    return said.from_stack("api_url", url) if said.get("api_url") is None and url else said


def _unit_at_brain(said: Given, stack: Stack) -> tuple[Any, str]:
    """Return what CloudMR Brain knows of a stack's unit, and in words why it was not asked, if so."""
    from cloudmr.client.errors import Refused
    from cloudmr.deploy.sign_in import token_source
    from cloudmr.deploy.troubles import Trouble, problem

    unit_id = stack.outputs.get("ComputingUnitId", "")
    said = _of_stack(said, stack)
    if token_source(said, os.environ) is None:
        return None, "CloudMR Brain was not asked: you are not signed in there (`cloudmr login`)."
    with signed(said) as who:
        try:
            return who.brain.computing_units.get(unit_id), ""
        except Refused as refusal:
            if refusal.instance_code != "not_found":
                raise
            raise StandsInTheWay([problem(Trouble.NOT_REGISTERED, unit=unit_id)]) from refusal


def _events(terminal: Terminal, aws: OwnAccount, stack: Stack) -> None:
    from cloudmr.deploy.account import stack_events
    from cloudmr.deploy.explain import explain_event

    events = stack_events(aws, stack.id)
    value = [{"resource": each.resource, "status": each.status, "reason": each.reason} for each in events]
    terminal.answer(value, "\n".join(event_line(each) for each in events))
    known = {found.code: found for each in events if each.has_failed and (found := explain_event(each))}
    for line in problem_lines(list(known.values())):
        terminal.note(line)


def _deploy(
    terminal: Terminal,
    said: Given,
    template: Path | None,
    parameter: list[str] | None,
    wishes: _Wishes,
) -> None:
    from cloudmr.deploy.carry_out import carry_out
    from cloudmr.deploy.register import announce
    from cloudmr.deploy.register import register as register_stack
    from cloudmr.deploy.sign_in import token_for_stack, token_source
    from cloudmr.deploy.situation import Step
    from cloudmr.deploy.template import find_template

    began = time.monotonic()
    found = find_template(template)
    more = _more(parameter, found)
    said = _complete(terminal, said, is_token_needed=not wishes.dry_run)
    if wishes.dry_run and token_source(said, os.environ) is None:
        decided, _ = _decided(terminal, said, found, more, announced=None)
        terminal.answer(plan_json(decided), plan_lines(decided))
        return
    with signed(said) as who:
        aws = account(said)
        person = _person(aws)
        announced = announce(who.brain, person, aws.region, said)
        decided, said = _decided(terminal, said, found, more, announced=announced, aws=aws)
        if wishes.changes_buckets:
            decided = decided.with_proposals()
        if wishes.dry_run:
            terminal.answer(plan_json(decided), plan_lines(decided))
            return
        terminal.note(plan_lines(decided))
        if wishes.asks and is_somebody_there():
            typer.confirm("Make this?", abort=True, err=True, default=True)
        token = token_for_stack(who.brain, who.token, stack_name=decided.stack_name)
        terminal.note(f"The stack {decided.stack_name}: {decided.step}.")
        with _goes_on_without_us(terminal, decided.stack_name):
            stack = carry_out(aws, decided, found, token, hear=events_to(terminal))
        unit_id = stack.outputs.get("ComputingUnitId", announced.unit_id)
        terminal.note(f"The stack is {stack.status}. {stack.outputs.get('RegistrationStatus', '')}".strip())
        can_look = token != who.token
        if can_look and not _is_known(who, unit_id):
            terminal.note(f"CloudMR Brain does not know {unit_id} any more: it is announced and registered anew.")
            done = register_stack(aws, who.brain, stack, person, said, found, hear=events_to(terminal))
            stack, unit_id = done.stack, done.unit.computing_unit_id
        elif can_look and decided.step is Step.UPDATE:
            # Nothing of its registration has changed, so that nobody else would look whether it still works.
            who.brain.computing_units.check(unit_id, known_answer=True)
        if wishes.waits and not can_look:
            terminal.note("The token is good for the registration only; how the unit is stands on its page.")
        followed = _follow(terminal, who, unit_id) if wishes.waits and can_look else None
    _answer(terminal, stack, unit_id, followed, began)


def _is_known(who: Signed, unit_id: str) -> bool:
    """Tell whether CloudMR Brain knows a unit; one that was removed there it does not."""
    from cloudmr.client.errors import Refused

    try:
        who.brain.computing_units.get(unit_id)
    except Refused as refusal:
        if refusal.instance_code != "not_found":
            raise
        return False
    return True


def _decided(
    terminal: Terminal,
    said: Given,
    template: Template,
    more: Mapping[str, str],
    *,
    announced: Announced | None,
    aws: OwnAccount | None = None,
) -> tuple[Plan, Given]:
    """Return the plan, and what was said with what a person answered. Raise everything that stands in its way."""
    from cloudmr.deploy.looks import look_at_account
    from cloudmr.deploy.network import choose_network
    from cloudmr.deploy.plan import Plan, make_plan

    aws = aws or account(said)
    seen, said, networks = look_at_account(aws, said, announced)
    if announced is not None and is_somebody_there() and said.get("subnet_id_2") is None:
        said = ask_for_network(terminal, networks, seen.network, said)
        seen = seen.with_network(choose_network(networks, said))
    if seen.network.missing:
        raise NotGiven([option(name) for name in seen.network.missing], ["There are:", *seen.network.candidates])
    if said.get("api_url") is None:
        raise NotGiven([option("api_url")])
    decided = make_plan(seen, said, template, more=more, announced=announced)
    if isinstance(decided, Plan):
        return decided, said
    raise StandsInTheWay(decided)


def _complete(terminal: Terminal, said: Given, *, is_token_needed: bool = True) -> Given:
    """Return what was said, with what a person answers; raise with everything that is missing at once."""
    from cloudmr.deploy.sign_in import kept_server, token_source

    if password_is_in_arguments(said):
        terminal.warn("a password on the command line can be seen by others on this machine.")
    if said.get("api_url") is None and (server := kept_server(os.environ)) is not None:
        said = said.answered("api_url", server)
    asks = is_somebody_there()
    missing = []
    if said.get("api_url") is None:
        if asks:
            said = ask_for_brain(said)
        else:
            missing.append(option("api_url"))
    if is_token_needed and token_source(said, os.environ) is None:
        if asks:
            said = ask_for_token(said)
        else:
            missing += [option(name) for name in ("email", "password") if said.get(name) is None]
    if missing:
        hints = ["In place of e-mail address and password: CLOUDMR_TOKEN, --token-file, or `cloudmr login`."]
        raise NotGiven([*missing, *_missing_network(said)], hints if len(missing) > 1 else [])
    return said


def _missing_network(said: Given) -> list[Any]:
    """Return what else would be missing, if the account can be looked at already."""
    from cloudmr.deploy.looks import look_at_account
    from mroptimum.errors import ExplainedError

    try:
        seen, _, _ = look_at_account(account(said), said)
    except ExplainedError:
        return []
    return [option(name) for name in seen.network.missing]


def account(said: Given) -> OwnAccount:
    """Return the account that was said."""
    from cloudmr.aws.own_account import OwnAccount
    from cloudmr.aws.said import AwsSaid
    from cloudmr.deploy.explain import explain_refusal

    try:
        return OwnAccount(profile=said.get("profile"), region=said.need("region"))
    except AwsSaid as refusal:
        raise explain_refusal(refusal) from refusal


def _person(aws: OwnAccount) -> Any:
    from cloudmr.aws.said import AwsSaid
    from cloudmr.deploy.account import who
    from cloudmr.deploy.explain import explain_refusal

    try:
        return who(aws)
    except AwsSaid as refusal:
        raise explain_refusal(refusal) from refusal


@contextmanager
def signed(said: Given) -> Iterator[Signed]:
    """Give a Brain to which somebody is signed in."""
    from cloudmr.deploy.sign_in import sign_in, token_source

    source = token_source(said, os.environ)
    assert source is not None
    who = sign_in(said, os.environ, source)
    with who.brain:
        yield who


def events_to(terminal: Terminal) -> Hear:
    """Return what tells a person of each thing that happens to a stack."""
    return lambda event: terminal.note(f"  {event_line(event)}")


def _follow(terminal: Terminal, who: Signed, unit_id: str) -> Followed:
    from cloudmr.deploy.follow_unit import follow_unit

    terminal.note("CloudMR Brain looks at it, and runs a job whose numbers are known…")
    return follow_unit(
        who.brain,
        unit_id,
        hear=lambda found: terminal.note(
            f"  {found.outcome:9} {found.check}: {found.message}{f' {found.fix}' if found.fix else ''}"
        ),
    )


def _answer(terminal: Terminal, stack: Stack, unit_id: str, followed: Followed | None, began: float) -> None:
    from cloudmr.deploy.follow_unit import Verdict

    verdict = followed.verdict if followed else None
    terminal.answer(
        {
            "stack": stack.name,
            "status": stack.status,
            "outputs": dict(stack.outputs),
            "computing_unit_id": unit_id,
            "verdict": verdict,
            "elapsed_s": round(time.monotonic() - began, 1),
        },
        output_table(stack),
    )
    if verdict is not None:
        terminal.note(f"{unit_id} is {verdict}, {time.monotonic() - began:.1f} s after the command began.")
    if verdict is Verdict.FAILED:
        raise typer.Exit(ExitCode.FAILED)


@contextmanager
def explained(terminal: Terminal) -> Iterator[None]:
    """Tell all of what stands in the way, where that is more than one thing."""
    try:
        yield
    except StandsInTheWay as error:
        if len(error.problems) == 1:
            raise
        if terminal.as_json:
            problems = [each.as_json() for each in error.problems]
            terminal.answer({"error": error.explain(), "problems": problems}, "")
        else:
            for line in problem_lines(error.problems):
                terminal.note(line)
        raise typer.Exit(ExitCode.FAILED) from error


@contextmanager
def _goes_on_without_us(terminal: Terminal, stack_name: str) -> Iterator[None]:
    """Say what an interrupt does not do."""
    try:
        yield
    except KeyboardInterrupt:
        terminal.note(f"\nAWS goes on with the stack {stack_name}; run the command again to see it to its end.")
        raise


def _more(parameter: list[str] | None, template: Template) -> dict[str, str]:
    from cloudmr.deploy.plan import unknown_parameters

    more = parameters_of(parameter or [])
    if unknown := unknown_parameters(more, template):
        raise typer.BadParameter(f"the template has no {', '.join(unknown)}.", param_hint="--parameter")
    return more
