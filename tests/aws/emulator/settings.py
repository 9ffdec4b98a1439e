"""What the emulated accounts are started with: a folder that holds everything they need and leave behind."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

IMAGES = "images.json"
CALLS = "calls.jsonl"
CHILDREN = "children"


@dataclass(frozen=True, kw_only=True)
class Image:
    """What an image's address stands for on this machine: a program to start, or an image of a container engine.

    `argv` is its entry point; `docker` is the name of an image that the engine has, and then `argv` is the image's own.
    """

    argv: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: str = "/"
    docker: str | None = None


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where the emulator answers, whom its children are to trust, and its folder."""

    url: str
    ca_bundle: Path
    folder: Path

    @classmethod
    def from_environment(cls) -> Settings:
        """Return the settings that `tests/support/aws_accounts.py` started this process with."""
        return cls(
            url=f"https://127.0.0.1:{os.environ['GATEWAY_PORT']}",
            ca_bundle=Path(os.environ["AWS_CA_BUNDLE"]),
            folder=Path(os.environ["EMULATOR_FOLDER"]),
        )

    def image(self, uri: str) -> Image | None:
        """Return what an image's address stands for, None where there is no such image; looked up at each start."""
        known = json.loads((self.folder / IMAGES).read_text())
        found = known.get(uri)
        return None if found is None else Image(**{**found, "argv": tuple(found.get("argv", ()))})

    def child_environment(self, region: str) -> dict[str, str]:
        """Return what every child needs in order to reach the emulator instead of AWS."""
        return {
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_CA_BUNDLE": str(self.ca_bundle),
            "SSL_CERT_FILE": str(self.ca_bundle),
            "AWS_EC2_METADATA_DISABLED": "true",
        }


SETTINGS = Settings.from_environment()
