"""Every block of code in every document is run as it stands, or stands here with the reason why not."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib as mpl
import pytest

from code_blocks import INDENTED, PROSE, ROOT, Block, blocks, documents, run_blocks

RUN_ELSEWHERE = {
    "docs/MODE2-DEPLOYMENT-GUIDE.md": "tests/aws/test_following_the_guide.py",
    "docs/results.md": "tests/mroptimum/cli/test_results_guide.py",
    "docs/scripting.md": "tests/docs/test_scripting_page.py",
}
"""Documents whose blocks a test of their own runs, which looks at what they leave."""

HELD = {
    ("CONTRIBUTING.md", "make check"): "these targets run this very test; that they exist is tested below",
    (
        "README.md",
        "make demo",
    ): "the demonstration is tested in tests/acceptance/test_demo.py, `make test` is what runs this",
    ("README.md", "pip install"): "the raw files are the reader's own; docs/tutorial.md runs the same commands",
    (
        "docs/patient-fields.md",
        "mroptimum inspect",
    ): "the raw file is the reader's own; both commands are tested with cleaned files of every format",
    (
        "README.md",
        "cd mode2-deployment/",
    ): "tests/aws/test_following_the_guide.py follows the guide that has these commands",
    ("README.md", "make serve"): "a Brain does not end by itself; tests/acceptance/test_whole_way.py goes this way",
}
"""Blocks that are not run, by document and how they begin."""

HELD_WHOLE = {
    "docs/api.md": "it is written from the API's own description; tests/docs/test_api_page.py holds it to that",
    "docs/MODE2-QUICK-START.md": "its commands are those of the guide, which is followed",
    "docs/first-run-on-aws.md": "it is for real AWS accounts, whose owner types it",
    "docs/operate-brain.md": "it starts servers and stacks; tests/brain_deployment holds its files",
}
"""Documents none of whose blocks are run here."""

RUNS = ("python", "sh")


def every_block() -> list[Block]:
    return [block for path in documents() for block in blocks(path) if block.language != PROSE]


def is_held(block: Block) -> bool:
    return block.document in HELD_WHOLE or any(
        block.document == document and block.first_line.startswith(start) for document, start in HELD
    )


def is_run(block: Block) -> bool:
    return block.language in RUNS and not is_held(block)


def test_every_block_is_run_or_held_for_a_reason() -> None:
    unaccounted = [
        str(block)
        for block in every_block()
        if not is_run(block) and not is_held(block) and block.document not in RUN_ELSEWHERE
    ]
    assert not unaccounted, "call it python, sh or text, or say in HELD why it is not run"


def test_what_is_held_is_there() -> None:
    for document, start in HELD:
        found = [block for block in every_block() if block.document == document and block.first_line.startswith(start)]
        assert len(found) == 1, (document, start)
    assert all(len(reason.split()) > 3 for reason in HELD.values())
    assert all((ROOT / document).is_file() for document in HELD_WHOLE)
    for document, test in RUN_ELSEWHERE.items():
        assert (ROOT / document).is_file()
        assert Path(document).name in (ROOT / test).read_text(encoding="utf-8")


def run_here() -> list[str]:
    with_code = dict.fromkeys(block.document for block in every_block() if is_run(block))
    return [document for document in with_code if document not in RUN_ELSEWHERE]


@pytest.mark.slow
@pytest.mark.parametrize("document", run_here())
def test_the_code_of_a_document_runs_from_top_to_bottom(document: str, tmp_path: Path) -> None:
    with mpl.rc_context({"backend": "agg"}):
        run_blocks([block for block in blocks(ROOT / document) if is_run(block)], tmp_path)


def test_every_make_target_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = {
        target
        for path in documents()
        for block in blocks(path)
        for target in re.findall(r"^make ([a-z]+)", block.text, re.MULTILINE)
    }
    assert "test" in named
    assert named <= targets


def test_every_link_to_a_file_of_the_repository_leads_somewhere() -> None:
    broken = []
    for path in documents():
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            if "://" not in target and not target.startswith("mailto:") and not (path.parent / target).exists():
                broken.append(f"{path.relative_to(ROOT)} -> {target}")
    assert not broken


def test_every_test_that_is_named_exists() -> None:
    named = {
        name
        for path in documents()
        for name in re.findall(r"\btests/[\w/]+\.py", path.read_text(encoding="utf-8"))
        if path.name != "CHANGELOG.md"
    }
    assert "tests/mroptimum/oracles/test_five_hundred_scans.py" in named
    assert not {name for name in named if not (ROOT / name).is_file()}


def test_images_are_small_and_all_used() -> None:
    used = {
        (path.parent / target).resolve()
        for path in documents()
        for target in re.findall(r"!\[[^\]]*\]\(([^)\s]+)\)", path.read_text(encoding="utf-8"))
        if "://" not in target
    }
    images = {path.resolve() for path in (ROOT / "docs" / "images").iterdir()}
    assert images <= used, "no document shows these"
    too_large = {path.name: path.stat().st_size for path in images if path.stat().st_size > 150_000}
    assert not too_large


def test_blocks_are_found_in_every_form() -> None:
    path = ROOT / "CONTRIBUTING.md"
    [first, *_] = blocks(path)
    assert first.language == INDENTED
    assert first.first_line.startswith("make check")
    assert {block.language for block in blocks(ROOT / "docs" / "results.md")} == {"sh"}
