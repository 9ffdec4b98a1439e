"""The folder where the client keeps what it has to know the next time."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from cloudmr.client.errors import LocalFileError


def client_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder: `CLOUDMR_CONFIG`, else `cloudmr` below `XDG_CONFIG_HOME`, else `~/.config/cloudmr`."""
    if own := environment.get("CLOUDMR_CONFIG"):
        return Path(own).expanduser()
    configuration = environment.get("XDG_CONFIG_HOME")
    # As the XDG specification demands, a relative path counts as none.
    if configuration and Path(configuration).is_absolute():
        return Path(configuration) / "cloudmr"
    return Path("~/.config/cloudmr").expanduser()


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all. Raise `LocalFileError`."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
    except OSError as error:
        raise LocalFileError.of(path, error) from None


def read_private(path: Path) -> str | None:
    """Return what is in such a file, None if there is none. Raise `LocalFileError`."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LocalFileError.of(path, error) from None


def forget(path: Path) -> None:
    """Remove such a file; of an absent one, do nothing. Raise `LocalFileError`."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise LocalFileError.of(path, error) from None
