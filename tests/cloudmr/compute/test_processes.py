from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import psutil
import pytest

from cloudmr.compute.processes import ProcessIdentity
from waiting import wait_until


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs until it is ended, the leader of its own group."""
    program = "import signal\nsignal.pause()"
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", program], start_new_session=True) as process:
        yield process
        process.kill()


def test_this_process_is_alive() -> None:
    assert ProcessIdentity.of(os.getpid()).is_alive()


def test_the_identity_of_a_process_stays(child: subprocess.Popen[bytes]) -> None:
    assert ProcessIdentity.of(child.pid) == ProcessIdentity.of(child.pid)


def test_nothing_has_the_identity_of_no_process(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()
    with pytest.raises(psutil.NoSuchProcess):
        ProcessIdentity.of(child.pid)


def test_a_process_that_nobody_waited_for_is_not_alive(child: subprocess.Popen[bytes]) -> None:
    identity = ProcessIdentity.of(child.pid)
    child.kill()
    wait_until(lambda: not identity.is_alive(), what="the end of the process")
    child.wait()
    assert not identity.is_alive()


def test_another_process_of_the_same_number_is_left_alone(child: subprocess.Popen[bytes]) -> None:
    identity = ProcessIdentity.of(child.pid)
    for earlier in (replace(identity, started_s=identity.started_s - 1), replace(identity, boot_id="another run")):
        assert not earlier.is_alive()
        earlier.send(signal.SIGKILL)
        earlier.kill_group()
    assert identity.is_alive()


def test_a_signal_arrives(child: subprocess.Popen[bytes]) -> None:
    ProcessIdentity.of(child.pid).send(signal.SIGTERM)
    assert child.wait() == -signal.SIGTERM


def test_a_group_is_killed_and_waited_for(child: subprocess.Popen[bytes]) -> None:
    identity = ProcessIdentity.of(child.pid)
    identity.kill_group()
    assert not identity.is_alive()
    identity.kill_group()
    assert child.wait() == -signal.SIGKILL
