"""`cloudmr notify`: how you are told that a job has ended. `cloudmr quota`: what there is of the shared unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cloudmr.cli.exit_codes import EPILOG
from cloudmr.cli.layout import Record
from cloudmr.cli.session import signed_in
from cloudmr.cli.terminal import AsJson
from cloudmr.cli.views import quota_table
from cloudmr.model.notifications import NotifyOn

if TYPE_CHECKING:
    from cloudmr.client.notifications import NotificationSettings

app = typer.Typer(no_args_is_help=True, help="How you are told that a job has ended: by mail, by webhook.")
quota_app = typer.Typer()


@app.command(epilog=EPILOG)
def show(as_json: AsJson = False) -> None:
    """Show how you are told, and the secret that webhooks are signed with."""
    with signed_in(as_json) as (brain, terminal):
        settings = brain.notifications.get()
        terminal.answer(settings.model_dump(mode="json"), _record(settings))


@app.command("set", epilog=EPILOG)
def set_(
    mail: Annotated[
        NotifyOn | None,
        typer.Option(help="Which ends of jobs bring a mail; all but `never` also bring one before files are deleted."),
    ] = None,
    webhook: Annotated[NotifyOn | None, typer.Option(help="Which ends of jobs bring a webhook.")] = None,
    webhook_url: Annotated[str | None, typer.Option(help="Where the webhook goes; an empty one removes it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Change how you are told; what you leave out stays as it is."""
    with signed_in(as_json) as (brain, terminal):
        settings = brain.notifications.change(mail=mail, webhook=webhook, webhook_url=webhook_url)
        terminal.answer(settings.model_dump(mode="json"), _record(settings))


@app.command("test", epilog=EPILOG)
def try_out(as_json: AsJson = False) -> None:
    """Have a message sent by every way that is set."""
    with signed_in(as_json) as (brain, terminal):
        sent = brain.notifications.try_out()
        words = f"On its way: {', '.join(sent)}." if sent else "Nothing is set; see `cloudmr notify set --help`."
        terminal.answer({"sent": sent}, words)


@quota_app.command(epilog=EPILOG)
def quota(as_json: AsJson = False) -> None:
    """Show how much of the shared computing unit you have used, and how much there is."""
    with signed_in(as_json) as (brain, terminal):
        found = brain.quota()
        terminal.answer(found.model_dump(mode="json"), quota_table(found))


def _record(settings: NotificationSettings) -> Record:
    return Record(
        fields=(
            ("mail", settings.mail),
            ("webhook", settings.webhook if settings.webhook_url else ""),
            ("webhook goes to", settings.webhook_url or ""),
            ("signed with", settings.webhook_secret or ""),
        )
    )
