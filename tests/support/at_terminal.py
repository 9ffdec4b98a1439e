"""A command at a real terminal (a pty): what it asks is waited for, and answered."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from waiting import wait_until

_LONGEST_S = 180.0
_STEP_S = 0.5


@dataclass
class Conversation:
    """What was shown so far, and the process that shows it."""

    process: subprocess.Popen[bytes]
    terminal: int
    shown: str = ""
    _read_until: int = field(default=0)

    def answers(self, question: str, typed: str) -> None:
        """Wait for a question after the last one, and type an answer and Enter."""
        self.waits_for(question)
        os.write(self.terminal, f"{typed}\n".encode())

    def answers_hidden(self, question: str, typed: str) -> None:
        """The same for what is not shown: what is typed before the terminal hides it is thrown away."""
        self.waits_for(question)
        wait_until(self._hides, what="the terminal to hide what is typed", deadline_s=_LONGEST_S)
        os.write(self.terminal, f"{typed}\n".encode())

    def waits_for(self, text: str) -> None:
        """Wait until a text is shown after the last one that was waited for."""
        deadline = time.monotonic() + _LONGEST_S
        while (at := self.shown.find(text, self._read_until)) < 0:
            assert time.monotonic() < deadline, f"{text!r} is not shown after:\n{self.shown[-3000:]}"
            assert self._read(), f"it ended without {text!r}:\n{self.shown[-3000:]}"
        self._read_until = at + len(text)

    def ends(self) -> int:
        """Wait for its end, and return the exit code."""
        deadline = time.monotonic() + _LONGEST_S
        while self._read():
            assert time.monotonic() < deadline, f"it does not end:\n{self.shown[-3000:]}"
        return self.process.wait(_LONGEST_S)

    def _hides(self) -> bool:
        _, _, _, local_modes, *_ = termios.tcgetattr(self.terminal)
        return not local_modes & termios.ECHO

    def _read(self) -> bool:
        """Read what is shown now; tell whether there may be more."""
        ready, _, _ = select.select([self.terminal], [], [], _STEP_S)
        if not ready:
            return self.process.poll() is None
        try:
            some = os.read(self.terminal, 65536)
        except OSError:  # how Linux says that nobody holds the other end any more
            return False
        self.shown += some.decode(errors="replace")
        return bool(some)


@contextmanager
def at_terminal(command: Sequence[str], *, environment: Mapping[str, str], cwd: Path) -> Iterator[Conversation]:
    """Start a command at a terminal of its own; it is ended afterwards if it has not."""
    ours, its = pty.openpty()
    process = subprocess.Popen(
        command, stdin=its, stdout=its, stderr=its, env=dict(environment), cwd=cwd, start_new_session=True
    )
    os.close(its)
    try:
        yield Conversation(process=process, terminal=ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
