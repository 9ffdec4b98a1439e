"""What a state machine is given of an attempt, and its worker in turn: one flat JSON object, always the same text.

It is the same at each try (sorted keys, no time, no signed URL), so that a repeated start is the same execution. It
holds the attempt's secret, which is worth nothing after the job's end, and no other.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from cloudmr.compute.base import ExecutionRequest, Resources
from cloudmr.model.platforms import FARGATE_DISKS_GIB, FARGATE_SIZES, Platform, fargate_size

SCHEMA_VERSION = 1
_MIB = 2**20
_GIB = 2**30


def to_input(request: ExecutionRequest) -> str:
    """Return the input of an execution.

    The size is one that Fargate has: where the job goes, or goes on after Lambda was too small for it.
    """
    needed = request.resources
    size = fargate_size(needed.memory_bytes) or FARGATE_SIZES[-1]
    least_gib, most_gib = FARGATE_DISKS_GIB
    fields = {
        "attempt": request.attempt,
        "callback_url": request.callback_url,
        "deadline_s": needed.deadline_s,
        "disk_gib": min(max(math.ceil(needed.disk_bytes / _GIB), least_gib), most_gib),
        "document_url": request.document_url,
        "job_id": request.job_id,
        "key_id": request.key_id,
        "memory_mib": size.memory_bytes // _MIB,
        "platform": request.platform.value,
        "progress_url": request.progress_url,
        "schema_version": SCHEMA_VERSION,
        "secret": request.secret,
        "vcpu": int(size.vcpu),
    }
    return json.dumps(fields, sort_keys=True, separators=(",", ":"))


def parse_input(given: str | Mapping[str, Any]) -> ExecutionRequest:
    """Read what `to_input` wrote, as text or as an object. Raise `ValueError` for anything else.

    Errors do not repeat what was given: it holds a secret.
    """
    try:
        fields: Mapping[str, Any] = json.loads(given) if isinstance(given, str) else given
        if fields["schema_version"] != SCHEMA_VERSION:
            raise ValueError
        return ExecutionRequest(
            job_id=fields["job_id"],
            attempt=fields["attempt"],
            document_url=fields["document_url"],
            callback_url=fields["callback_url"],
            progress_url=fields["progress_url"],
            key_id=fields["key_id"],
            secret=fields["secret"],
            resources=Resources(
                memory_bytes=fields["memory_mib"] * _MIB,
                cpu_time_s=fields["vcpu"] * fields["deadline_s"],
                disk_bytes=fields["disk_gib"] * _GIB,
                deadline_s=fields["deadline_s"],
            ),
            platform=Platform(fields["platform"]),
        )
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"this is no input of an execution of version {SCHEMA_VERSION}") from None
