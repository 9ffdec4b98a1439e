"""Ask whether a known vulnerability is in what the lock files name (`python -m tools.audit_dependencies FILE…`).

Ends with 1 for a known vulnerability, with 0 for none. Without a network, or where the registry in use tells nothing of
vulnerabilities, nothing can be asked, which is said and is no failure: another machine, or another day, will ask.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_LIMIT_S = 300
_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A known vulnerability of a package that is used, and the versions that do not have it."""

    package: str
    version: str
    name: str
    fixed_in: tuple[str, ...] = ()

    def __str__(self) -> str:
        mended = f"mended in {', '.join(self.fixed_in)}" if self.fixed_in else "not mended yet"
        return f"{self.package} {self.version}: {self.name} ({mended})"


@dataclass(frozen=True, kw_only=True)
class Audit:
    """What was asked of one lock file, and what came of it."""

    n_asked: int = 0
    unknown: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = field(default_factory=tuple)

    @property
    def is_silent(self) -> bool:
        """Whether nothing was told of any package."""
        return self.n_asked == len(self.unknown)


def read_report(text: str) -> Audit:
    """Return what a report of pip-audit says; of what is no report, that nothing was told."""
    try:
        report: dict[str, Any] = json.loads(text)
    except ValueError:
        return Audit()
    packages = report["dependencies"]
    return Audit(
        n_asked=len(packages),
        unknown=tuple(package["name"] for package in packages if "skip_reason" in package),
        findings=tuple(
            Finding(
                package=package["name"],
                version=package["version"],
                name=", ".join((found["id"], *found.get("aliases", ()))),
                fixed_in=tuple(found.get("fix_versions", ())),
            )
            for package in packages
            for found in package.get("vulns", ())
        ),
    )


def audit(lock_file: Path) -> Audit:
    """Ask about every package that a lock file names."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(lock_file), "--disable-pip", "--timeout", "15"]
    try:
        ended = subprocess.run(  # noqa: S603 - this program and a file of ours
            [*command, "--format", "json", "--progress-spinner", "off"],
            capture_output=True,
            text=True,
            timeout=_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Audit()
    return read_report(ended.stdout)


def verdict(name: str, found: Audit) -> tuple[bool, list[str]]:
    """Return whether a lock file may be used, and what to say of it."""
    if found.is_silent:
        return True, [f"{name}: not checked for known vulnerabilities: no network, or a registry that tells nothing."]
    lines = [f"{name}: {len(found.findings)} known vulnerabilities in {found.n_asked - len(found.unknown)} packages."]
    lines += [f"  {finding}" for finding in found.findings]
    if found.unknown:
        more = ", …" if len(found.unknown) > _SHOWN else ""
        lines.append(f"  nothing is told of {len(found.unknown)}: {', '.join(found.unknown[:_SHOWN])}{more}")
    return not found.findings, lines


def main(names: Sequence[str]) -> int:
    """Ask about these lock files, and return how to end."""
    is_good = True
    for name in names:
        may_be_used, lines = verdict(name, audit(Path(name)))
        print("\n".join(lines))
        is_good = is_good and may_be_used
    if not is_good:
        print("Next: raise the versions in pyproject.toml, then `make lock`.")
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
