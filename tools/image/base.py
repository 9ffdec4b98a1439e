"""A base image without a registry: this machine's own Python, with the libraries it loads, and a small shell.

It stands in for `ARG BASE_IMAGE` of the shipped Dockerfile where no registry can be reached. Only what the Dockerfile
needs of a base image is there; this machine's certificates are, so that packages come the way they come here.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

NAME = "local/python-of-this-machine:base"
_LEFT_OUT = ("/test", "/site-packages", "/__pycache__", "/idlelib", "/share/man")
_LOADED_BY_NAME = (
    *("libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1", "libm.so.6"),
    *("libnss_dns.so.2", "libnss_files.so.2", "libresolv.so.2", "libstdc++.so.6", "libgcc_s.so.1"),
)
_FOLDERS = ("tmp", "bin", "usr/bin", "etc/ssl/certs", "root", "proc", "dev", "sys")
_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"


def make_base(environment: Mapping[str, str]) -> str:
    """Make the image and return its name."""
    prefix = Path(sys.base_prefix)
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for folder in _FOLDERS:
            _add_folder(archive, folder)
        _add_shell(archive)
        archive.add(prefix, str(prefix).lstrip("/"), filter=_kept)
        _add_packages(archive, prefix)
        for library in sorted(_libraries(prefix)):
            archive.add(library.resolve(), str(library).lstrip("/"), filter=_readable)
        for name in ("python", "python3"):
            _add_link(archive, f"usr/bin/{name}", f"{prefix}/bin/python3")
        archive.add(_CERTIFICATES, _CERTIFICATES.lstrip("/"), filter=_readable)
        _add_text(archive, "etc/passwd", "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/tmp:/bin/sh\n")
        _add_text(archive, "etc/nsswitch.conf", "hosts: files dns\n")
    trusting = ("PIP_CERT", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")
    changes = ["ENV PATH=/usr/bin:/bin", *(f"ENV {name}={_CERTIFICATES}" for name in trusting)]
    options = [part for change in changes for part in ("--change", change)]
    command = ["docker", "import", "--platform", "linux/amd64", *options, "-", NAME]
    subprocess.run(command, input=content.getvalue(), env=environment, check=True, capture_output=True)
    return NAME


def _kept(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if any(part in f"/{member.name}" for part in _LEFT_OUT) else _readable(member)


def _readable(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Let everybody read it, whoever it belongs to here."""
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    member.mode |= 0o444 | (0o111 if member.isdir() or member.mode & 0o100 else 0)
    return member


def _add_shell(archive: tarfile.TarFile) -> None:
    busybox = shutil.which("busybox")
    if busybox is None:
        subprocess.run(["apt-get", "install", "-y", "-qq", "busybox-static"], check=True, stdout=subprocess.DEVNULL)
        busybox = "/bin/busybox"
    archive.add(Path(busybox).resolve(), "bin/busybox", filter=_readable)
    for applet in subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split():
        if applet != "busybox":
            _add_link(archive, f"bin/{applet}", "busybox")


def _add_packages(archive: tarfile.TarFile, prefix: Path) -> None:
    """Add pip, which a base image of Python has."""
    packages = next(prefix.glob("lib/python3.*/site-packages"))
    for path in [packages / "pip", *packages.glob("pip-*.dist-info")]:
        archive.add(path, str(path).lstrip("/"), filter=_compiled_left_out)


def _compiled_left_out(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if "/__pycache__" in member.name else _readable(member)


def _libraries(prefix: Path) -> Iterator[Path]:
    """Yield the shared libraries that the interpreter and its modules load."""
    programs: Iterable[Path] = [
        prefix / "bin" / "python3",
        *prefix.glob("lib/*.so*"),
        *prefix.glob("lib/python3.*/lib-dynload/*.so"),
    ]
    found: set[Path] = set()
    said = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=False).stdout
    for line in said.splitlines():
        if library := re.search(r"(?:=> )?(/\S+\.so\S*) \(", line):
            found.add(Path(library[1]))
    cache = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    for name in _LOADED_BY_NAME:
        if library := re.search(rf"^\s*{re.escape(name)} .*x86-64.* => (\S+)$", cache, re.MULTILINE):
            found.add(Path(library[1]))
    yield from (path for path in found if not path.is_relative_to(prefix))


def _add_folder(archive: tarfile.TarFile, name: str) -> None:
    member = tarfile.TarInfo(name)
    member.type, member.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
    archive.addfile(member)


def _add_link(archive: tarfile.TarFile, name: str, target: str) -> None:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, target
    archive.addfile(member)


def _add_text(archive: tarfile.TarFile, name: str, text: str) -> None:
    member = tarfile.TarInfo(name)
    content = text.encode()
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))
