from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudmr.storage.transfer import attachment


@pytest.mark.parametrize(
    ("filename", "header"),
    [
        ("meas.dat", "attachment; filename=\"meas.dat\"; filename*=UTF-8''meas.dat"),
        ('a"b\\c', "attachment; filename=\"a_b_c\"; filename*=UTF-8''a%22b%5Cc"),
        ("Größe.dat", "attachment; filename=\"Gr__e.dat\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe.dat"),
        ("a\r\nSet-Cookie: x", "attachment; filename=\"aSet-Cookie: x\"; filename*=UTF-8''aSet-Cookie%3A%20x"),
        ("\n", "attachment; filename=\"download\"; filename*=UTF-8''download"),
    ],
)
def test_known_headers(filename: str, header: str) -> None:
    assert attachment(filename) == header


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_name_never_leaves_its_place_in_the_header(filename: str) -> None:
    header = attachment(filename)
    assert header.isascii()
    assert header.isprintable()
    plain, _, exact = header.removeprefix('attachment; filename="').partition("\"; filename*=UTF-8''")
    assert '"' not in plain
    assert ";" not in exact
    assert unquote(exact) == ("".join(c for c in filename if c.isprintable()) or "download")
