"""Who deploys, to CloudMR Brain: a token of theirs, wherever it is, and from it one that is worth one registration.

The order: a file, the variable, a login with e-mail address and password, the session that `cloudmr login` kept; on a
terminal a person is asked. Only the token for one registration goes into the stack.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from cloudmr.client.brain import BrainClient
from cloudmr.client.credentials import find_identity
from cloudmr.client.errors import LocalFileError, Refused, SignInNeeded
from cloudmr.client.folder import client_folder
from cloudmr.client.renewal import renewal_of_kept_session
from cloudmr.deploy.errors import StandsInTheWay
from cloudmr.deploy.explain import explain_brain
from cloudmr.deploy.options import Given
from cloudmr.model.tokens import Scope


class TokenSource(StrEnum):
    """Where the token comes from."""

    FILE = "file"
    """`--token-file`."""
    VARIABLE = "variable"
    """`CLOUDMR_TOKEN`."""
    LOGIN = "login"
    """E-mail address and password."""
    STORED = "stored login"
    """The session that `cloudmr login` kept for this Brain."""


@dataclass(frozen=True, kw_only=True)
class Signed:
    """A Brain to which somebody is signed in, and how. With a token for one registration nothing else can be done."""

    brain: BrainClient
    token: str = field(repr=False)
    source: TokenSource


def token_source(said: Given, environment: Mapping[str, str]) -> TokenSource | None:
    """Return where the token would come from, None: from nowhere."""
    if said.get("token_file"):
        return TokenSource.FILE
    if said.get("token"):
        return TokenSource.VARIABLE
    if said.get("email") and said.get("password"):
        return TokenSource.LOGIN
    server = said.get("api_url")
    kept = find_identity({**_without_token(environment), "CLOUDMR_API_URL": server or ""})
    return TokenSource.STORED if kept.token is not None else None


def sign_in(said: Given, environment: Mapping[str, str], source: TokenSource) -> Signed:
    """Return a Brain to which somebody is signed in; close it afterwards.

    Raise `StandsInTheWay` for a login that is refused, `LocalFileError`, and what the client raises.
    """
    server, folder = said.need("api_url"), client_folder(environment)
    match source:
        case TokenSource.FILE:
            token = _in_file(said.need("token_file"))
            return Signed(brain=BrainClient(server, token=token, folder=folder), token=token, source=source)
        case TokenSource.VARIABLE:
            token = said.need("token")
            return Signed(brain=BrainClient(server, token=token, folder=folder), token=token, source=source)
        case TokenSource.STORED:
            kept = find_identity({**_without_token(environment), "CLOUDMR_API_URL": server})
            renew = renewal_of_kept_session(kept.server, _without_token(environment))
            brain = BrainClient(server, token=kept.token, renew=renew, folder=folder)
            return Signed(brain=brain, token=kept.token or "", source=source)
        case TokenSource.LOGIN:
            brain = BrainClient(server, folder=folder)
            try:
                session = brain.log_in(email=said.need("email"), password=said.need("password"))
            except (Refused, SignInNeeded) as refusal:
                brain.close()
                raise known(refusal) from refusal
            return Signed(brain=brain, token=session.access_token, source=source)


def kept_server(environment: Mapping[str, str]) -> str | None:
    """Return the Brain that `cloudmr login` was used for last, None if it never was."""
    kept = find_identity({**_without_token(environment), "CLOUDMR_API_URL": ""})
    return kept.server if kept.token is not None else None


def token_for_stack(brain: BrainClient, token: str, *, stack_name: str) -> str:
    """Return a token that is worth one registration and nothing else, for the stack to use.

    One that is no more than that already is returned as it is. Raise `StandsInTheWay` for a token that is not taken.
    """
    try:
        return brain.account.create_token(name=f"deploying {stack_name}", scope=Scope.UNIT_REGISTER).token
    except (Refused, SignInNeeded) as refusal:
        if refusal.instance_code == "wrong_scope":
            return token
        raise known(refusal) from refusal


def known(refusal: Refused | SignInNeeded) -> Refused | SignInNeeded | StandsInTheWay:
    """Return what a Brain's no comes to, in known words where there are any; else as it is."""
    problem = explain_brain(refusal.instance_code, refusal.message, refusal.next_step)
    return StandsInTheWay([problem]) if problem else refusal


def _in_file(name: str) -> str:
    if name == "-":
        return sys.stdin.read().strip()
    path = Path(name)
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError as error:
        raise LocalFileError.of(path, error) from None


def _without_token(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name != "CLOUDMR_TOKEN"}
