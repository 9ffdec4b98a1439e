"""Which Brain to talk to, and the token to show there.

`CLOUDMR_API_URL` and `CLOUDMR_TOKEN` come first, then the session that `cloudmr login` kept. Its tokens are shown to
the server that gave them and to no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cloudmr.client.address import LOCAL_BRAIN, normal_address
from cloudmr.client.errors import LocalFileError
from cloudmr.client.folder import client_folder, forget, read_private, write_private


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A server, and the token to show there; None: not signed in.

    `refresh_token` gets a new pair of tokens when the first has expired, once.
    """

    server: str
    token: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    server: str
    token: str = Field(repr=False)
    refresh_token: str | None = Field(None, repr=False)


def find_identity(environment: Mapping[str, str]) -> Identity:
    """Return who to be, and where. Raise `InvalidAddress` for an address that is none, `LocalFileError`."""
    kept = _read(credentials_path(environment))
    wanted = environment.get("CLOUDMR_API_URL")
    server = normal_address(wanted or (kept.server if kept else LOCAL_BRAIN))
    if token := environment.get("CLOUDMR_TOKEN"):
        return Identity(server=server, token=token)
    if kept is None or kept.server != server:
        return Identity(server=server)
    return Identity(server=server, token=kept.token, refresh_token=kept.refresh_token)


def keep_identity(identity: Identity, environment: Mapping[str, str]) -> Path:
    """Keep a session for the next time, in place of an earlier one, and return where. Raise `LocalFileError`."""
    assert identity.token is not None
    path = credentials_path(environment)
    kept = _Kept(server=normal_address(identity.server), token=identity.token, refresh_token=identity.refresh_token)
    write_private(path, kept.model_dump_json() + "\n")
    return path


def forget_identity(environment: Mapping[str, str]) -> None:
    """Keep no session any more. Raise `LocalFileError`."""
    forget(credentials_path(environment))


def credentials_path(environment: Mapping[str, str]) -> Path:
    """Return where the session is kept."""
    return client_folder(environment) / "credentials.json"


def _read(path: Path) -> _Kept | None:
    text = read_private(path)
    if text is None:
        return None
    try:
        return _Kept.model_validate_json(text)
    except ValidationError:
        raise LocalFileError(f"{path} cannot be understood.", "Sign in again with `cloudmr login`.") from None
