"""Building an image that is shipped, and how large it came out."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import zlib
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]


def build(environment: Mapping[str, str], name: str, base: str, *, dockerfile: Path = Path("Dockerfile")) -> None:
    """Build an image by its shipped Dockerfile, from a base made here. Ends with what the engine says if it cannot."""
    began = time.monotonic()
    command = ["docker", "build", "--network=host", "--build-arg", f"BASE_IMAGE={base}", "--tag", name]
    command += ["--file", str(dockerfile), "."]
    # Which files the engine may see stands beside each Dockerfile, which its older builder does not read.
    done = subprocess.run(
        command, cwd=ROOT, env={**environment, "DOCKER_BUILDKIT": "1"}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{dockerfile} could not be built:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    print(f"built from the shipped {dockerfile}: {time.monotonic() - began:.1f} s", flush=True)


def describe(environment: Mapping[str, str], name: str) -> None:
    """Print how large an image is, and as whom it runs what."""
    about = subprocess.run(
        ["docker", "image", "inspect", name], env=environment, capture_output=True, text=True, check=True
    )
    [image] = json.loads(about.stdout)
    print(
        f"size: {image['Size'] / 1e6:.0f} MB, {_packed_bytes(environment, name) / 1e6:.0f} MB packed as for a registry"
    )
    runs = image["Config"]["Entrypoint"] or image["Config"]["Cmd"]
    print(f"runs on {image['Os']}/{image['Architecture']} as {image['Config']['User']}: {runs}", flush=True)


def _packed_bytes(environment: Mapping[str, str], name: str) -> int:
    """Return about what a pull of the image moves: its layers, compressed."""
    n_bytes = 0
    packing = zlib.compressobj(6)
    with subprocess.Popen(["docker", "save", name], env=environment, stdout=subprocess.PIPE) as saved:
        assert saved.stdout is not None
        while piece := saved.stdout.read(1 << 20):
            n_bytes += len(packing.compress(piece))
    return n_bytes + len(packing.flush())
