"""What the operating system is told not to let a worker do."""

from __future__ import annotations

import resource
from collections.abc import Mapping

from cloudmr.compute.base import Resources

_CPU_GRACE_S = 5
"""Between the warning (SIGXCPU, which ends a worker that does not expect it) and the kill."""

_PASSED_ON = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ"),
        *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"),
        *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR"),
    }
)


def apply_limits(resources: Resources) -> None:
    """Limit this process and all it will start, for good. For a child between fork and exec."""
    for kind, soft, hard in (
        (resource.RLIMIT_AS, resources.memory_bytes, resources.memory_bytes),
        (resource.RLIMIT_CPU, resources.cpu_time_s, resources.cpu_time_s + _CPU_GRACE_S),
        (resource.RLIMIT_FSIZE, resources.disk_bytes, resources.disk_bytes),
        (resource.RLIMIT_CORE, 0, 0),  # an image of the memory would hold the patient's data
    ):
        _, present = resource.getrlimit(kind)
        if present != resource.RLIM_INFINITY:  # only root may raise it
            soft, hard = min(soft, present), min(hard, present)
        resource.setrlimit(kind, (soft, hard))


def passed_on(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what a worker may see of the Brain's environment: nothing that could hold a secret of the Brain."""
    return {name: value for name, value in environment.items() if name in _PASSED_ON or name.startswith("LC_")}
