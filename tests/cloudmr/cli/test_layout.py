from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from cloudmr.cli.app import app
from cloudmr.cli.layout import Record, Table, in_bytes, local_time, printable


def test_defaults_are_told_in_the_help() -> None:
    said = CliRunner().invoke(app, ["job", "download", "--help"], env={"COLUMNS": "160"})
    assert "[default: the job's id]" in said.output


def test_columns_are_aligned_and_nothing_is_cut_off() -> None:
    table = Table(columns=("id", "name"), rows=(("data_1", "a"), ("x", "a name " * 30)))
    head, first, second = table.lines()
    assert head == "ID      NAME"
    assert first == "data_1  a"
    assert second == f"x       {'a name ' * 30}".rstrip()


def test_a_table_without_rows_says_what_there_could_be() -> None:
    assert list(Table(columns=("id", "name"), rows=()).lines()) == ["ID  NAME"]


def test_a_record_leaves_out_what_is_empty() -> None:
    record = Record(fields=(("id", "job_1"), ("ended", ""), ("long name", "x")))
    assert list(record.lines()) == ["id         job_1", "long name  x"]


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (999_499, "999 kB"),
        (999_500, "1 MB"),
        (16_627_712, "16.6 MB"),
        (5 * 10**15, "5e+03 TB"),
    ],
)
def test_sizes_have_three_digits(n_bytes: int, text: str) -> None:
    assert in_bytes(n_bytes) == text


def test_what_could_steer_a_terminal_is_not_printed() -> None:
    assert printable("meas\x1b[2J\r\n.dat") == "meas�[2J��.dat"


def test_a_name_of_somebody_elses_cannot_steer_a_terminal() -> None:
    table = Table(columns=("name",), rows=(("\x1b[31mred\nline",),))
    record = Record(fields=(("name", "\x1b[31mred"),))
    assert all(line.isprintable() for line in (*table.lines(), *record.lines()))


@given(st.text())
def test_what_is_printed_is_one_line_of_the_same_length(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert len(shown) == len(text)


def test_moments_are_shown_in_local_time() -> None:
    moment = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    assert local_time(moment) == moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    assert local_time(None) == ""
