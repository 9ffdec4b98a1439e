"""The shared vectors: what a file becomes, byte by byte, in every language in which headers are cleaned."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from anonymise_vectors import Vector, inputs, vectors
from mroptimum.rawdata.anonymise.cleaning import anonymise, cleaned

VECTORS = vectors()


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_a_file_becomes_what_the_vector_says(tmp_path: Path, vector: Vector) -> None:
    (tmp_path / "in").write_bytes(vector.input)
    clean = anonymise(tmp_path / "in", tmp_path / "out")
    assert (clean.file_format, clean.fields) == (vector.format, vector.fields)
    assert (tmp_path / "out").read_bytes() == vector.output


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_what_is_clean_stays_as_it_is(tmp_path: Path, vector: Vector) -> None:
    (tmp_path / "out").write_bytes(vector.output)
    with cleaned(tmp_path / "out") as again:
        assert again.fields == ()
        assert again.read(0, again.size_bytes) == vector.output


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_nothing_of_the_person_is_left(vector: Vector) -> None:
    said = re.compile(rb"jane|doe|roe|4711|20240206|general hospital|70\.5|A123|054Y", re.IGNORECASE)
    assert said.search(vector.input)
    assert not said.search(vector.output)
    assert len(vector.output) == len(vector.input)


def test_the_vectors_are_of_the_files_that_are_written_down() -> None:
    assert {vector.name: vector.input for vector in VECTORS} == inputs()
