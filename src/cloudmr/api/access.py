"""Who asks: what routes depend on."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from cloudmr.api.page_session import cookie_secret, require_csrf_token
from cloudmr.errors import NotSignedIn
from cloudmr.model.people import Caller
from cloudmr.model.proxies import sender
from cloudmr.model.tokens import Scope
from cloudmr.services.brain import Brain
from cloudmr.services.sessions import authenticate

_bearer = HTTPBearer(auto_error=False, description="The `id_token` or `access_token` of a login.")


async def get_brain(request: Request) -> Brain:
    """Return the Brain that this application belongs to."""
    # Asynchronous, as everything here that does not wait: else each request would pay for threads to be changed.
    brain = request.app.state.brain
    assert isinstance(brain, Brain)
    return brain


TheBrain = Annotated[Brain, Depends(get_brain)]


async def get_credentials(
    request: Request, brain: TheBrain, bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> HTTPAuthorizationCredentials | None:
    """Return the token a request comes with: its header's, else that of the page it was sent from."""
    secret = cookie_secret(request) if bearer is None else None
    if secret is None:
        return bearer
    await require_csrf_token(request, brain.secret_key, secret)
    return HTTPAuthorizationCredentials(scheme="Bearer", credentials=secret)


Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(get_credentials)]


async def get_address(request: Request) -> str:
    """Return the network address a request came from: what a trusted proxy says, else the connection's other end."""
    if request.client is None:
        return "unknown"
    return sender(request.client.host, request.headers.getlist("X-Forwarded-For"), request.app.state.trusted_proxies)


Address = Annotated[str, Depends(get_address)]


def caller_with(scope: Scope) -> Any:
    """Return a dependency that is the caller, whose token must be good for `scope`; the API's description says so."""

    def caller(brain: TheBrain, credentials: Credentials, address: Address) -> Caller:
        if credentials is None:
            raise NotSignedIn("This needs an access token.", "Sign in, and send `Authorization: Bearer …`.")
        return authenticate(brain, credentials.credentials, scope, address=address)

    return Security(caller, scopes=[scope])


Reader = Annotated[Caller, caller_with(Scope.READ)]
"""Somebody who may look at what is theirs."""
Worker = Annotated[Caller, caller_with(Scope.JOB_WRITE)]
"""Somebody who may upload data and run jobs."""
Owner = Annotated[Caller, caller_with(Scope.ACCOUNT)]
"""Somebody who signed in."""
