"""How much memory a file may ask for. A damaged or hostile header can name any size; the file's own size cannot lie."""

from __future__ import annotations

from mroptimum.errors import UnreadableFile

MAX_GROWTH = 64
"""Arrays may be this many times larger than the file: high acceleration, partial Fourier and lossless compression of
zero-filled k-space together stay below it."""


def refuse_if_absurd(wanted_bytes: int, file_bytes: int, what: str) -> None:
    """Raise `UnreadableFile` when `what` would need far more memory than a file of this size can mean."""
    if wanted_bytes > MAX_GROWTH * file_bytes:
        raise UnreadableFile(
            f"{what} would need {wanted_bytes / 2**20:,.0f} MiB, from a file of {file_bytes / 2**20:,.1f} MiB: "
            "a size in its header is damaged.",
            "Export the file again from the scanner.",
        )
