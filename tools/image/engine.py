"""A container engine of our own for as long as the image is made: Debian's, with its own folder, ended with us."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_START_WITHIN_S = 60
_END_WITHIN_S = 30


@contextmanager
def engine(folder: Path) -> Iterator[Mapping[str, str]]:
    """Start an engine and give the environment in which `docker` reaches it.

    It changes nothing of the machine's network (builds and containers use the host's), and keeps nothing.
    """
    _install()
    socket = f"unix://{folder}/docker.sock"
    command = ["dockerd", "--data-root", str(folder / "data"), "--exec-root", str(folder / "exec")]
    command += ["--pidfile", str(folder / "docker.pid"), "--host", socket, "--group", str(os.getgid())]
    command += ["--iptables=false", "--ip6tables=false", "--bridge=none"]
    # Debian's client comes with, or beside, what builds; another one on this machine may not.
    environment = {**os.environ, "PATH": f"/usr/bin{os.pathsep}{os.environ['PATH']}", "DOCKER_HOST": socket}
    with (folder / "engine.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        _await_start(process, environment, folder / "engine.log")
        yield environment
    finally:
        process.terminate()
        try:
            process.wait(_END_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        # The network that containers share is a mount of the engine's, which outlives it.
        subprocess.run(["umount", *map(str, folder.glob("exec/netns/*"))], capture_output=True, check=False)


def _install() -> None:
    if shutil.which("dockerd") is None:
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        _install_package("docker.io")
    if not Path("/usr/bin/docker").exists():  # packages of their own since Debian 13
        _install_package("docker-cli")
        _install_package("docker-buildx")


def _install_package(name: str) -> None:
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", name]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)


def _await_start(process: subprocess.Popen[bytes], environment: Mapping[str, str], log: Path) -> None:
    deadline = time.monotonic() + _START_WITHIN_S
    while subprocess.run(["docker", "version"], env=environment, capture_output=True, check=False).returncode:
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"The container engine did not start:\n{log.read_text(errors='replace')[-4000:]}")
        time.sleep(0.1)
