"""Answers CloudFormation for the stack's two custom resources: the unit is announced, then registered.

`Custom::CloudMRPreparation` asks CloudMR Brain for what the stack is made with (unit id, ExternalId, the Brain's role,
the image); `Custom::CloudMRRegistration` tells it what the stack is made of. Both are said with the token, which is
worth one registration and is kept nowhere. An update that changes nothing of it, and every delete, call nobody.
CloudFormation is always answered: a stack that waits for an answer hangs for an hour.
"""

from __future__ import annotations

import hashlib
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

Event = Mapping[str, Any]
TRIES = 4
PAUSE_S = 3.0
TIMEOUT_S = 15
MAX_REASON = 1000
WORTH_ANOTHER_TRY = frozenset({408, 425, 429, 500, 502, 503, 504})
PREPARED_FROM = ("AwsAccountId", "Region", "ImageTag")
PREPARED = ("ComputingUnitId", "ExternalId", "BrainPrincipalArn", "ImageUri")
REGISTERED_FROM = (
    *("ComputingUnitId", "AppName", "Mode", "AwsAccountId", "Region", "StateMachineArn", "CrossAccountRoleArn"),
    *("DataBucket", "ResultsBucket", "FailedBucket", "Alias"),
)
"""Properties of the resources, and fields of the Brain's with a small first letter."""


class Refused(Exception):
    """CloudMR Brain, or the way to it, says no; the message is for the person who deploys."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A token is not carried on to where an answer points."""

    def redirect_request(self, *_args: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirect)


def handler(event: Event, _context: object) -> None:
    """Do what CloudFormation asks for, and tell it how that went."""
    physical_id = str(event.get("PhysicalResourceId") or "none")
    answer: dict[str, Any] = {"Status": "SUCCESS", "PhysicalResourceId": physical_id}
    try:
        if event["RequestType"] != "Delete":
            act = prepare if event["ResourceType"] == "Custom::CloudMRPreparation" else register
            answer["PhysicalResourceId"], answer["Data"] = act(event)
    except Refused as refused:
        answer |= {"Status": "FAILED", "Reason": str(refused)[:MAX_REASON]}
    except Exception as error:
        answer |= {"Status": "FAILED", "Reason": f"The registration function failed: {type(error).__name__}."}
    finally:
        _answer(event, answer)


def prepare(event: Event) -> tuple[str, dict[str, str]]:
    """Announce the unit. The resource's id keeps what was answered, and to what.

    It also keeps the answer before that: an update that fails is rolled back, with a token that has been used.
    """
    wanted, past, mark = event["ResourceProperties"], _past(event), _mark(event, PREPARED_FROM)
    for known, *values in past:
        if known == mark:
            return str(event["PhysicalResourceId"]), dict(zip(PREPARED, values, strict=True))
    said = _post(wanted, "prepare", PREPARED_FROM)
    data = {name: str(said[_field(name)]) for name in PREPARED}
    return "||".join("|".join(each) for each in ([mark, *data.values()], past[0])), data


def register(event: Event) -> tuple[str, dict[str, str]]:
    """Register the unit, and return its id and what comes next in the Brain's words."""
    wanted, (known, *values), mark = event["ResourceProperties"], _past(event)[0], _mark(event, REGISTERED_FROM)
    status = "Registered; nothing of it has changed."
    if known != mark:
        said = _post(wanted, "register", REGISTERED_FROM)
        values, status = [str(said["computingUnitId"])], f"{said['status']}: {said['message']}"
    return f"{mark}|{values[0]}", {"ComputingUnitId": values[0], "RegistrationStatus": status}


def _past(event: Event) -> list[list[str]]:
    return [each.split("|") for each in str(event.get("PhysicalResourceId", "")).split("||")]


def _mark(event: Event, names: tuple[str, ...]) -> str:
    wanted = [event["ResourceProperties"].get(name) for name in (*names, "ApiUrl")]
    return hashlib.sha256(json.dumps(wanted).encode()).hexdigest()[:12]


def _field(name: str) -> str:
    return name[0].lower() + name[1:]


def _post(wanted: Mapping[str, str], what: str, names: tuple[str, ...]) -> dict[str, Any]:
    """Say something to the Brain, again while it does not answer. Raise `Refused` with its words."""
    body = {_field(name): wanted[name] for name in names if wanted.get(name)}
    request = urllib.request.Request(
        f"{wanted['ApiUrl'].rstrip('/')}/api/computing-unit/{what}",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {wanted['Token']}", "Content-Type": "application/json"},
        method="POST",
    )
    host = urllib.parse.urlsplit(wanted["ApiUrl"]).netloc
    trouble = ""
    for number in range(TRIES):
        if number:
            pause(PAUSE_S * number)
        try:
            with _opener.open(request, timeout=TIMEOUT_S) as answer:
                said: dict[str, Any] = json.load(answer)
                return said
        except urllib.error.HTTPError as error:
            if 300 <= error.code < 400:
                raise Refused(f"{host} points elsewhere. Give CloudMRApiUrl as CloudMR Brain itself has it.") from None
            trouble = _words(error)
            if error.code not in WORTH_ANOTHER_TRY:
                raise Refused(trouble) from None
        except (urllib.error.URLError, OSError) as error:
            reason = getattr(error, "reason", error)
            trouble = f"CloudMR Brain at {host} does not answer ({reason}). Check CloudMRApiUrl."
        except ValueError:
            raise Refused(f"What answers at {host} is not CloudMR Brain. Check CloudMRApiUrl.") from None
    raise Refused(trouble)


def _words(error: urllib.error.HTTPError) -> str:
    try:
        said = json.load(error)
        return f"{said['message']} {said['next_step']} ({said['code']})"
    except (ValueError, KeyError, TypeError, OSError):
        return f"CloudMR Brain answered {error.code}. Check CloudMRApiUrl."


def _answer(event: Event, answer: Mapping[str, Any]) -> None:
    named = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    body = json.dumps({**named, "NoEcho": False, **answer}).encode()
    # The address is signed without a content type.
    request = urllib.request.Request(event["ResponseURL"], data=body, headers={"Content-Type": ""}, method="PUT")
    for number in range(TRIES):
        if number:
            pause(PAUSE_S)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S):
                return
        except OSError as error:
            print(f"CloudFormation was not reached: {error}")


pause: Callable[[float], None] = time.sleep
