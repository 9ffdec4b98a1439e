"""The pages' scripts and styles, made from `web/` when the package is built or installed from source."""

from __future__ import annotations

from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).with_name("static")
STAMP = "bundle-hash"
_FOR_EVER = "public, max-age=31536000, immutable"


def bundle_hash() -> str | None:
    """Return what the present bundle was made of; None where there is none."""
    stamp = STATIC / STAMP
    return stamp.read_text() if stamp.is_file() else None


class BundleFiles(StaticFiles):
    """Serves the bundle at an address that carries its hash, so that browsers may keep it for ever."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC, check_dir=False)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file of the bundle, whatever hash it was asked for by."""
        response = await super().get_response(path.partition("/")[2], scope)
        response.headers["Cache-Control"] = _FOR_EVER
        return response
