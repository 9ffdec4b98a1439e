"""/objects: the storage of a unit on the Brain's own machine, reached by signed URLs; nobody signs in here.

Whatever an object is, a browser only ever saves it: it is never shown as a page of this server.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse

from cloudmr.errors import NotFound
from cloudmr.storage.local import LocalStorage

router = APIRouter(prefix="/objects", tags=["objects"], include_in_schema=False)

SAFE_HEADERS = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"}


def _get_storage(request: Request) -> LocalStorage:
    storage = request.app.state.local_storage
    if storage is None:
        raise NotFound("object")
    assert isinstance(storage, LocalStorage)
    return storage


TheStorage = Annotated[LocalStorage, Depends(_get_storage)]


@router.put("/{bucket}/{key:path}")
async def put(bucket: str, key: str, request: Request, storage: TheStorage) -> Response:
    """Take a part of an upload, or a whole small object."""
    declared = request.headers.get("content-length")
    length = int(declared) if declared is not None and declared.isdecimal() else None
    query, body = request.query_params, request.stream()
    if "part" in query:
        part = await storage.receive_part(bucket, key, query, body, content_length=length)
        return Response(status_code=HTTPStatus.OK, headers={"ETag": part.etag})
    info = await storage.receive_object(bucket, key, query, body, content_length=length)
    return Response(status_code=HTTPStatus.OK, headers={"ETag": f'"{info.checksum}"'})


@router.api_route("/{bucket}/{key:path}", methods=["GET", "HEAD"])
def get_object(bucket: str, key: str, request: Request, storage: TheStorage) -> Response:
    """Give an object, or a range of it."""
    download = storage.open_download(
        bucket,
        key,
        request.query_params,
        range_header=request.headers.get("range"),
        if_range=request.headers.get("if-range"),
    )
    headers = download.headers | SAFE_HEADERS
    if request.method == "HEAD":
        return Response(status_code=download.status, headers=headers)
    return StreamingResponse(download.chunks, status_code=download.status, headers=headers)
