"""Parts of the installation that a command needs and that may be absent: how to say so, and how to get them."""

from __future__ import annotations

from mroptimum.errors import MissingExtra

_EXTRA_OF = {
    "httpx": "client",
    "psutil": "worker",
    "alembic": "server",
    "argon2": "server",
    "boto3": "aws",
    "botocore": "aws",
    "fastapi": "server",
    "sqlalchemy": "server",
    "starlette": "server",
    "uvicorn": "server",
}


def missing_extra(error: ModuleNotFoundError) -> MissingExtra | None:
    """Return what a failed import means to a person; None if the module is no part of an extra."""
    package = (error.name or "").partition(".")[0]
    extra = _EXTRA_OF.get(package)
    if extra is None:
        return None
    return MissingExtra(
        f"This command needs {package}, which is not installed.",
        f"Install the part {extra}: pip install 'mroptimum[{extra}]'",
    )
