"""Install the static checks that are Node programs, as their lock file says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import hatch_build

FOLDER = Path(__file__).parent / "static"


def main() -> None:
    """Install them below `tools/static`, with the machine's Node or the packaged one."""
    npm, environment = hatch_build.find_npm()
    command = [*npm, "ci", "--omit=dev", "--no-progress"]
    environment = os.environ | environment
    done = subprocess.run(  # noqa: S603 - npm, as the build of the pages calls it
        command, cwd=FOLDER, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"npm ci failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")


if __name__ == "__main__":
    main()
