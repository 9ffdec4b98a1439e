"""`cloudmr unit`: where data lie and jobs run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from cloudmr.cli.exit_codes import EPILOG, ExitCode
from cloudmr.cli.session import signed_in
from cloudmr.cli.stack_options import ACCOUNT, BRAIN, with_options
from cloudmr.cli.stacks import check_own, explained, remove_own
from cloudmr.cli.terminal import AsCsv, AsJson, answering
from cloudmr.cli.unit_views import finding_table, permission_table, unit_record
from cloudmr.cli.views import unit_table
from cloudmr.deploy.options import Given
from cloudmr.model.units import UnitStatus

if TYPE_CHECKING:
    from cloudmr.client.brain import BrainClient
    from cloudmr.client.unit_answers import UnitCheck

app = typer.Typer(no_args_is_help=True, help="Computing units: where data lie and jobs run.")

UnitId = Annotated[str, typer.Argument(metavar="UNIT_ID", help="`cloudmr unit list` shows them.")]
_LOOK_EVERY_S = 2.0


@app.command("list", epilog=EPILOG)
def list_(as_csv: AsCsv = False, as_json: AsJson = False) -> None:
    """List the computing units you may use, the shared ones first."""
    with signed_in(as_json, as_csv) as (brain, terminal):
        units = brain.units()
        terminal.answer([unit.model_dump(mode="json", by_alias=True) for unit in units], unit_table(units))


@app.command(epilog=EPILOG)
def show(unit_id: UnitId, as_json: AsJson = False) -> None:
    """Show one unit: whose it is, how it is, and why it is not ready, if so."""
    with signed_in(as_json) as (brain, terminal):
        unit = brain.computing_units.get(unit_id)
        terminal.answer(unit.model_dump(mode="json", by_alias=True), unit_record(unit))


@app.command(epilog=EPILOG)
@with_options(*ACCOUNT, *BRAIN)
def check(
    said: Given,
    unit_id: Annotated[str | None, typer.Argument(metavar="[UNIT_ID]", help="`cloudmr unit list` shows them.")] = None,
    known_answer: Annotated[
        bool,
        typer.Option(
            "--known-answer",
            help="Run a small job there whose SNR is known in closed form, and wait for its numbers.",
        ),
    ] = False,
    last: Annotated[
        bool, typer.Option("--last", help="Show what was found the last time, and look at nothing.")
    ] = False,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """Look at a unit of yours now: everything that was found, each with its fix. Exits 1 if it is not ready.

    With UNIT_ID CloudMR Brain looks, from outside. Without one your stack is looked at with your own AWS credentials,
    which see everything: trust policy, rights, image, network, buckets, tasks that did not start.
    """
    if unit_id is None:
        with answering(as_json) as terminal, explained(terminal):
            check_own(said, terminal)
        return
    with signed_in(as_json, as_csv) as (brain, terminal):
        units = brain.computing_units
        found = units.findings(unit_id) if last else units.check(unit_id, known_answer=known_answer)
        if known_answer and not last:
            terminal.note("Waiting for a job whose numbers are known…")
            found = _proven(brain, found)
        value = found.model_dump(mode="json", by_alias=True)
        terminal.answer(value["findings"] if as_csv else value, finding_table(found))
        unit = found.computing_unit
        terminal.note(f"{unit.alias} is {unit.status}.{f' {unit.status_reason}' if unit.status_reason else ''}")
    if unit.status != UnitStatus.READY:
        raise typer.Exit(ExitCode.FAILED)


@app.command(epilog=EPILOG)
def default(unit_id: UnitId, as_json: AsJson = False) -> None:
    """Have your data and jobs go to this unit unless you say otherwise."""
    with signed_in(as_json) as (brain, terminal):
        unit = brain.computing_units.choose_default(unit_id)
        value = unit.model_dump(mode="json", by_alias=True)
        terminal.answer(value, f"{unit.alias} is where your data and jobs go unless you say otherwise.")


@app.command(epilog=EPILOG)
def rename(unit_id: UnitId, name: str, as_json: AsJson = False) -> None:
    """Call a unit of yours something else."""
    with signed_in(as_json) as (brain, terminal):
        unit = brain.computing_units.rename(unit_id, alias=name)
        terminal.answer(unit.model_dump(mode="json", by_alias=True), f"{unit.computing_unit_id}  {unit.alias}")


@app.command(epilog=EPILOG)
@with_options(*ACCOUNT, *BRAIN)
def remove(
    said: Given,
    unit_id: Annotated[str | None, typer.Argument(metavar="[UNIT_ID]", help="`cloudmr unit list` shows them.")] = None,
    delete_data: Annotated[
        bool, typer.Option("--delete-data", help="Delete the stack's buckets too, with everything in them.")
    ] = False,
    cancel_jobs: Annotated[
        bool, typer.Option("--cancel-jobs", help="Have those of its jobs cancelled that have not ended.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Give up a unit of yours: it gets nothing more.

    With UNIT_ID only CloudMR Brain forgets it: its stack and its buckets stay in your account. Without one the stack is
    deleted with your own AWS credentials, and its registration with your login; its buckets stay, unless --delete-data.
    """
    if unit_id is None:
        with answering(as_json) as terminal, explained(terminal):
            remove_own(said, terminal, deletes_data=delete_data, cancel_jobs=cancel_jobs, yes=yes)
        return
    with signed_in(as_json) as (brain, terminal):
        unit = brain.computing_units.get(unit_id)
        if not yes:
            typer.confirm(f"Remove {unit.alias}?", abort=True, err=True)
        brain.computing_units.remove(unit_id, cancel_jobs=cancel_jobs)
        terminal.answer({"removed": unit_id}, f"{unit.alias} is removed; its stack and its buckets stay.")


@app.command(epilog=EPILOG)
def permissions(unit_id: UnitId, as_csv: AsCsv = False, as_json: AsJson = False) -> None:
    """Show what CloudMR Brain can do in a unit of yours: as it was declared, and as measured now."""
    with signed_in(as_json, as_csv) as (brain, terminal):
        found = brain.computing_units.permissions(unit_id)
        terminal.answer([each.model_dump(mode="json", by_alias=True) for each in found], permission_table(found))
        wrong = [each for each in found if not each.is_as_declared]
        if wrong:
            terminal.warn(f"{len(wrong)} of these are not as they were declared.")


def _proven(brain: BrainClient, found: UnitCheck) -> UnitCheck:
    """Return what was found once nothing is awaited any more."""
    while found.is_awaited:
        time.sleep(_LOOK_EVERY_S)
        found = brain.computing_units.findings(found.computing_unit.computing_unit_id)
    return found
