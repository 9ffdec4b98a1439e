from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from cloudmr.compute.base import Cause, Execution, ExecutionRequest, ExecutionState, LogLine, Resources
from cloudmr.compute.conformance import Behaviour, ComputeConformance, HeardCallback, UnitUnderTest
from cloudmr.compute.launch import Launch, RetryPolicy
from cloudmr.compute.local import LocalCompute
from cloudmr.compute.reporting import attempt_key
from cloudmr.compute.run_folder import RunFolder
from cloudmr.errors import UnitUnavailable
from cloudmr.model.instants import utc_now
from cloudmr.model.reports import Report, ReportedEvent
from listener import Listener, listening
from waiting import wait_until

MEGABYTE = 2**20
RESOURCES = Resources(memory_bytes=512 * MEGABYTE, cpu_time_s=60, disk_bytes=64 * MEGABYTE, deadline_s=60)
SECRET = "5ec2e7" * 8
EAGER = RetryPolicy(first_wait_s=0.02, longest_wait_s=0.1, give_up_after_s=60)
NEVER_AGAIN = RetryPolicy(give_up_after_s=0)

# A worker's program, in the folder `work` of its run folder. It creates `../ready` when the test may go on.
READY = "open('../ready', 'w').close()\n"
RUN_ON = "import signal\n" + READY + "while True: signal.pause()\n"


@dataclass(frozen=True, kw_only=True)
class LocalUnit:
    """A local unit with a program for a worker, and a listener in the Brain's place."""

    backend: LocalCompute
    root: Path
    brain: Listener

    def request(self, behaviour: Behaviour = Behaviour.RUNS, *, attempt: int = 1) -> ExecutionRequest:
        return ExecutionRequest(
            job_id=f"job_{behaviour}",
            attempt=attempt,
            document_url=f"{self.brain.url}/document",
            callback_url=f"{self.brain.url}/callback",
            progress_url=f"{self.brain.url}/progress",
            key_id="key",
            secret=SECRET,
            resources=RESOURCES,
        )

    def start(self, **limits: int) -> RunFolder:
        """Start an execution and return its folder."""
        request = self.request()
        request = replace(request, resources=replace(request.resources, **limits))
        self.backend.start(request)
        return RunFolder(path=self.root / request.name)

    def start_and_wait(self, **limits: int) -> RunFolder:
        """Start an execution whose worker gets ready."""
        folder = self.start(**limits)
        wait_until(lambda: (folder.path / "ready").exists(), what="the worker to be ready")
        return folder

    def await_end(self, name: str) -> Execution:
        def ended() -> Execution | None:
            execution = self.backend.describe(name)
            return None if execution.state is ExecutionState.RUNNING else execution

        return wait_until(ended, what=f"the end of {name}")

    def await_callback(self) -> HeardCallback:
        heard = self.brain.next("/callback")
        return HeardCallback(body=heard.body, headers=heard.headers)


class Units:
    """Makes local units, and sees to it that no process of theirs outlives the test."""

    def __init__(self, root: Path, brain: Listener) -> None:
        self.root = root
        self.brain = brain

    def __call__(self, program: str, *, retry: RetryPolicy = EAGER, grace_s: float = 30) -> LocalUnit:
        return self.of_command([sys.executable, "-I", "-S", "-c", program], retry=retry, grace_s=grace_s)

    def of_command(self, command: list[str], *, retry: RetryPolicy = EAGER, grace_s: float = 30) -> LocalUnit:
        backend = LocalCompute(
            self.root / "run",
            storage_root=self.root / "storage",
            worker_command=command,
            stop_grace_s=grace_s,
            look_every_s=0.05,
            retry=retry,
        )
        return LocalUnit(backend=backend, root=self.root / "run", brain=self.brain)

    def end_all(self) -> None:
        for path in (self.root / "run").glob("*"):
            folder = RunFolder(path=path)
            if claim := folder.read_claim():
                claim.supervisor.send(signal.SIGKILL)
            if worker := folder.read_worker():
                worker.kill_group()


@pytest.fixture
def units(tmp_path: Path, brain: Listener) -> Iterator[Units]:
    units = Units(tmp_path, brain)
    yield units
    units.end_all()


BEHAVIOURS = """
import json, signal, sys
match json.load(sys.stdin)["request"]["job_id"]:
    case "job_fails": sys.exit(70)
    case "job_runs":
        while True: signal.pause()
"""


@pytest.fixture
def unit(units: Units) -> UnitUnderTest:
    return units(BEHAVIOURS)


class TestLocalCompute(ComputeConformance):
    """The contract of every compute."""


MANY_FILES = """
import os, signal
for number in range(8):
    os.mkdir(str(number))
    open(f"{number}/file", "wb").write(bytes(2**20))
while True: signal.pause()
"""


