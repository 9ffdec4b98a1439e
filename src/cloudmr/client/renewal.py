"""A session that outlives its first token: the one kept by `cloudmr login` is renewed, and kept again."""

from __future__ import annotations

from collections.abc import Mapping

from cloudmr.client.answers import Session
from cloudmr.client.connection import Connection, Renew
from cloudmr.client.credentials import Identity, find_identity, keep_identity
from cloudmr.client.errors import SignInNeeded


def renewal_of_kept_session(server: str, environment: Mapping[str, str]) -> Renew:
    """Return what renews the session that is kept for a server; a token of the environment is never renewed."""

    def renew(expired: str) -> str | None:
        kept = find_identity(environment)
        if kept.server != server or kept.refresh_token is None:
            return None
        if kept.token != expired:
            return kept.token  # another program on this machine was faster
        try:
            fresh = _refreshed(kept)
        except SignInNeeded:
            # A refresh token is good once. If another program used it at this moment, it has kept what it got.
            now_kept = find_identity(environment)
            return now_kept.token if now_kept.token != expired else None
        keep_identity(fresh, environment)
        return fresh.token

    return renew


def _refreshed(identity: Identity) -> Identity:
    with Connection(identity.server) as connection:
        body = {"refresh_token": identity.refresh_token}
        session = connection.ask(Session, "POST", "/api/auth/refresh", body=body)
    return Identity(server=identity.server, token=session.access_token, refresh_token=session.refresh_token)
