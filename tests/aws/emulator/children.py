"""A program that runs for a function or a task: its own folder, a limit of memory, and a certain end."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.aws.emulator.settings import CHILDREN, SETTINGS, Image

MIB = 1024 * 1024
_LOOK_EVERY_S = 0.02
_running: set[Child] = set()


class Child:
    """One running program. `out_of_memory` says that it was killed for its memory, as AWS kills it."""

    def __init__(
        self,
        image: Image,
        argv: Sequence[str],
        environment: Mapping[str, str],
        *,
        owner: str,
        memory_mib: int | None,
    ) -> None:
        self.id = uuid.uuid4().hex
        self.out_of_memory = False
        self._memory_mib = memory_mib
        self._docker = image.docker
        self._folder = SETTINGS.folder / CHILDREN / self.id
        self._folder.mkdir(parents=True)
        self.log = self._folder / "log"
        if image.docker is not None:
            command, surroundings = self._in_container(image.docker, argv, {**image.environment, **environment})
        else:
            command, surroundings = list(argv), self._surroundings({**image.environment, **environment})
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                env=surroundings,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=image.folder,
                start_new_session=True,
            )
        about = {"owner": owner, "pid": self._process.pid, "argv": list(argv)}
        (self._folder / "about.json").write_text(json.dumps(about))
        _running.add(self)
        threading.Thread(target=self._watch, daemon=True).start()

    @property
    def exit_status(self) -> int | None:
        """What a container engine would call its end (137 for one that was killed), None while it runs."""
        status = self._process.poll()
        return 128 - status if status is not None and status < 0 else status

    @property
    def has_ended(self) -> bool:
        """Whether it has."""
        return self._process.poll() is not None

    def wait(self, timeout_s: float | None = None) -> int:
        """Wait for its end and return the status."""
        self._process.wait(timeout_s)
        status = self.exit_status
        assert status is not None
        return status

    def stop(self, grace_s: float) -> None:
        """Ask it to end, and kill it after the grace."""
        if not self.has_ended:
            self._signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(grace_s)
        self.kill()

    def kill(self) -> None:
        """Kill it and everything it started."""
        if not self.has_ended:
            self._signal(signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def forget(self) -> str:
        """Kill it if it still runs, remove its folder, and return what it printed."""
        self.kill()
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        _running.discard(self)
        shutil.rmtree(self._folder, ignore_errors=True)
        return text

    def _signal(self, number: signal.Signals) -> None:
        if self._docker is not None:
            # Killing the client alone would leave its container running.
            subprocess.run(["docker", "kill", "--signal", number.name, self.id], capture_output=True, check=False)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def _surroundings(self, environment: Mapping[str, str]) -> dict[str, str]:
        own = {"HOME": str(self._folder), "TMPDIR": str(self._folder), "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"}
        return {"PATH": os.environ["PATH"], **own, **environment}

    def _in_container(
        self, name: str, argv: Sequence[str], environment: Mapping[str, str]
    ) -> tuple[list[str], dict[str, str]]:
        command = ["docker", "run", "--rm", "--name", self.id, "--network=host", "--read-only", "--tmpfs", "/tmp:exec"]
        command += ["--volume", f"{SETTINGS.ca_bundle}:{SETTINGS.ca_bundle}:ro"]
        if self._memory_mib is not None:
            command += [f"--memory={self._memory_mib}m", f"--memory-swap={self._memory_mib}m"]
        for key, value in environment.items():
            command += ["--env", f"{key}={value}"]
        return [*command, name, *argv], dict(os.environ)

    def _watch(self) -> None:
        """Kill it once it holds more memory than it may; a container engine does that by itself."""
        if self._docker is not None:
            self.out_of_memory = self._process.wait() == 137
        while not self.has_ended:
            if self._memory_mib is not None and _resident_bytes(self._process.pid) > self._memory_mib * MIB:
                self.out_of_memory = True
                self.kill()
            time.sleep(_LOOK_EVERY_S)
        self._clear_disk()

    def _clear_disk(self) -> None:
        """Remove what it left on its disk, which goes with it; what it printed is yet to be sent elsewhere."""
        for path in self._folder.glob("*"):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            elif path != self.log:
                path.unlink(missing_ok=True)


def end_all() -> None:
    """Kill whatever still runs."""
    for child in list(_running):
        child.forget()


def own_python() -> str:
    """Return the interpreter that the emulator runs in."""
    return sys.executable


def _resident_bytes(pid: int) -> int:
    """Return the memory of a process and of those it started."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        started = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") + sum(_resident_bytes(int(each)) for each in started)
