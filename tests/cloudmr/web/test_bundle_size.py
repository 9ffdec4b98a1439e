"""What a page makes a browser load before it can begin, as it travels: compressed."""

from __future__ import annotations

import gzip

import pytest

from cloudmr.web.bundle import STATIC
from page_scripts import loaded_with


def gzip_kb(names: set[str]) -> float:
    return sum(len(gzip.compress((STATIC / name).read_bytes())) for name in names) / 1000


@pytest.mark.parametrize(
    ("script", "most_kb"),
    [("app.js", 20), ("home.js", 5), ("upload.js", 40), ("noise.js", 30), ("results.js", 400), ("compare.js", 400)],
)
def test_pages_stay_light(script: str, most_kb: float) -> None:
    names = loaded_with(STATIC, script)
    assert gzip_kb(names) <= most_kb, {name: round(gzip_kb({name}), 1) for name in names}
