"""Who may do what: every decision is written down, and what AWS does in a role's name needs that role's right, too.

MiniStack decides on requests that arrive. AWS itself also acts with the roles of a stack, without a request that could
be seen: Step Functions starts functions and tasks, Lambda polls queues and writes logs, the container agent pulls
images. `acts_for` is asked at those places. An absent object is told of as AWS does: to whoever may list the bucket.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import iam, s3, sts
from tests.aws.emulator.settings import CALLS, SETTINGS

_lock = threading.Lock()
_enforce = iam_evaluator.enforce
_resolve = iam_evaluator._resolve_condition_key


def install() -> None:
    """Have every decision written down."""
    iam_evaluator.enforce = _recorded_enforce
    iam_evaluator._resolve_condition_key = _condition_key


def acts_for(
    role_arn: str, session: str, action: str, resource: str, region: str, *, keys: Mapping[str, str] | None = None
) -> bool:
    """Tell whether AWS may do this in a role's name. `keys` are what conditions may ask for, beyond the usual."""
    account, role = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
    principal = f"arn:aws:sts::{account}:assumed-role/{role}/{session}"
    context = iam_evaluator.EvalContext(
        principal, "AssumedRole", account, action, resource, region, service_context=dict(keys or {})
    )
    decision: str = iam_evaluator.evaluate(context, iam_evaluator._gather_role_policies(role, account)).decision
    record(principal, action, resource, decision == "Allow", of_service=True)
    return decision == "Allow"


def refusal(role_arn: str, session: str, action: str, resource: str) -> str:
    """Return AWS's words for what a role may not do."""
    account, role = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
    return (
        f"User: arn:aws:sts::{account}:assumed-role/{role}/{session} is not authorized to perform: {action} "
        f"on resource: {resource} because no identity-based policy allows the {action} action"
    )


def trusts_service(role_arn: str, service: str) -> bool:
    """Tell whether a role lets itself be used by a service, such as lambda.amazonaws.com."""
    account, name = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
    role = iam._roles.get_scoped(account, None, name)
    if role is None:
        return False
    document = role.get("AssumeRolePolicyDocument") or "{}"
    policy = json.loads(document) if isinstance(document, str) else document
    for statement in policy.get("Statement", []):
        named = statement.get("Principal", {})
        services = named.get("Service", []) if isinstance(named, dict) else []
        if service in ([services] if isinstance(services, str) else services):
            return True
    return False


def session_credentials(role_arn: str, session: str, lifetime_s: float) -> dict[str, str]:
    """Return the environment of a process that works with a role, as a session that AWS began for it."""
    account, role = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
    seed = threading.get_ident(), time.time_ns()
    key = f"ASIA{abs(hash((role_arn, session, *seed))):016X}"[:20]
    secret, token = f"secret-{key}".ljust(40, "x"), f"token-{key}-{time.time_ns()}"
    sts.register_session(
        key,
        {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{role}/{session}",
            "UserId": f"{role}:{session}",
            "SecretAccessKey": secret,
            "SessionToken": token,
            "Expiration": time.time() + lifetime_s,
        },
    )
    return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": token}


def record(principal: str, action: str, resource: str, allowed: bool, *, of_service: bool) -> None:
    """Write one decision down."""
    line = {"principal": principal, "action": action, "resource": resource, "allowed": allowed, "service": of_service}
    with _lock, (SETTINGS.folder / CALLS).open("a") as calls:
        calls.write(json.dumps(line) + "\n")


def _recorded_enforce(access_key_id: str, iam_action: str, service: str, region: str, *given: Any, **named: Any) -> Any:
    resource = str(named.pop("resource_arn", given[0] if given else "*"))
    if ":log-group:" in resource and not resource.endswith(":*"):
        resource += ":*"  # AWS asks for everything in a log group, but where it is tagged.
    result = _enforce(access_key_id, iam_action, service, region, resource, *given[1:], **named)
    credential = iam_evaluator.resolve_credential(access_key_id or "")
    principal = getattr(credential, "principal_arn", "")
    if principal and not isinstance(result, iam_evaluator.AuthError):
        record(principal, iam_action, resource, result is None, of_service=False)
    if result is None and iam_action == "s3:GetObject" and _is_absent(resource):
        # Whoever may not list the bucket is not told that an object is absent: they are refused.
        bucket = resource.partition("/")[0]
        return _enforce(access_key_id, "s3:ListBucket", service, region, bucket)
    return result


def _is_absent(object_arn: str) -> bool:
    bucket, _, key = object_arn.removeprefix("arn:aws:s3:::").partition("/")
    known = s3._buckets.get(bucket)
    return known is not None and key not in known["objects"]


def _condition_key(key: str, context: Any) -> Any:
    """Return aws:PrincipalArn of a session as AWS has it: the ARN of its role."""
    principal: str = context.principal_arn
    if key.lower() == "aws:principalarn" and ":assumed-role/" in principal:
        account, name = principal.split(":")[4], principal.split("/")[1]
        role = iam._roles.get_scoped(account, None, name)
        return role["Arn"] if role else f"arn:aws:iam::{account}:role/{name}"
    return _resolve(key, context)
