"""Brains as processes of their own, that can be killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass
class BrainProcess:
    """`cloudmr serve` with a home; `variables` are its settings. It answers at `url` once it is started."""

    home: Path
    variables: dict[str, str]
    url: str = ""

    def start(self) -> None:
        """Start it, at the port it had before if it had one; return when it answers."""
        port = self.url.rpartition(":")[2] or "0"
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if name[:8] not in {"CLOUDMR_", "DATABASE"}}
        with (self.home / "brain.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cloudmr.cli", "serve", "--host", "127.0.0.1", "--port", port, "--json"],
                env=kept | self.variables | {"CLOUDMR_HOME": str(self.home)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                # Where cores are shared among sessions, it has its share, whoever else is in the one it comes from.
                start_new_session=True,
            )
        assert self.process.stdout is not None
        text = ""
        for line in self.process.stdout:
            text += line
            if line.startswith("}"):
                break
        said = json.loads(text or "{}")
        assert "url" in said, f"it did not start: {said}\n{(self.home / 'brain.log').read_text()[-2000:]}"
        self.url = said["url"]

    def kill(self) -> None:
        """End it as a power failure would."""
        self.process.kill()
        self._forget()

    def stop(self) -> None:
        """End it as an operator would."""
        self.process.terminate()
        self._forget()

    def _forget(self) -> None:
        self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()
