"""Data files: all of them, and what a person does with one or several at once."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from pydantic import StringConstraints
from starlette.responses import RedirectResponse, Response

from cloudmr.api.access import TheBrain
from cloudmr.api.bodies import IdText
from cloudmr.api.data import DataId
from cloudmr.errors import InvalidRequest
from cloudmr.model.ids import Kind, is_id
from cloudmr.services.data_files import download_data, list_data, rename_data
from cloudmr.services.delete_data import delete_data, restore_data
from cloudmr.web.pages.sessions import own_address
from cloudmr.web.rendering import render
from cloudmr.web.visitor import TheVisitor

router = APIRouter(prefix="/data", include_in_schema=False)

PAGE = 50
Ids = Annotated[str, StringConstraints(max_length=40 * PAGE)]
"""Ids with commas between them, as an address carries them."""
Chosen = Annotated[list[IdText] | None, Form()]
Back = Annotated[str, Form(max_length=255)]


def known_ids(text: str) -> list[str]:
    """Return what of a text are ids of data files."""
    return [word for word in text.split(",") if is_id(Kind.DATA, word)]


@router.get("")
def data_page(
    request: Request,
    brain: TheBrain,
    visitor: TheVisitor,
    before: Annotated[IdText | None, Query()] = None,
    deleted: Annotated[Ids, Query()] = "",
) -> Response:
    """Show the visitor's data files, the latest first, and those that can be brought back."""
    found = list_data(brain, visitor.caller, limit=PAGE + 1, before=before)
    context = {
        "files": found[:PAGE],
        "before": found[PAGE - 1].data_file.id if len(found) > PAGE else None,
        "restorable": list_data(brain, visitor.caller, limit=PAGE, is_deleted=True),
        "deleted": known_ids(deleted),
        "back": "/data",
    }
    return render(request, "data.html", context)


@router.get("/{data_id}/download")
def download(data_id: DataId, brain: TheBrain, visitor: TheVisitor) -> Response:
    """Lead to a file where it lies: in the storage of its unit."""
    return RedirectResponse(download_data(brain, visitor.caller, data_id).url, HTTPStatus.SEE_OTHER)


@router.post("/{data_id}/rename")
def rename(
    data_id: DataId,
    brain: TheBrain,
    visitor: TheVisitor,
    filename: Annotated[str, Form(max_length=4096)] = "",
    back: Back = "/data",
) -> Response:
    """Call a file something else."""
    rename_data(brain, visitor.caller, data_id, filename=filename)
    return RedirectResponse(own_address(back), HTTPStatus.SEE_OTHER)


@router.post("/delete")
def delete(
    brain: TheBrain,
    visitor: TheVisitor,
    data_id: Chosen = None,
    for_good: Annotated[bool, Form()] = False,
    back: Back = "/data",
) -> Response:
    """Delete the chosen files, all or none; the page then offers the way back."""
    delete_data(brain, visitor.caller, _chosen(data_id), for_good=for_good)
    query = "" if for_good else f"?{urlencode({'deleted': ','.join(_chosen(data_id))}, safe=',')}"
    return RedirectResponse(f"{own_address(back)}{query}", HTTPStatus.SEE_OTHER)


@router.post("/restore")
def restore(brain: TheBrain, visitor: TheVisitor, data_id: Chosen = None, back: Back = "/data") -> Response:
    """Bring the chosen files back, all or none."""
    restore_data(brain, visitor.caller, _chosen(data_id))
    return RedirectResponse(own_address(back), HTTPStatus.SEE_OTHER)


def _chosen(data_ids: list[str] | None) -> list[str]:
    if not data_ids or len(data_ids) > PAGE:
        raise InvalidRequest(
            f"This is done to 1 to {PAGE} data files at once.", "Go back, and choose files.", code="nothing_chosen"
        )
    return data_ids
