"""`cloudmr account`: one's own account at a Brain."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from cloudmr.cli.accounts import asked
from cloudmr.cli.exit_codes import EPILOG
from cloudmr.cli.people_views import audit_table, profile_record
from cloudmr.cli.session import signed_in
from cloudmr.cli.terminal import AsCsv, AsJson

app = typer.Typer(no_args_is_help=True, help="Your account: name, password, what happened to it, its end.")


@app.command(epilog=EPILOG)
def show(as_json: AsJson = False) -> None:
    """Show who is signed in."""
    with signed_in(as_json) as (brain, terminal):
        profile = brain.profile()
        terminal.answer(profile.model_dump(mode="json"), profile_record(profile))


@app.command(epilog=EPILOG)
def rename(name: Annotated[str, typer.Argument(help="Your name; empty for none.")], as_json: AsJson = False) -> None:
    """Give your account a name."""
    with signed_in(as_json) as (brain, terminal):
        profile = brain.account.rename(name=name)
        terminal.answer(profile.model_dump(mode="json"), profile_record(profile))


@app.command("change-password", epilog=EPILOG)
def change_password(as_json: AsJson = False) -> None:
    """Choose another password; sessions elsewhere end.

    Both are asked for, or taken from CLOUDMR_PASSWORD and CLOUDMR_NEW_PASSWORD.
    """
    with signed_in(as_json) as (brain, terminal):
        old = os.environ.get("CLOUDMR_PASSWORD") or asked("Present password", is_secret=True)
        new = os.environ.get("CLOUDMR_NEW_PASSWORD") or asked("New password", is_secret=True, is_asked_twice=True)
        brain.account.change_password(old_password=old, new_password=new)
        terminal.answer({"success": True}, "The password is changed; sessions elsewhere have ended.")


@app.command(epilog=EPILOG)
def audit(as_csv: AsCsv = False, as_json: AsJson = False) -> None:
    """List what happened to your account and your things, the latest first."""
    with signed_in(as_json, as_csv) as (brain, terminal):
        entries = list(brain.account.audit())
        terminal.answer([entry.model_dump(mode="json") for entry in entries], audit_table(entries))


@app.command(epilog=EPILOG)
def delete(as_json: AsJson = False) -> None:
    """Delete your account and everything it has, for good.

    The password is asked for, or taken from CLOUDMR_PASSWORD.
    """
    with signed_in(as_json) as (brain, terminal):
        from cloudmr.client.credentials import forget_identity

        password = os.environ.get("CLOUDMR_PASSWORD") or asked("Password, to delete everything", is_secret=True)
        brain.account.delete(password=password)
        forget_identity(os.environ)
        terminal.answer({"success": True}, "The account is deleted; its data and results are being removed.")
