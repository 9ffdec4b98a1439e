from __future__ import annotations

import time

import pytest

from mroptimum.rawdata.anonymise.blanks import names_of
from mroptimum.rawdata.anonymise.siemens_texts import patches_of_texts


def clean(text: str, *others: str) -> str:
    """Return a text after cleaning, with `others` in the same header."""
    texts = [text.encode("latin-1"), *(other.encode("latin-1") for other in others)]
    starts = [sum(map(len, texts[:number])) for number in range(len(texts))]
    content = bytearray(b"".join(texts))
    for patch in patches_of_texts(list(zip(starts, texts, strict=True))):
        content[patch.position : patch.position + len(patch.content)] = patch.content
    return bytes(content[: len(texts[0])]).decode("latin-1")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('<ParamString."tPatientName"> { "Doe^Jane" }', '<ParamString."tPatientName"> { "xxxxxxxx" }'),
        ('<ParamString."tPatientName">{ "Müller" }', '<ParamString."tPatientName">{ "xxxxxx" }'),
        (
            '<ParamString."PatientName"> { <Visible> "true" "Doe {Jane} }" "more" }',
            '<ParamString."PatientName"> { <Visible> "true" "xxxxxxxxxxxx" "xxxx" }',
        ),
        (
            '<ParamDouble."flPatientAge">\n{\n <Precision> 6 \n 54.000000 \n}',
            '<ParamDouble."flPatientAge">\n{\n <Precision> 6 \n 00.000000 \n}',
        ),
        (
            '<ParamDouble."flPatientHeight"> { <Unit> "[mm]" <LimitRange> { 0 2500 } 1720.5 }',
            '<ParamDouble."flPatientHeight"> { <Unit> "[mm]" <LimitRange> { 0 2500 } 0000.0 }',
        ),
        (
            '<ParamArray."StudyComment"> { <DefaultSize> 1 <Default> <ParamString."">{ } { "moved" { "twice" } } }',
            '<ParamArray."StudyComment"> { <DefaultSize> 1 <Default> <ParamString."">{ } { "xxxxx" { "xxxxx" } } }',
        ),
        ('tPatientName = "Doe"\r\n', 'tPatientName = "xxx"\r\n'),
        ('sStudy.tPatientName\t = \t""Doe^Jane""\n', 'sStudy.tPatientName\t = \t""xxxxxxxx""\n'),
        ('tReferenceImage2[0] = "1.3.12.2"\n', 'tReferenceImage2[0] = "xxxxxxxx"\n'),
    ],
)
def test_values_are_blanked_and_nothing_else(text: str, expected: str) -> None:
    assert clean(text) == expected
    assert clean(expected) == expected


@pytest.mark.parametrize(
    "text",
    [
        '<ParamString."tPatientPosition"> { "HFS" }',
        '<ParamString."tPatientName"> { }',
        '<ParamString."tPatientName"> { "" }',
        '<ParamMap."Patient"> { <ParamLong."RegisterID"> { 4 } }',
        '<Comment> "Parameters regarding ICE"',
        "alTR[0] = 100000\n",
        '<ParamString."tPatientName"> "no braces"',
    ],
)
def test_what_names_nobody_stays(text: str) -> None:
    assert clean(text) == text


NAMED = '<ParamString."tPatientName"> { "Doe^Jane_Mary" } <ParamString."StudyLOID"> { "1.3.12.2.11" }'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('tProtocolName = "gre_JANE_1"\n', 'tProtocolName = "gre_xxxx_1"\n'),
        (
            '<ParamString."x"> { "doe" "for Mary, 1.3.12.2.11!" }',
            '<ParamString."x"> { "xxx" "for xxxx, xxxxxxxxxxx!" }',
        ),
        ('<ParamString."JaneDoe"> { "1" }', '<ParamString."JaneDoe"> { "1" }'),
        ("Jane = 3\n", "Jane = 3\n"),
    ],
)
def test_values_are_found_again_in_quoted_text_of_other_parts(text: str, expected: str) -> None:
    assert clean(text, NAMED) == expected


def test_common_words_are_no_names() -> None:
    """A phantom is often the patient: its coils, protocols and the header itself keep their words."""
    named = '<ParamString."tPatientName"> { "Phantom^Test" }'
    assert clean('tCoil = "PhantomArray"\nt = "test"\n', named) == 'tCoil = "PhantomArray"\nt = "test"\n'


def test_repetitions_have_a_name_of_their_own() -> None:
    texts = [(0, NAMED.encode()), (1000, b'tProtocolName = "gre_Jane"\n')]
    assert names_of(patches_of_texts(texts)) == ("StudyLOID", "repeated in other texts", "tPatientName")


@pytest.mark.parametrize(
    "text",
    [
        b'<ParamString."tPatientName"> { "' * 10_000,
        b'<ParamString."tPatientName"> { ' * 10_000,
        b'<ParamArray."StudyComment"> { <a> <b> ' * 10_000,
        b'tPatientName = "' * 20_000,
        b'"' * 500_000,
        b"{" * 500_000,
        b'<ParamString."tPatientName"> { "Jane" }' + b'"Jan' * 200_000,
    ],
)
def test_damaged_texts_take_no_longer_than_whole_ones(text: bytes) -> None:
    started = time.process_time()
    for _ in patches_of_texts([(0, text)]):
        pass
    assert time.process_time() - started < 5
