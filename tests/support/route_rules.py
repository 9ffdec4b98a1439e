"""Who may do what over HTTP: one rule for each route, and what the things are that its path and body name.

A route without a rule fails the tests. A rule says what must be shown (`Proof`, `Scope`), and what each of these is
answered who shows it: the owner of the things, a stranger, somebody with whom the job was shared, an administrator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from cloudmr.model.tokens import Scope

Body = Callable[["Things"], Any]


class Proof(Enum):
    """What a request must show, beside an access token."""

    NOTHING = auto()
    """It is for everybody; what it needs to know stands in its body."""
    UNIT_SIGNATURE = auto()
    """The signature of the unit that works at the job."""
    SIGNED_URL = auto()
    """A signature in the address itself."""
    OPERATOR = auto()
    """To be on the Brain's own machine, or the token that its operator set."""
    LINK = auto()
    """The secret of a link, in the address."""


@dataclass(frozen=True, kw_only=True)
class Things:
    """What the owner has; the placeholders of paths are named as these."""

    data_id: str
    upload_id: str
    deleted_id: str
    job_id: str
    deleted_job_id: str
    share_id: str
    region_id: str
    unit_id: str
    token_id: str
    user_id: str
    secret: str
    upload_name: str = ""
    task: Mapping[str, Any] = field(default_factory=dict)
    password: str = ""

    def path(self, rule: Rule) -> str:
        """Return the path of a request for these things."""
        path = rule.path
        for placeholder, thing in rule.placeholders.items():
            path = path.replace(f"{{{placeholder}}}", f"{{{thing}}}")
        return (path + rule.query).replace("{number}", "1").format(**vars(self))


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What a route asks for and answers.

    `owner`, `stranger`, `shared` and `admin` are statuses of HTTP. Without its own, a stranger gets what the owner gets
    where the path names no thing and the body none, else 404; the others get what a stranger gets.
    """

    method: str
    path: str
    needs: Scope | Proof
    owner: int = 200
    given_stranger: int | None = None
    given_shared: int | None = None
    given_admin: int | None = None
    body: Body | None = None
    query: str = ""
    placeholders: Mapping[str, str] = field(default_factory=dict)
    names_things: bool = False

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def stranger(self) -> int:
        if self.given_stranger is not None:
            return self.given_stranger
        return 404 if self.names_things or "{" in self.path else self.owner

    @property
    def shared(self) -> int:
        return self.stranger if self.given_shared is None else self.given_shared

    @property
    def admin(self) -> int:
        return self.stranger if self.given_admin is None else self.given_admin


def _rule(method: str, path: str, needs: Scope | Proof, owner: int = 200, **more: Any) -> Rule:
    return Rule(method=method, path=path, needs=needs, owner=owner, **more)


def _admin(method: str, path: str, body: Body | None = None) -> Rule:
    return _rule(method, path, Scope.ACCOUNT, 403, given_stranger=403, given_admin=200, body=body)


def _report(things: Things) -> dict[str, Any]:
    return {"schema": 1, "job_id": things.job_id, "attempt": 1, "event": "succeeded", "sequence": 1}


UPLOAD = {"data_id": "upload_id"}
_REGISTRATION = {
    "awsAccountId": "123456789012",
    "region": "us-east-1",
    "stateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:m",
    "crossAccountRoleArn": "arn:aws:iam::123456789012:role/r",
    "dataBucket": "matrix-data",
    "resultsBucket": "matrix-results",
    "failedBucket": "matrix-failed",
}

ACCOUNTS = (
    _rule("POST", "/api/auth/register", Proof.NOTHING, 201, body=lambda _: {"email": "x@y.z", "password": "x" * 20}),
    _rule("POST", "/api/auth/confirm", Proof.NOTHING, 403, body=lambda _: {"token": "x", "password": "x"}),
    _rule("POST", "/api/auth/resend-confirmation", Proof.NOTHING, 202, body=lambda _: {"email": "x@y.z"}),
    _rule("POST", "/api/auth/login", Proof.NOTHING, 401, body=lambda _: {"email": "x@y.z", "password": "wrong"}),
    _rule("POST", "/api/auth/refresh", Proof.NOTHING, 401, body=lambda _: {"refresh_token": "cmr_x"}),
    _rule("POST", "/api/auth/forgot-password", Proof.NOTHING, 202, body=lambda _: {"email": "x@y.z"}),
    _rule(
        "POST", "/api/auth/reset-password", Proof.NOTHING, 403, body=lambda _: {"token": "x", "new_password": "x" * 20}
    ),
    _rule("POST", "/api/auth/logout", Scope.ACCOUNT),
    _rule(
        "POST",
        "/api/auth/change-password",
        Scope.ACCOUNT,
        body=lambda things: {"old_password": things.password, "new_password": "x" * 20},
    ),
    _rule("GET", "/api/auth/profile", Scope.READ),
    _rule("PATCH", "/api/auth/profile", Scope.ACCOUNT, body=lambda _: {"name": "Ada"}),
    _rule(
        "POST",
        "/api/auth/delete-account",
        Scope.ACCOUNT,
        body=lambda things: {"password": things.password},
    ),
    _rule("GET", "/api/auth/audit", Scope.ACCOUNT),
    _rule("GET", "/api/auth/audit/export", Scope.ACCOUNT),
    _rule("GET", "/api/token", Scope.ACCOUNT),
    _rule("POST", "/api/token", Scope.ACCOUNT, 201, body=lambda _: {"name": "x", "scope": "read"}),
    _rule("DELETE", "/api/token/{token_id}", Scope.ACCOUNT, 204),
    _rule("GET", "/api/notifications", Scope.ACCOUNT),
    _rule("PUT", "/api/notifications", Scope.ACCOUNT, body=lambda _: {"mail": "always", "webhook": "never"}),
    _rule("POST", "/api/notifications/test", Scope.ACCOUNT),
    _rule("GET", "/api/quota", Scope.READ),
)

ADMINISTRATION = (
    _admin("GET", "/api/admin/users"),
    _admin("GET", "/api/admin/users/{user_id}"),
    _admin("POST", "/api/admin/users/{user_id}/suspend", lambda _: {"reason": "x"}),
    _admin("POST", "/api/admin/users/{user_id}/activate", lambda _: {}),
    _admin("PUT", "/api/admin/users/{user_id}/limits", lambda _: {"n_monthly": 1}),
    _admin("GET", "/api/admin/queue"),
    _admin("GET", "/api/admin/failures"),
    _admin("GET", "/api/admin/audit"),
    _admin("GET", "/api/admin/audit/export"),
)

UNITS = (
    _rule("GET", "/api/computing-unit/list", Scope.READ),
    _rule(
        "POST",
        "/api/computing-unit/prepare",
        Scope.UNIT_REGISTER,
        409,
        body=lambda _: {"awsAccountId": "123456789012", "region": "us-east-1"},
    ),
    _rule(
        "POST",
        "/api/computing-unit/register",
        Scope.UNIT_REGISTER,
        409,
        body=lambda _: _REGISTRATION,
    ),
    _rule("GET", "/api/computing-unit/{unit_id}", Scope.READ),
    _rule("PATCH", "/api/computing-unit/{unit_id}", Scope.ACCOUNT, body=lambda _: {"alias": "x"}),
    _rule("POST", "/api/computing-unit/{unit_id}/default", Scope.ACCOUNT),
    _rule("GET", "/api/computing-unit/{unit_id}/check", Scope.READ),
    _rule("POST", "/api/computing-unit/{unit_id}/check", Scope.ACCOUNT),
    _rule("GET", "/api/computing-unit/{unit_id}/permissions", Scope.READ),
    _rule("DELETE", "/api/computing-unit/{unit_id}", Scope.ACCOUNT, 204),
)

DATA = (
    _rule("POST", "/api/data/upload", Scope.JOB_WRITE, 201, body=lambda _: {"filename": "m", "size": 1}),
    _rule(
        "POST",
        "/api/data/{data_id}/parts",
        Scope.JOB_WRITE,
        body=lambda _: {"parts": [{"number": 1, "sha256": "A" * 43 + "="}]},
        placeholders=UPLOAD,
    ),
    _rule("GET", "/api/data/{data_id}/parts", Scope.READ, placeholders=UPLOAD),
    _rule("POST", "/api/data/{data_id}/complete", Scope.JOB_WRITE),
    _rule("POST", "/api/data/{data_id}/abort", Scope.JOB_WRITE, 204, placeholders=UPLOAD),
    _rule(
        "POST",
        "/api/data/add",
        Scope.JOB_WRITE,
        404,
        body=lambda things: {"computing_unit_id": things.unit_id, "key": "uploads/not-there"},
    ),
    _rule("POST", "/api/data/delete", Scope.JOB_WRITE, body=lambda t: {"data_ids": [t.data_id]}, names_things=True),
    _rule("POST", "/api/data/restore", Scope.JOB_WRITE, body=lambda t: {"data_ids": [t.deleted_id]}, names_things=True),
    _rule("GET", "/api/data", Scope.READ),
    _rule("GET", "/api/data/export", Scope.READ),
    _rule("GET", "/api/data/{data_id}", Scope.READ),
    _rule("PATCH", "/api/data/{data_id}", Scope.JOB_WRITE, body=lambda _: {"filename": "n"}),
    _rule("DELETE", "/api/data/{data_id}", Scope.JOB_WRITE, 204),
    _rule("POST", "/api/data/{data_id}/restore", Scope.JOB_WRITE, placeholders={"data_id": "deleted_id"}),
    _rule("GET", "/api/data/{data_id}/download", Scope.READ),
    _rule("PUT", "/objects/{bucket}/{key:path}", Proof.SIGNED_URL, 403),
    _rule("GET", "/objects/{bucket}/{key:path}", Proof.SIGNED_URL, 403),
    _rule("HEAD", "/objects/{bucket}/{key:path}", Proof.SIGNED_URL, 403),
)

JOBS = (
    _rule("POST", "/api/job", Scope.JOB_WRITE, 201, body=lambda t: {"task": t.task}, names_things=True),
    _rule("POST", "/api/job/estimate", Scope.READ, body=lambda t: {"task": t.task}, names_things=True),
    _rule("GET", "/api/job", Scope.READ),
    _rule("GET", "/api/job/export", Scope.READ),
    _rule("GET", "/api/job/shared", Scope.READ),
    _rule("GET", "/api/job/events", Scope.READ),
    _rule("GET", "/api/job/{job_id}", Scope.READ, given_shared=200),
    _rule("GET", "/api/job/{job_id}/events", Scope.READ, given_shared=200),
    _rule("GET", "/api/job/{job_id}/log", Scope.READ, given_shared=200),
    _rule("GET", "/api/job/{job_id}/result", Scope.READ, given_shared=200),
    _rule("PATCH", "/api/job/{job_id}", Scope.JOB_WRITE, body=lambda _: {"alias": "x"}),
    _rule("DELETE", "/api/job/{job_id}", Scope.JOB_WRITE),
    _rule("POST", "/api/job/{job_id}/restore", Scope.JOB_WRITE, placeholders={"job_id": "deleted_job_id"}),
    _rule("POST", "/api/job/{job_id}/rerun", Scope.JOB_WRITE, 201),
    _rule("POST", "/api/job/{job_id}/cancel", Scope.JOB_WRITE, 409),
    _rule("GET", "/api/job/{job_id}/shares", Scope.READ),
    _rule("POST", "/api/job/{job_id}/shares", Scope.JOB_WRITE, 201, body=lambda _: {}),
    _rule("DELETE", "/api/job/{job_id}/shares", Scope.JOB_WRITE, 204),
    _rule("DELETE", "/api/job/{job_id}/shares/{share_id}", Scope.JOB_WRITE, 204),
    _rule("POST", "/api/job/{job_id}/regions", Scope.JOB_WRITE, 201, body=lambda _: {"name": "x"}),
    _rule("GET", "/api/job/{job_id}/regions", Scope.READ, given_shared=200),
    _rule("PATCH", "/api/job/{job_id}/regions/{region_id}", Scope.JOB_WRITE, body=lambda _: {"name": "x"}),
    _rule("DELETE", "/api/job/{job_id}/regions/{region_id}", Scope.JOB_WRITE, 204),
    _rule("GET", "/api/job/{job_id}/document", Proof.UNIT_SIGNATURE, 401, query="?attempt=1", given_stranger=401),
    _rule("POST", "/api/job/{job_id}/progress", Proof.UNIT_SIGNATURE, 401, body=_report, given_stranger=401),
    _rule("POST", "/api/job/{job_id}/callback", Proof.UNIT_SIGNATURE, 401, body=_report, given_stranger=401),
    _rule("GET", "/api/shared/{secret}", Proof.LINK),
    _rule("GET", "/api/shared/{secret}/events", Proof.LINK),
    _rule("GET", "/api/shared/{secret}/log", Proof.LINK),
    _rule("GET", "/api/shared/{secret}/result", Proof.LINK),
    _rule("GET", "/api/shared/{secret}/regions", Proof.LINK),
)


def _either(path: str, body: Body, needs: Scope = Scope.JOB_WRITE, *methods: str, **more: Any) -> tuple[Rule, ...]:
    return tuple(_rule(method, path, needs, body=body, names_things=True, **more) for method in methods)


def _named(thing: str) -> Body:
    return lambda things: {"id": getattr(things, thing)}


def _nothing(_things: Things) -> None:
    return None


_DELETED = ("POST", "DELETE")
_CHANGED = ("POST", "PUT")
_JOB = {"pipeline": "job_id"}

EXISTING_CLIENTS = (
    _rule("GET", "/api/profile", Scope.READ),
    _rule("GET", "/api/data/read", Scope.READ),
    _rule(
        "POST",
        "/api/data/create",
        Scope.JOB_WRITE,
        404,
        body=lambda _: {"location": {"Bucket": "owners-data", "Key": "uploads/not-there"}},
        given_stranger=400,
    ),
    *_either("/api/data/update", lambda t: {"fileid": t.data_id, "filename": "n"}, Scope.JOB_WRITE, *_CHANGED),
    *_either("/api/data/delete/{data_id}", _nothing, Scope.JOB_WRITE, *_DELETED),
    _rule("POST", "/api/upload_initiate", Scope.JOB_WRITE, body=lambda _: {"filename": "m", "filesize": 1}),
    _rule(
        "POST",
        "/api/upload_finalize",
        Scope.JOB_WRITE,
        409,
        body=lambda t: {"uploadId": t.upload_name, "Key": f"uploads/{t.upload_id}", "parts": []},
        names_things=True,
    ),
    _rule("POST", "/api/pipeline/request", Scope.JOB_WRITE, body=lambda _: {"cloudapp_id": None}),
    _rule("POST", "/api/pipeline/queue_job", Scope.JOB_WRITE, body=lambda t: {"task": t.task}, names_things=True),
    _rule("GET", "/api/pipeline/list", Scope.READ),
    _rule("GET", "/api/pipeline/count_calculations", Scope.READ),
    _rule("GET", "/api/pipeline/status/{pipeline}", Scope.READ, placeholders=_JOB, given_shared=200),
    *_either("/api/pipeline/update", lambda t: {"id": t.job_id, "alias": "x"}, Scope.JOB_WRITE, *_CHANGED),
    *_either("/api/pipeline/delete", _named("job_id"), Scope.JOB_WRITE, *_DELETED),
    *_either("/api/pipeline/delete/{pipeline}", _nothing, Scope.JOB_WRITE, *_DELETED, placeholders=_JOB),
    _rule("GET", "/api/pipeline/{pipeline}", Scope.READ, placeholders=_JOB, given_shared=200),
    _rule(
        "POST",
        "/api/unzip",
        Scope.READ,
        body=lambda t: {"Bucket": "results", "Key": f"results/{t.job_id}/1/package.zip"},
        names_things=True,
        given_shared=200,
    ),
    _rule("GET", "/api/roi/list", Scope.READ, query="?pipeline_id={job_id}", names_things=True, given_shared=200),
    _rule(
        "POST",
        "/api/roi/upload",
        Scope.JOB_WRITE,
        body=lambda t: {"filename": "x.nii.gz", "pipeline_id": t.job_id},
        names_things=True,
    ),
    *_either("/api/roi/delete", _named("region_id"), Scope.JOB_WRITE, *_DELETED),
    *_either("/api/roi/delete/{region_id}", _nothing, Scope.JOB_WRITE, *_DELETED),
    _rule("GET", "/api/cloudapp/list", Scope.READ),
    _rule("POST", "/api/cloudapp/create", Scope.ACCOUNT, body=lambda _: {"name": "MR Optimum"}),
    *_either("/api/computing-unit/delete", _named("unit_id"), Scope.ACCOUNT, *_DELETED),
)

OTHERS = (
    _rule("GET", "/healthz", Proof.NOTHING),
    _rule("GET", "/readyz", Proof.NOTHING),
    _rule("GET", "/metrics", Proof.OPERATOR, 403),
    _rule("GET", "/openapi.json", Proof.NOTHING),
)

RULES = {rule.name: rule for rule in (*ACCOUNTS, *ADMINISTRATION, *UNITS, *DATA, *JOBS, *EXISTING_CLIENTS, *OTHERS)}
