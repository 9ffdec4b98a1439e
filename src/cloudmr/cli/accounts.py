"""`cloudmr register`, `login`, `logout`: an account at a Brain, and the session kept on this machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cloudmr.cli.exit_codes import EPILOG
from cloudmr.cli.terminal import AsJson, Terminal, answering
from cloudmr.client.errors import SignInNeeded
from cloudmr.model.people import AccountStatus

if TYPE_CHECKING:
    from cloudmr.client.brain import BrainClient

app = typer.Typer()

Server = Annotated[
    str | None,
    typer.Option("--api-url", envvar="CLOUDMR_API_URL", help="Address of the Brain. \\[default: the one used last]"),
]
Email = Annotated[
    str | None,
    typer.Option("--email", envvar="CLOUDMR_EMAIL", help="E-mail address of the account. Without it you are asked."),
]
Password = Annotated[
    str | None,
    typer.Option("--password", help="Not advised: others on this machine can see it. Without it you are asked."),
]


@app.command(epilog=EPILOG)
def register(email: Email = None, password: Password = None, server: Server = None, as_json: AsJson = False) -> None:
    """Make an account, and sign in. The password is asked for, or taken from CLOUDMR_PASSWORD."""
    with answering(as_json) as terminal, at_brain(terminal, server) as brain:
        email = email or asked("E-mail address")
        secret = choose_password(terminal, password, is_new=True)
        account = brain.register(email=email, password=secret)
        if account.status == AccountStatus.PENDING:
            terminal.answer(
                account.model_dump(mode="json"),
                f"A mail is on its way to {account.email}; `cloudmr confirm CODE`, with its code, opens the account.",
            )
        else:
            _sign_in(terminal, brain, email, secret)


@app.command(epilog=EPILOG)
def login(
    email: Email = None,
    password: Password = None,
    token_file: Annotated[
        Path | None, typer.Option(help="Use the personal token in this file instead of signing in; `-` reads it.")
    ] = None,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Sign in. The password is asked for, or taken from CLOUDMR_PASSWORD; only the session is kept."""
    with answering(as_json) as terminal, at_brain(terminal, server) as brain:
        if token_file is not None:
            _keep_token(terminal, brain, token_file)
            return
        email = email or asked("E-mail address")
        _sign_in(terminal, brain, email, choose_password(terminal, password, is_new=False))


@app.command(epilog=EPILOG)
def logout(as_json: AsJson = False) -> None:
    """End the session, at the Brain and on this machine."""
    with answering(as_json) as terminal:
        from cloudmr.client.brain import BrainClient
        from cloudmr.client.credentials import forget_identity

        with BrainClient.from_environment() as brain:
            try:
                if brain.is_signed_in:
                    brain.log_out()
            except SignInNeeded:
                pass  # the session had ended there already
            finally:
                forget_identity(os.environ)
            terminal.answer({"server": brain.server}, f"Signed out of {brain.server}.")


@contextmanager
def at_brain(terminal: Terminal, server: str | None) -> Iterator[BrainClient]:
    """Give a command the Brain it names, signed in or not."""
    from cloudmr.client.address import is_readable_on_the_way
    from cloudmr.client.brain import BrainClient
    from cloudmr.client.credentials import find_identity
    from cloudmr.client.folder import client_folder

    with BrainClient(server or find_identity(os.environ).server, folder=client_folder(os.environ)) as brain:
        if is_readable_on_the_way(brain.server):
            terminal.warn(f"{brain.server} is not https: others on the network can read what you send there.")
        yield brain


def choose_password(terminal: Terminal, given: str | None, *, is_new: bool) -> str:
    """Return the password that was given, is in CLOUDMR_PASSWORD, or is typed."""
    if given is not None:
        terminal.warn("a password on the command line can be seen by others on this machine.")
        return given
    if from_environment := os.environ.get("CLOUDMR_PASSWORD"):
        return from_environment
    return asked("Password", is_secret=True, is_asked_twice=is_new)


def asked(what: str, *, is_secret: bool = False, is_asked_twice: bool = False) -> str:
    """Ask a person, on standard error: standard output is for what was asked for."""
    answer: str = typer.prompt(what, hide_input=is_secret, confirmation_prompt=is_asked_twice, err=True)
    return answer


def _keep_token(terminal: Terminal, brain: BrainClient, file: Path) -> None:
    from cloudmr.client.credentials import Identity, keep_identity

    text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8", errors="replace")
    with brain.holding(text.strip()) as holder:
        profile = holder.profile()
        path = keep_identity(Identity(server=brain.server, token=text.strip()), os.environ)
        terminal.answer(
            {"server": brain.server, "user_id": profile.user_id},
            f"Using a token of {profile.email} at {brain.server}. It is kept in {path}.",
        )


def _sign_in(terminal: Terminal, brain: BrainClient, email: str, password: str) -> None:
    from cloudmr.client.credentials import Identity, keep_identity

    session = brain.log_in(email=email, password=password)
    identity = Identity(server=brain.server, token=session.access_token, refresh_token=session.refresh_token)
    path = keep_identity(identity, os.environ)
    terminal.answer(
        {"server": brain.server, "user_id": session.user_id},
        f"Signed in to {brain.server} as {email}. The session is kept in {path}.",
    )
