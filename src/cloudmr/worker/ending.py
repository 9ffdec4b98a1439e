"""What a worker's exit code is, whatever its end; the same for a process and a container."""

from __future__ import annotations

import logging
from collections.abc import Callable

from cloudmr.compute.exit_codes import ExitCode
from cloudmr.compute.outcome import Outcome
from cloudmr.worker.errors import NO_ROOM, Unheard
from mroptimum.errors import Cancelled

_log = logging.getLogger(__name__)


def exit_code_of(work: Callable[[], Outcome]) -> ExitCode:
    """Do the work, and return the code that tells what became of it. What is a mistake of ours is raised."""
    try:
        return ExitCode.SUCCEEDED if work().manifest_sha256 else ExitCode.FAILED
    except Cancelled:
        return ExitCode.STOPPED
    except Unheard as error:
        _log.error("%s", error)
        return ExitCode.UNHEARD
    except MemoryError as error:
        _log.error("out of memory: %s", error)
        return ExitCode.OUT_OF_MEMORY
    except OSError as error:
        if error.errno in NO_ROOM:
            _log.error("no room: %s", error)
            return ExitCode.DISK_FULL
        raise
