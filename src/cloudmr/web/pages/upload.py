"""Upload: the unit is chosen first, and files go from the browser straight to its storage."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import APIRouter, Request
from starlette.responses import Response

from cloudmr.api.access import TheBrain
from cloudmr.errors import UnitUnavailable
from cloudmr.model.data_files import DataState
from cloudmr.model.units import APP_NAME, ComputingUnit
from cloudmr.services.brain import Brain
from cloudmr.services.data_files import list_data
from cloudmr.services.list_units import list_units
from cloudmr.web.rendering import render
from cloudmr.web.visitor import TheVisitor

router = APIRouter(include_in_schema=False)

_LATEST = 200


@router.get("/upload")
def upload_page(request: Request, brain: TheBrain, visitor: TheVisitor) -> Response:
    """Show where files may go, and which uploads were begun and not ended."""
    units = list_units(brain, visitor.caller, app_name=APP_NAME)
    begun = [
        view for view in list_data(brain, visitor.caller, limit=_LATEST) if view.data_file.state is DataState.UPLOADING
    ]
    context = {"units": units, "begun": begun}
    return render(request, "upload.html", context, storage_origins=storage_origins(brain, units))


def storage_origins(brain: Brain, units: Iterable[ComputingUnit]) -> set[str]:
    """Return the origins at which the storage of these units is reached; of one that is not, none."""
    return {origin for unit in units for origin in _origins(brain, unit)}


def _origins(brain: Brain, unit: ComputingUnit) -> Iterable[str]:
    try:
        return brain.connect(unit).storage_origins
    except UnitUnavailable:
        return ()
