"""`cloudmr register`, `login`, `logout`: an account at a Brain, and the session kept on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from cloudmr.cli.exit_codes import EPILOG
from cloudmr.cli.terminal import AsJson, Terminal, answering
from cloudmr.client.errors import SignInNeeded

if TYPE_CHECKING:
    from cloudmr.client.brain import BrainClient

app = typer.Typer()

Server = Annotated[
    str | None,
    typer.Option("--api-url", envvar="CLOUDMR_API_URL", help="Address of the Brain. [default: the one used last]"),
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
    with answering(as_json) as terminal, _brain(terminal, server) as brain:
        email = email or _asked("E-mail address")
        secret = _password(terminal, password, is_new=True)
        brain.register(email=email, password=secret)
        _sign_in(terminal, brain, email, secret)


@app.command(epilog=EPILOG)
def login(email: Email = None, password: Password = None, server: Server = None, as_json: AsJson = False) -> None:
    """Sign in. The password is asked for, or taken from CLOUDMR_PASSWORD; only the session is kept."""
    with answering(as_json) as terminal, _brain(terminal, server) as brain:
        email = email or _asked("E-mail address")
        _sign_in(terminal, brain, email, _password(terminal, password, is_new=False))


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
def _brain(terminal: Terminal, server: str | None) -> Iterator[BrainClient]:
    from cloudmr.client.address import is_readable_on_the_way
    from cloudmr.client.brain import BrainClient
    from cloudmr.client.credentials import find_identity
    from cloudmr.client.folder import client_folder

    with BrainClient(server or find_identity(os.environ).server, folder=client_folder(os.environ)) as brain:
        if is_readable_on_the_way(brain.server):
            terminal.warn(f"{brain.server} is not https: others on the network can read what you send there.")
        yield brain


def _password(terminal: Terminal, given: str | None, *, is_new: bool) -> str:
    if given is not None:
        terminal.warn("a password on the command line can be seen by others on this machine.")
        return given
    if from_environment := os.environ.get("CLOUDMR_PASSWORD"):
        return from_environment
    return _asked("Password", is_secret=True, is_asked_twice=is_new)


def _asked(what: str, *, is_secret: bool = False, is_asked_twice: bool = False) -> str:
    """Ask a person, on standard error: standard output is for what was asked for."""
    answer: str = typer.prompt(what, hide_input=is_secret, confirmation_prompt=is_asked_twice, err=True)
    return answer


def _sign_in(terminal: Terminal, brain: BrainClient, email: str, password: str) -> None:
    from cloudmr.client.credentials import Identity, keep_identity

    session = brain.log_in(email=email, password=password)
    identity = Identity(server=brain.server, token=session.access_token, refresh_token=session.refresh_token)
    path = keep_identity(identity, os.environ)
    terminal.answer(
        {"server": brain.server, "user_id": session.user_id},
        f"Signed in to {brain.server} as {email}. The session is kept in {path}.",
    )
