from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudmr.model.csv_text import csv_lines

PLAIN = st.text(alphabet=st.characters(exclude_characters="\x00"), max_size=20).filter(
    lambda text: not text.startswith(("=", "+", "-", "@", "\t", "\r"))
)


@given(rows=st.lists(st.tuples(PLAIN, st.integers()), max_size=5))
def test_what_is_written_is_read_again(rows: list[tuple[str, int]]) -> None:
    text = "".join(csv_lines(("name", "count"), rows))
    read = list(csv.reader(io.StringIO(text, newline="")))
    assert read == [["name", "count"], *([name, str(count)] for name, count in rows)]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert list(csv_lines(("a",), [(text,)]))[1].lstrip('"').startswith("'")


def test_numbers_stay_numbers_and_nothing_is_empty() -> None:
    assert list(csv_lines(("a", "b"), [(-1, None)]))[1] == "-1,\r\n"
