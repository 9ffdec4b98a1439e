"""Emulated AWS accounts: MiniStack with what it leaves out added; started by `tests/support/aws_accounts.py`.

    GATEWAY_PORT=4566 EMULATOR_FOLDER=… AWS_CA_BUNDLE=… AUTH=true USE_SSL=1 … python -m tests.aws.emulator

Each module beside this one says what it adds to one service. MiniStack is young: its version is pinned, and what is
replaced here is named where it is replaced, so that a new version fails loudly instead of behaving otherwise.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

import ministack.app
from tests.aws.emulator import functions, machines, network, rights, stacks, tasks
from tests.aws.emulator.children import end_all


def main() -> None:
    """Put every addition in place and answer until told to end, or until whoever started this is gone."""
    ministack.app._port_is_bindable = lambda *_: False  # It would take port 443, too.
    for room in (rights, network, functions, tasks, machines, stacks):
        room.install()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: _end())
    ministack.app.main()


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    _end()


def _end() -> None:
    end_all()
    os._exit(0)


main()
