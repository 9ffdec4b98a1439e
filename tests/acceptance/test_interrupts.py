"""Commands that are interrupted at the keyboard."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cloudmr.client.answers import Job
from cloudmr.client.brain import BrainClient
from cloudmr.model.jobs import JobState
from mroptimum.flags import Flags
from mroptimum.phantom import Written
from real_brain import PASSWORD, RealBrain


@pytest.mark.slow
def test_to_stop_watching_a_job_does_not_stop_the_job(real_brain: RealBrain, phantom: Written, tmp_path: Path) -> None:
    with BrainClient(real_brain.url, folder=tmp_path) as client:
        token = client.log_in(email=real_brain.new_email(), password=PASSWORD).access_token
        flags = Flags(method="pmr", reconstruction="sense", replicas=1500)
        job = client.submit(flags.document(client.upload(phantom.raw).reference, None))
        with subprocess.Popen(
            [sys.executable, "-m", "cloudmr.cli", "job", "watch", job.job_id],
            env=os.environ | {"CLOUDMR_API_URL": real_brain.url, "CLOUDMR_TOKEN": token},
            stderr=subprocess.PIPE,
            text=True,
        ) as watching:
            assert watching.stderr is not None
            assert any(" of " in line for line in watching.stderr)
            watching.send_signal(signal.SIGINT)
            assert watching.wait(60) == 130
            assert f"{job.job_id} goes on" in watching.stderr.read()
        *_, ended = (news for news in client.follow(job.job_id) if isinstance(news, Job))
        assert ended.status is JobState.SUCCEEDED
