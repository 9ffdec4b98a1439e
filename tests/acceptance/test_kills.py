"""Processes killed in mid-job: every job still reaches exactly one end, and a true one."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from cloudmr.cli.own_brain import BrainDidNotStart, own_brain
from cloudmr.client.answers import Job, JobEvent, Progress
from cloudmr.client.brain import BrainClient
from cloudmr.model.data_files import DataState
from cloudmr.model.jobs import END_STATES, JobState
from cloudmr.storage.checksums import checksum_file
from faulty_transport import FaultyTransport
from mroptimum.flags import Flags
from mroptimum.phantom import Written
from real_brain import PASSWORD
from waiting import wait_until

pytestmark = pytest.mark.slow

EMAIL = "somebody@example.org"
LONG = Flags(method="pmr", reconstruction="sense", acceleration=2, replicas=250, seed=1)
"""Some seconds of work, told in many steps."""


def join(address: str, folder: Path, *, transport: httpx.BaseTransport | None = None) -> BrainClient:
    client = BrainClient(address, folder=folder, transport=transport)
    client.register(email=EMAIL, password=PASSWORD)
    client.log_in(email=EMAIL, password=PASSWORD)
    return client


def start(client: BrainClient, phantom: Written, flags: Flags = LONG) -> Job:
    """Return a long job whose worker is in the middle of it."""
    job = client.submit(flags.document(client.upload(phantom.raw).reference, None))
    for news in client.follow(job.job_id):
        progress = news if isinstance(news, Progress) else news.progress if isinstance(news, Job) else None
        if progress is not None and progress.done > 2:
            return client.job(job.job_id)
    raise AssertionError("the job ended before it could be disturbed")


def end(client: BrainClient, job: Job) -> tuple[Job, list[JobEvent]]:
    """Wait for a job's end, and return it with the steps it took; there is exactly one end among them."""
    for _ in client.follow(job.job_id):
        pass
    steps = [event for event in client.job_log(job.job_id).events if event.new]
    assert [event.new in END_STATES for event in steps] == [False] * (len(steps) - 1) + [True]
    return client.job(job.job_id), steps


def workers(home: Path) -> list[psutil.Process]:
    """Return the worker processes of a Brain's unit."""
    return [
        process
        for process in psutil.process_iter(["cmdline", "cwd"])
        if "cloudmr.worker.process" in (process.info["cmdline"] or [])
        and str(home) in f"{process.info['cmdline']} {process.info['cwd']}"
    ]


def kill_brain(home: Path) -> int:
    """Kill the Brain of a home and return which process that was."""
    [brain] = [
        process
        for process in psutil.Process().children()
        if "serve" in process.cmdline() and process.environ().get("CLOUDMR_HOME") == str(home)
    ]
    brain.kill()
    brain.wait()
    return brain.pid


def test_a_worker_that_is_killed_is_replaced_once(home: Path, phantom: Written, tmp_path: Path) -> None:
    with own_brain(home) as address, join(address, tmp_path) as client:
        job = start(client, phantom)
        [worker] = workers(home)
        worker.kill()
        ended, steps = end(client, job)
        assert ended.status is JobState.SUCCEEDED
        assert ended.attempt == 2
        assert [step.new for step in steps].count(JobState.QUEUED) == 2
        client.download_files(client.result(job.job_id), tmp_path / "package")


def test_a_job_outlives_the_brain(home: Path, phantom: Written, tmp_path: Path) -> None:
    with own_brain(home) as address, join(address, tmp_path) as client:
        job = start(client, phantom)
        kill_brain(home)
        assert workers(home), "the worker ended with its Brain"
    with own_brain(home, port=urlsplit(address).port or 0), BrainClient(address, folder=tmp_path) as client:
        client.log_in(email=EMAIL, password=PASSWORD)
        ended, _ = end(client, job)
        assert ended.status is JobState.SUCCEEDED
        assert ended.attempt == 1
        client.download_files(client.result(job.job_id), tmp_path / "package")


def test_a_brain_that_comes_back_elsewhere_is_told_at_once(home: Path, phantom: Written, tmp_path: Path) -> None:
    with own_brain(home) as first, join(first, tmp_path) as client:
        job = start(client, phantom, replace(LONG, replicas=5000))
        before = client.job(job.job_id).progress
        assert before is not None
    with own_brain(home) as second, BrainClient(second, folder=tmp_path) as client:
        assert second != first
        client.log_in(email=EMAIL, password=PASSWORD)

        def further() -> bool:
            progress = client.job(job.job_id).progress
            return progress is not None and progress.done > before.done

        # Only the worker knows how far it is; it has nobody's word but the home's for where the Brain is now.
        wait_until(further, what="news from the worker")
        client.cancel(job.job_id)
        ended, _ = end(client, job)
        assert (ended.status, ended.attempt) == (JobState.CANCELLED, 1)


def test_a_job_that_ended_while_no_brain_was_there_has_ended(home: Path, phantom: Written, tmp_path: Path) -> None:
    with own_brain(home) as address, join(address, tmp_path) as client:
        job = start(client, phantom)
    wait_until(lambda: not workers(home), what="the end of the worker")
    with own_brain(home) as address, BrainClient(address, folder=tmp_path) as client:
        client.log_in(email=EMAIL, password=PASSWORD)
        ended, _ = end(client, job)
        assert ended.status is JobState.SUCCEEDED


def test_a_job_that_is_cancelled_ends_its_worker(home: Path, phantom: Written, tmp_path: Path) -> None:
    with own_brain(home) as address, join(address, tmp_path) as client:
        job = start(client, phantom)
        client.cancel(job.job_id)
        ended, _ = end(client, job)
        assert ended.status is JobState.CANCELLED
        wait_until(lambda: not workers(home), what="the end of the worker")


def test_an_upload_outlives_the_brain(home: Path, phantom: Written, tmp_path: Path) -> None:
    with ExitStack() as brains:
        address = brains.enter_context(own_brain(home))
        killed: list[int] = []

        def kill(request: httpx.Request) -> bool:
            if killed or request.url.params.get("part") != "2":
                return False
            killed.append(kill_brain(home))
            brains.enter_context(own_brain(home, port=urlsplit(address).port or 0))
            return True

        with join(address, tmp_path, transport=FaultyTransport(lose=kill)) as client:
            data_file = client.upload(phantom.raw)
            assert killed
            assert data_file.state is DataState.READY
            assert data_file.checksum == checksum_file(phantom.raw).composite


def test_a_home_has_one_brain(home: Path) -> None:
    with own_brain(home), pytest.raises(BrainDidNotStart) as caught, own_brain(home):
        pass
    assert caught.value.instance_code == "brain_already_running"
