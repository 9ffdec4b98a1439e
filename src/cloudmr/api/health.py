"""/healthz and /readyz: whether the process lives, and whether it can serve."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Response

from cloudmr.api.access import TheBrain
from cloudmr.api.bodies import Body
from cloudmr.services.readiness import is_ready

router = APIRouter(tags=["health"])


class Health(Body):
    """Yes or no."""

    ok: bool


@router.get("/healthz")
async def healthz() -> Health:
    """Say that the process lives."""
    # Not in a thread: all of them may be waiting for a database that is away.
    return Health(ok=True)


@router.get("/readyz")
def readyz(brain: TheBrain, response: Response) -> Health:
    """Say whether the database answers and has the shape that this release needs; 503 if not."""
    ready = is_ready(brain)
    response.status_code = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
    return Health(ok=ready)
