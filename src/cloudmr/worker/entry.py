"""Where the unit's one image starts: as a Lambda function where Lambda calls, else as a Fargate task.

    ENTRYPOINT ["python", "-m", "cloudmr.worker.entry"]

Arguments are the handler's name where a function has another one than the worker's.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
from pathlib import Path

_CALLED_BY_LAMBDA = "AWS_LAMBDA_RUNTIME_API"
_MEMORY_MIB = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"
_WORKER = "cloudmr.worker.aws_lambda.handler"


def main(arguments: list[str]) -> None:
    """Serve Lambda's invocations until the sandbox ends, or run one task and end."""
    # Only the temporary folder can be written to.
    os.environ.setdefault("MPLCONFIGDIR", str(Path(tempfile.gettempdir()) / "matplotlib"))
    if _CALLED_BY_LAMBDA not in os.environ:
        from cloudmr.worker.fargate import serve

        serve()
        return
    limit_memory(os.environ.get(_MEMORY_MIB, ""))
    from awslambdaric.__main__ import main as answer_invocations

    answer_invocations(["awslambdaric", *(arguments or [_WORKER])])


def limit_memory(memory_mib: str) -> None:
    """Have an allocation beyond the function's memory refused, which can be told, where the sandbox would be killed."""
    if memory_mib.isascii() and memory_mib.isdecimal():
        n_bytes = int(memory_mib) * 2**20
        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        n_bytes = n_bytes if most == resource.RLIM_INFINITY else min(n_bytes, most)
        resource.setrlimit(resource.RLIMIT_DATA, (n_bytes, most))


if __name__ == "__main__":
    main(sys.argv[1:])
