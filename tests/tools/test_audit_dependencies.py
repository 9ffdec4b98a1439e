from __future__ import annotations

import json
from pathlib import Path

import pytest
from tools import audit_dependencies
from tools.audit_dependencies import Audit, Finding, main, read_report, verdict

GOOD = {"name": "numpy", "version": "2.4.0", "vulns": []}
BAD = {
    "name": "jinja2",
    "version": "2.4.1",
    "vulns": [{"id": "PYSEC-2019-217", "aliases": ["CVE-2016-10745"], "fix_versions": ["2.8.1"], "description": "…"}],
}
UNKNOWN = {"name": "cloudmr", "skip_reason": "Dependency not found on PyPI and could not be audited: cloudmr (1)"}


def report(*packages: object) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


def test_a_known_vulnerability_fails_and_is_named_with_what_mends_it() -> None:
    may_be_used, lines = verdict("dev.txt", read_report(report(GOOD, BAD, UNKNOWN)))
    assert not may_be_used
    assert "  jinja2 2.4.1: PYSEC-2019-217, CVE-2016-10745 (mended in 2.8.1)" in lines


def test_none_is_good_and_what_nothing_is_told_of_is_named() -> None:
    may_be_used, lines = verdict("dev.txt", read_report(report(GOOD, UNKNOWN)))
    assert may_be_used
    assert lines == ["dev.txt: 0 known vulnerabilities in 1 packages.", "  nothing is told of 1: cloudmr"]


@pytest.mark.parametrize("text", ["", "Traceback (most recent call last): …", report(), report(UNKNOWN)])
def test_silence_is_said_and_is_no_failure(text: str) -> None:
    may_be_used, [line] = verdict("dev.txt", read_report(text))
    assert may_be_used
    assert "not checked" in line


def test_one_bad_lock_file_among_several_ends_with_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    audits = {
        Path("good.txt"): Audit(n_asked=1),
        Path("bad.txt"): Audit(n_asked=1, findings=(Finding(package="x", version="1", name="CVE-1"),)),
    }
    monkeypatch.setattr(audit_dependencies, "audit", audits.__getitem__)
    assert main(["bad.txt", "good.txt"]) == 1
    assert "x 1: CVE-1 (not mended yet)" in capsys.readouterr().out
    assert main(["good.txt"]) == 0


def test_without_an_answer_the_real_question_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A proxy that is not there stands for a network that is not."""
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    (tmp_path / "lock.txt").write_text(f"jinja2==2.4.1 --hash=sha256:{'0' * 64}\n")
    assert main([str(tmp_path / "lock.txt")]) == 0
    assert "not checked" in capsys.readouterr().out