@pytest.mark.parametrize(
    ("program", "limits", "cause"),
    [
        (
            "hoard = []\nwhile True: hoard.append(bytearray(10**7))",
            {"memory_bytes": 128 * MEGABYTE},
            Cause.OUT_OF_MEMORY,
        ),
        ("bytearray(2**30)", {}, Cause.OUT_OF_MEMORY),
        ("while True: pass", {"cpu_time_s": 1}, Cause.CPU_TIME),
        (
            "open('f', 'wb').write(bytes(2**20))",
            {"disk_bytes": MEGABYTE // 2},
            Cause.DISK_FULL,
        ),
        (
            "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_DFL)\nopen('f', 'wb').write(bytes(2**20))",
            {"disk_bytes": MEGABYTE // 2},
            Cause.DISK_FULL,
        ),
        (MANY_FILES, {"disk_bytes": 4 * MEGABYTE}, Cause.DISK_FULL),
        ("import os; os.kill(os.getpid(), 9)", {}, Cause.KILLED),
        ("import os; os.kill(os.getpid(), 11)", {}, Cause.CRASHED),
        ("raise SystemExit(1)", {}, Cause.CRASHED),
    ],
    ids=[
        "memory bit by bit",
        "memory at once",
        "processor time",
        "file too large",
        "file too large, by signal",
        "folder too large",
        "killed",
        "segmentation fault",
        "exit code",
    ],
)
def test_why_a_worker_ended(units: Units, program: str, limits: dict[str, int], cause: Cause) -> None:
    unit = units(program)
    execution = unit.await_end(unit.start(**limits).name)
    assert (execution.state, execution.cause) == (ExecutionState.FAILED, cause)
    report = Report.parse(unit.await_callback().body)
    assert report.error is not None
    assert report.error.code == cause


def test_the_deadline(units: Units) -> None:
    unit = units(RUN_ON)
    execution = unit.await_end(unit.start_and_wait(deadline_s=1).name)
    assert (execution.state, execution.cause) == (ExecutionState.TIMED_OUT, Cause.DEADLINE)
    assert execution.started_at is not None
    assert execution.ended_at is not None
    assert execution.ended_at - execution.started_at >= timedelta(seconds=1)


def test_a_worker_killed_in_the_middle(units: Units) -> None:
    unit = units(RUN_ON)
    folder = unit.start_and_wait()
    worker = folder.read_worker()
    assert worker is not None
    worker.send(signal.SIGKILL)
    execution = unit.await_end(folder.name)
    assert (execution.state, execution.cause) == (ExecutionState.FAILED, Cause.KILLED)
    assert Report.parse(unit.await_callback().body).event is ReportedEvent.FAILED


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_supervisor_told_to_end_ends_its_worker(units: Units, number: signal.Signals) -> None:
    unit = units(RUN_ON)
    folder = unit.start_and_wait()
    claim, worker = folder.read_claim(), folder.read_worker()
    assert claim is not None
    assert worker is not None
    claim.supervisor.send(number)
    execution = unit.await_end(folder.name)
    assert (execution.state, execution.cause) == (ExecutionState.FAILED, Cause.KILLED)
    assert not worker.is_alive()


def await_leave(folder: RunFolder) -> None:
    """Wait until the supervisor has nothing left to do."""
    claim = folder.read_claim()
    assert claim is not None
    wait_until(lambda: not claim.supervisor.is_alive(), what="the supervisor's leave")


def kill_supervisor(folder: RunFolder) -> None:
    claim = folder.read_claim()
    assert claim is not None
    claim.supervisor.send(signal.SIGKILL)
    wait_until(lambda: not claim.supervisor.is_alive(), what="the supervisor's death")


def test_a_supervisor_killed_in_the_middle(units: Units) -> None:
    unit = units(RUN_ON)
    folder = unit.start_and_wait()
    kill_supervisor(folder)
    worker = folder.read_worker()
    assert worker is not None
    assert worker.is_alive()
    execution = unit.backend.describe(folder.name)
    assert (execution.state, execution.cause) == (ExecutionState.FAILED, Cause.KILLED)
    assert not worker.is_alive()
    assert not folder.work.exists()
    assert unit.backend.describe(folder.name) == execution


def test_a_supervisor_killed_while_it_was_to_stop(units: Units) -> None:
    unit = units("import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + RUN_ON)
    folder = unit.start_and_wait()
    unit.backend.stop(folder.name)
    kill_supervisor(folder)
    assert unit.backend.describe(folder.name).state is ExecutionState.STOPPED


def test_a_supervisor_killed_after_the_results_were_in_place(units: Units) -> None:
    committed = '{"manifest_sha256": "' + "0" * 64 + '", "error": null}'
    unit = units(f"open('../outcome.json', 'w').write('{committed}')\n" + RUN_ON)
    folder = unit.start_and_wait()
    kill_supervisor(folder)
    assert unit.backend.describe(folder.name).state is ExecutionState.SUCCEEDED


def test_a_worker_that_does_not_listen_is_killed_after_its_grace(units: Units) -> None:
    unit = units("import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + RUN_ON, grace_s=0.1)
    folder = unit.start_and_wait()
    unit.backend.stop(folder.name)
    assert unit.await_end(folder.name).state is ExecutionState.STOPPED


def test_a_worker_that_was_done_when_it_was_stopped_has_succeeded(units: Units) -> None:
    unit = units("import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n" + RUN_ON)
    folder = unit.start_and_wait()
    unit.backend.stop(folder.name)
    assert unit.await_end(folder.name).state is ExecutionState.SUCCEEDED


def test_what_a_worker_leaves_behind_ends_with_it(units: Units) -> None:
    unit = units(
        "import os, signal\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    while True: signal.pause()\n"
        "open('../child', 'w').write(str(pid))\n"
    )
    folder = unit.start()
    unit.await_end(folder.name)
    child = int((folder.path / "child").read_text())

    def is_gone() -> bool:
        return not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE

    wait_until(is_gone, what="the end of the worker's child")


def test_a_worker_that_cannot_be_started(units: Units) -> None:
    unit = units.of_command(["/no/such/program"])
    execution = unit.await_end(unit.start().name)
    assert (execution.state, execution.cause) == (ExecutionState.FAILED, Cause.CRASHED)
    assert "/no/such/program" in (execution.detail or "")


def test_started_many_times_at_once_it_runs_once(units: Units) -> None:
    unit = units("open('../ran', 'a').write('once')\n" + RUN_ON)
    n = 6
    together = threading.Barrier(n)

    def start() -> None:
        together.wait()
        unit.start()

    with ThreadPoolExecutor(n) as pool:
        for started in [pool.submit(start) for _ in range(n)]:
            started.result()
    folder = unit.start_and_wait()
    assert (folder.path / "ran").read_text() == "once"
    assert [path.name for path in unit.root.iterdir()] == [folder.name]


def test_nothing_waits_for_an_execution(units: Units) -> None:
    before = psutil.Process().children(recursive=True)
    units(RUN_ON).start_and_wait()
    assert psutil.Process().children(recursive=True) == before


START_AND_LEAVE = """
import json, sys
from pathlib import Path
from cloudmr.compute.launch import Launch
from cloudmr.compute.local import LocalCompute

launch = Launch.parse(sys.stdin.buffer.read())
LocalCompute(
    Path(sys.argv[1]),
    storage_root=Path(launch.storage_root),
    worker_command=launch.worker_command,
    look_every_s=launch.look_every_s,
    retry=launch.retry,
).start(launch.request)
"""


def test_a_job_that_ends_while_there_is_no_brain(units: Units) -> None:
    with listening() as gone:
        port = gone.port
    request = replace(units("").request(), callback_url=f"http://127.0.0.1:{port}/callback")
    launch = Launch(
        request=request,
        storage_root=str(units.root / "storage"),
        worker_command=(sys.executable, "-I", "-S", "-c", "import signal\n" + READY + "signal.pause()\n"),
        look_every_s=0.05,
        retry=EAGER,
    )
    # One Brain starts the job and ends …
    subprocess.run(
        [sys.executable, "-c", START_AND_LEAVE, str(units.root / "run")], input=launch.to_bytes(), check=True
    )
    # … another one finds it, …
    unit = units("")
    folder = RunFolder(path=unit.root / request.name)
    assert unit.backend.describe(request.name).state is ExecutionState.RUNNING
    wait_until(lambda: (folder.path / "ready").exists(), what="the worker to be ready")
    unit.backend.stop(request.name)
    assert unit.await_end(request.name).state is ExecutionState.STOPPED
    # … and when it listens where the job was told to call, it is called.
    with listening(port) as back:
        heard = back.next("/callback")
    attempt_key(request).verify(heard.body, heard.headers, now=utc_now())


def test_a_brain_that_dies_while_it_starts_a_job_has_started_nothing(units: Units) -> None:
    unit = units("")
    launch = Launch(request=unit.request(), storage_root="/", worker_command=("true",))
    folder = unit.root / launch.request.name
    supervisor = subprocess.run(
        [sys.executable, "-m", "cloudmr.compute.supervisor", str(folder)],
        input=launch.to_bytes()[:-1],
        capture_output=True,
        check=False,
    )
    assert supervisor.returncode != 0
    assert SECRET.encode() not in supervisor.stdout + supervisor.stderr
    assert unit.backend.describe(folder.name).state is ExecutionState.UNKNOWN


def test_the_brain_is_called_until_it_listens(units: Units) -> None:
    unit = units("")
    unit.brain.answers["/callback"] = (503, b"")
    unit.start()
    first, second = unit.await_callback(), unit.await_callback()
    assert first.body == second.body
    unit.brain.answers["/callback"] = (200, b"")
    await_leave(RunFolder(path=unit.root / unit.request().name))


def test_a_brain_that_refuses_the_call_is_left_alone(units: Units) -> None:
    unit = units("")
    unit.brain.answers["/callback"] = (404, b"")
    folder = unit.start()
    unit.await_callback()
    await_leave(folder)


def test_the_secret_is_in_no_file_no_argument_and_no_variable(units: Units) -> None:
    unit = units(RUN_ON)
    folder = unit.start_and_wait()
    claim, worker = folder.read_claim(), folder.read_worker()
    assert claim is not None
    assert worker is not None
    for pid in (claim.supervisor.pid, worker.pid):
        process = psutil.Process(pid)
        assert SECRET not in repr((process.cmdline(), process.environ()))
    unit.backend.stop(folder.name)
    unit.await_end(folder.name)
    unit.await_callback()
    for path in unit.root.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes()
    assert SECRET not in repr(unit.request())


def test_the_brains_own_secrets_are_not_passed_on(units: Units, tmp_path: Path) -> None:
    program = "import json, os; json.dump(dict(os.environ), open('../environment', 'w'))"
    backend = LocalCompute(
        tmp_path / "run",
        storage_root=tmp_path / "storage",
        worker_command=[sys.executable, "-c", program],
        retry=EAGER,
        environment={
            "PATH": "/usr/bin:/bin",
            "LC_ALL": "C.UTF-8",
            "CLOUDMR_SECRET_KEY": "hidden",
            "DATABASE_URL": "hidden",
            "AWS_SECRET_ACCESS_KEY": "hidden",
        },
    )
    unit = LocalUnit(backend=backend, root=tmp_path / "run", brain=units.brain)
    folder = unit.start()
    unit.await_end(folder.name)
    environment = (folder.path / "environment").read_text()
    assert "hidden" not in environment
    assert '"LC_ALL": "C.UTF-8"' in environment


def test_only_words_about_the_job_remain(units: Units) -> None:
    unit = units("open('raw data', 'w').write('patient')\n" + READY)
    folder = unit.start_and_wait()
    unit.await_end(folder.name)
    unit.await_callback()
    names = {path.name for path in folder.path.iterdir()}
    assert names == {"supervisor.json", "supervisor.log", "worker.json", "worker.log", "status.json", "ready"}


def test_a_log_can_be_read_while_it_grows(units: Units) -> None:
    line = LogLine(at=datetime(2026, 1, 1, 12, tzinfo=UTC), level="info", message="reading")
    row = '{"when": "2026-01-01T12:00:00.000+00:00", "type": "info", "what": "reading"}'
    unit = units(f"open('../log.jsonl', 'w').write('{row}\\n{row[:20]}')\n" + RUN_ON)
    folder = unit.start_and_wait()
    assert unit.backend.log(folder.name) == (line,)


def test_a_unit_that_cannot_start_anything_says_so(units: Units) -> None:
    unit = units("")
    unit.root.write_text("no folder can be made here")
    with pytest.raises(UnitUnavailable):
        unit.start()


@pytest.mark.parametrize("name", ["", "..", "../job_x-1", "job_x", "job_x-1/../y", "job_X-1"])
def test_a_name_is_never_a_path(units: Units, name: str) -> None:
    with pytest.raises(ValueError, match="no execution's name"):
        units("").backend.describe(name)


def test_ended_executions_are_forgotten_in_time(units: Units) -> None:
    unit = units(BEHAVIOURS)
    ended, running = unit.request(Behaviour.SUCCEEDS), unit.request(Behaviour.RUNS)
    unit.backend.start(ended)
    unit.backend.start(running)
    unit.await_end(ended.name)
    await_leave(RunFolder(path=unit.root / ended.name))
    now = utc_now()
    draft = unit.root / ".job_x-1.0000"
    draft.mkdir()
    assert unit.backend.remove_ended(before=now - timedelta(days=1)) == 0
    assert draft.exists()
    assert unit.backend.remove_ended(before=now + timedelta(days=1)) == 1
    assert not draft.exists()
    assert unit.backend.describe(ended.name).state is ExecutionState.UNKNOWN
    assert unit.backend.describe(running.name).state is ExecutionState.RUNNING
