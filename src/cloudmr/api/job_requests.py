"""What is asked of jobs in JSON."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import StringConstraints

from cloudmr.api.bodies import CamelBody, IdText, with_examples
from cloudmr.model.platforms import Platform
from cloudmr.model.units import APP_NAME, Mode
from cloudmr.services.plan_job import JobOrder

_SIGNAL = {
    "type": "file",
    "options": {
        "type": "s3",
        "bucket": "data",
        "key": "uploads/data_01jd3v6w0s8k2m4n6p8q0r2t4v",
        "filename": "meas.dat",
    },
}
_TASK = {
    "name": "ac",
    "options": {
        "reconstructor": {"name": "sense", "options": {"signal": _SIGNAL, "accelerations": [1, 2]}},
    },
}


class JobRequest(CamelBody):
    """A job to be: the task (`mroptimum schema` prints what it may contain), and where to run it, if that matters."""

    model_config = with_examples({"task": _TASK, "alias": "knee", "mode": "mode_1", "deadlineS": 7200})

    task: dict[str, Any]
    output: dict[str, Any] | None = None
    app_name: Annotated[str, StringConstraints(max_length=64)] = APP_NAME
    alias: Annotated[str, StringConstraints(max_length=255)] | None = None
    mode: Mode | None = None
    computing_unit_id: IdText | None = None
    platform: Platform | None = None
    deadline_s: int | None = None

    def order(self, *, idempotency_key: str | None = None) -> JobOrder:
        """Return what is asked for."""
        return JobOrder(
            document={"task": self.task} | ({} if self.output is None else {"output": self.output}),
            app_name=self.app_name,
            alias=self.alias,
            mode=self.mode,
            unit_id=self.computing_unit_id,
            platform=self.platform,
            deadline_s=self.deadline_s,
            idempotency_key=idempotency_key,
        )


class RenameJobRequest(CamelBody):
    """What to call a job."""

    model_config = with_examples({"alias": "knee, second try"})

    alias: Annotated[str, StringConstraints(max_length=255)]
