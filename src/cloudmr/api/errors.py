"""Every error leaves the API in one shape, with the right status, and never with a stack trace."""

from __future__ import annotations

import errno
import logging
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from cloudmr.errors import (
    CallbackRefused,
    Conflict,
    DatabaseUnavailable,
    InvalidRequest,
    LimitReached,
    NotAllowed,
    NotFound,
    NotSignedIn,
    UnitUnavailable,
)
from cloudmr.request_ids import HEADER, current_request_id
from cloudmr.storage.errors import (
    ChecksumMismatch,
    InvalidKey,
    ObjectNotFound,
    ObjectTooLarge,
    RangeNotSatisfiable,
    SignatureRefused,
    UploadIncomplete,
    UploadNotFound,
)
from mroptimum.errors import ExplainedError, Explanation, TaskError

_log = logging.getLogger(__name__)

STATUS: Mapping[type[ExplainedError], HTTPStatus] = {
    InvalidRequest: HTTPStatus.BAD_REQUEST,
    InvalidKey: HTTPStatus.BAD_REQUEST,
    ChecksumMismatch: HTTPStatus.BAD_REQUEST,
    NotSignedIn: HTTPStatus.UNAUTHORIZED,
    CallbackRefused: HTTPStatus.UNAUTHORIZED,
    NotAllowed: HTTPStatus.FORBIDDEN,
    SignatureRefused: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    ObjectNotFound: HTTPStatus.NOT_FOUND,
    UploadNotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    UploadIncomplete: HTTPStatus.CONFLICT,
    ObjectTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    RangeNotSatisfiable: HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
    TaskError: HTTPStatus.UNPROCESSABLE_ENTITY,
    LimitReached: HTTPStatus.TOO_MANY_REQUESTS,
    UnitUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    DatabaseUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""The status of each error that a person or a unit can bring about; a class counts for those derived from it."""

_DATABASE_RETRY_AFTER_S = "1"

_PROTOCOL_ERRORS: Mapping[int, Explanation] = {
    404: {
        "code": "no_such_route",
        "message": "There is nothing at this address.",
        "next_step": "Check the address; /openapi.json lists what there is.",
    },
    405: {
        "code": "method_not_allowed",
        "message": "This address does not take this method.",
        "next_step": "Use one of the methods in the Allow header.",
    },
    408: {
        "code": "body_too_slow",
        "message": "The request did not arrive in time.",
        "next_step": "Send it again, without pauses.",
    },
    413: {
        "code": "body_too_large",
        "message": "The request is larger than is taken here.",
        "next_step": "Send less; the content of files goes to the storage, in parts.",
    },
}
_NO_ROOM: Explanation = {
    "code": "disk_full",
    "message": "There is no room left at CloudMR Brain.",
    "next_step": "Tell the operator. An upload goes on where it stopped once there is room again.",
}
_INTERNAL: Explanation = {
    "code": "internal_error",
    "message": "Something went wrong inside CloudMR Brain; it was written down.",
    "next_step": "Try again; if it happens again, tell the operator the id of the request.",
}


def status_of(error: ExplainedError) -> HTTPStatus:
    """Return the status of an error; one that no request should bring about is the server's own."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), HTTPStatus.INTERNAL_SERVER_ERROR)


def error_response(explanation: Explanation, status: int, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return an error as JSON; `error` repeats the message for clients that look for it there.

    `request_id` is what to tell the operator: it stands in the log.
    """
    of_request = current_request_id.get()
    body = {**explanation, "error": explanation["message"]}
    if of_request is None:
        return JSONResponse(body, status_code=status, headers=headers)
    named = {**(headers or {}), HEADER: of_request}
    return JSONResponse(body | {"request_id": of_request}, status_code=status, headers=named)


def install_error_handlers(app: FastAPI) -> None:
    """Have every error of an application answered in the one shape."""
    app.add_exception_handler(ExplainedError, _explained)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _protocol)
    app.add_exception_handler(OSError, _no_room)
    app.add_exception_handler(Exception, _unexpected)


def _explained(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ExplainedError)
    status = status_of(error)
    if status is HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("an error without a status reached the API", exc_info=error)
        return error_response(_INTERNAL, status)
    return error_response(error.explain(), status, _headers(error))


def _headers(error: ExplainedError) -> dict[str, str]:
    match error:
        case LimitReached():
            return {"Retry-After": str(error.retry_after_s)}
        case DatabaseUnavailable():
            return {"Retry-After": _DATABASE_RETRY_AFTER_S}
        case NotSignedIn():
            return {"WWW-Authenticate": "Bearer"}
        case RangeNotSatisfiable():
            return {"Content-Range": f"bytes */{error.size_bytes}"}
        case _:
            return {}


def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    # Only the place and the rule are told: what was sent may be a password.
    problems = "; ".join(f"{'.'.join(str(step) for step in found['loc'])}: {found['msg']}" for found in error.errors())
    return error_response(
        {
            "code": InvalidRequest.code,
            "message": f"The request cannot be understood: {problems}.",
            "next_step": "Correct these fields; /openapi.json says what each request is made of.",
        },
        HTTPStatus.UNPROCESSABLE_ENTITY,
    )


def _protocol(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    explanation = _PROTOCOL_ERRORS.get(error.status_code) or {
        "code": InvalidRequest.code,
        "message": f"The request cannot be understood: {error.detail}.",
        "next_step": "Correct the request; /openapi.json says what each is made of.",
    }
    return error_response(explanation, error.status_code, error.headers)


def _no_room(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, OSError)
    if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
        raise error
    _log.error("no room: %s", error)
    return error_response(_NO_ROOM, HTTPStatus.INSUFFICIENT_STORAGE)


def _unexpected(_request: Request, _error: Exception) -> JSONResponse:
    # The server logs the error with its stack; here only that there was one is told.
    return error_response(_INTERNAL, HTTPStatus.INTERNAL_SERVER_ERROR)
