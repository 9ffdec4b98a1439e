"""CloudMR Brain in its own image, as an operator runs it: beside a PostgreSQL, with its home in a volume.

It answers, serves its pages, makes an administrator, has a job done by the unit on its machine, and has lost nothing
when its container was killed and started again.
"""

from __future__ import annotations

import json
import re
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import numpy as np
from tools.image.building import build, describe

from cloudmr.client.answers import Job
from cloudmr.client.brain import BrainClient
from cloudmr.model.jobs import JobState
from mroptimum.flags import Flags
from postgres_server import postgres_server
from real_brain import PASSWORD
from small_job import raw_data
from waiting import wait_until

NAME = "cloudmr-brain"
_DOCKERFILE = Path("brain-deployment") / "Dockerfile"
_ANSWER_WITHIN_S = 60.0
_JOB_WITHIN_S = 120.0
_HEALTHY_WITHIN_S = 90.0
_ENDED_WHEN_ASKED = ("0", "143")


@dataclass(frozen=True, kw_only=True)
class _Container:
    environment: Mapping[str, str]
    port: int
    name: str = NAME

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def docker(self, *arguments: str) -> str:
        """Have the engine do something, and return what it says. Ends with its error if it cannot."""
        done = subprocess.run(["docker", *arguments], env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"docker {' '.join(arguments)}: {done.stdout}{done.stderr}\n{self.last_words()}")
        return done.stdout.strip()

    def last_words(self) -> str:
        """Return the end of its log."""
        logged = subprocess.run(
            ["docker", "logs", "--tail", "30", self.name],
            env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return logged.stdout + logged.stderr

    def await_answer(self) -> None:
        wait_until(self._answers, what=f"an answer at {self.url}", deadline_s=_ANSWER_WITHIN_S)

    def health(self) -> str:
        return self.docker("inspect", "--format", "{{.State.Health.Status}}", self.name)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz").is_success
        except httpx.TransportError:
            if self.docker("inspect", "--format", "{{.State.Running}}", self.name) != "true":
                sys.exit(f"the Brain ended in its container:\n{self.last_words()}")
            return False


def try_brain(environment: Mapping[str, str], base: str, folder: Path) -> None:
    """Build the image, and live with it for a while. Ends with an error where something is not as it should be."""
    build(environment, NAME, base, dockerfile=_DOCKERFILE)
    describe(environment, NAME)
    with postgres_server() as server:
        url = server.create("brain")
        [sockets] = parse_qs(urlsplit(url).query)["host"]
        Path(sockets).chmod(0o711)  # in its container it is nobody whom the folder belongs to
        container = _Container(environment=environment, port=_free_port())
        began = time.monotonic()
        settings = {"DATABASE_URL": url, "CLOUDMR_PORT": str(container.port), "CLOUDMR_SECRET_KEY": secrets.token_hex()}
        container.docker(
            "run", "--detach", "--init", "--network=host", "--name", container.name,
            *(part for name, value in settings.items() for part in ("--env", f"{name}={value}")),
            "--volume", f"{sockets}:{sockets}", "--volume", f"{NAME}-home:/var/lib/cloudmr", NAME,
        )  # fmt: skip
        container.await_answer()
        print(f"a Brain answers in its container: {time.monotonic() - began:.1f} s", flush=True)
        _live_with(container, folder)


def _live_with(container: _Container, folder: Path) -> None:
    _look_at_pages(container.url)
    with_password = ("exec", "--env", f"CLOUDMR_PASSWORD={PASSWORD}", container.name)
    made = container.docker(*with_password, "cloudmr", "admin", "create", "--email", "admin@example.org", "--json")
    assert json.loads(made)["email"] == "admin@example.org", made
    with BrainClient(container.url, folder=folder) as brain:
        brain.register(email="ada@example.org", password=PASSWORD)
        brain.log_in(email="ada@example.org", password=PASSWORD)
        data_file = brain.upload(raw_data(folder / "scan.npz", np.random.default_rng(20261130)))
        document = Flags(method="ac", reconstruction="rss").document(data_file.reference, None)
        before = brain.submit(document).job_id
        _await_success(brain, before)
        interrupted = brain.submit(document).job_id
        container.docker("kill", "--signal", "KILL", container.name)
        container.docker("start", container.name)
        container.await_answer()
        job = _await_success(brain, interrupted)
        assert {each.job_id for each in brain.jobs()} == {before, interrupted}
        print(f"killed and started again, it lost nothing; the job in between took attempt {job.attempt}", flush=True)
    wait_until(lambda: container.health() == "healthy", what="its own good health", deadline_s=_HEALTHY_WITHIN_S)
    container.docker("stop", container.name)
    code = container.docker("inspect", "--format", "{{.State.ExitCode}}", container.name)
    assert code in _ENDED_WHEN_ASKED, f"asked to end, it ended with {code}:\n{container.last_words()}"
    print("it says that it is well, and ends when it is asked to", flush=True)


def _look_at_pages(url: str) -> None:
    """See that the pages came with their scripts."""
    page = httpx.get(f"{url}/sign-in").raise_for_status().text
    scripts = re.findall(r'(?:src|href)="(/[^"]+\.(?:js|css)[^"]*)"', page)
    assert scripts, page
    for script in scripts:
        assert httpx.get(url + script).raise_for_status().content, script
    print(f"its pages came with {len(scripts)} scripts and styles", flush=True)


def _await_success(brain: BrainClient, job_id: str) -> Job:
    def ended() -> Job | None:
        job = brain.job(job_id)
        return job if job.has_ended else None

    job = wait_until(ended, what=f"the end of {job_id}", deadline_s=_JOB_WITHIN_S)
    if job.status is not JobState.SUCCEEDED:
        sys.exit(f"{job_id} {job.status}: {job.failure}")
    return job


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
