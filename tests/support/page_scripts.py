"""Which scripts a page loads before it can begin."""

from __future__ import annotations

import re
from pathlib import Path

_STATIC_IMPORT = re.compile(r"""(?:^|[;}\s])(?:import|export)\s*(?:[\w$*{][^"';()]*from\s*)?["'](\./[^"']+)["']""")


def loaded_with(folder: Path, script: str) -> set[str]:
    """Return a script of a bundle and all that it imports at once, not what it fetches when it needs it."""
    found: set[str] = set()
    wanted = [script]
    while wanted:
        name = wanted.pop()
        if name not in found:
            found.add(name)
            wanted += [path.removeprefix("./") for path in _STATIC_IMPORT.findall((folder / name).read_text())]
    return found
