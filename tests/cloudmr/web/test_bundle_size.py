"""What a page makes a browser load before it can begin, as it travels: compressed."""

from __future__ import annotations

import gzip
import re

import pytest

from cloudmr.web.bundle import STATIC

_STATIC_IMPORT = re.compile(r"""(?:^|[;}\s])(?:import|export)\s*(?:[\w$*{][^"';()]*from\s*)?["'](\./[^"']+)["']""")


def loaded_with(script: str) -> set[str]:
    """Return a script and all that it imports at once, not what it fetches when it needs it."""
    found: set[str] = set()
    wanted = [script]
    while wanted:
        name = wanted.pop()
        if name not in found:
            found.add(name)
            wanted += [path.removeprefix("./") for path in _STATIC_IMPORT.findall((STATIC / name).read_text())]
    return found


def gzip_kb(names: set[str]) -> float:
    return sum(len(gzip.compress((STATIC / name).read_bytes())) for name in names) / 1000


@pytest.mark.parametrize(
    ("script", "most_kb"),
    [("app.js", 20), ("home.js", 5), ("upload.js", 40), ("noise.js", 30), ("results.js", 400), ("compare.js", 400)],
)
def test_pages_stay_light(script: str, most_kb: float) -> None:
    names = loaded_with(script)
    assert gzip_kb(names) <= most_kb, {name: round(gzip_kb({name}), 1) for name in names}
