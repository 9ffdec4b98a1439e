"""The guides of mode 2 have all that their users know: every command, row and point, or the reason why not.

Their figures are those that the code computes.
"""

from __future__ import annotations

import re
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cloudmr.deploy.options import OPTIONS
from cloudmr.model.platforms import FARGATE_SIZES, LAMBDA_DEADLINE_S, LAMBDA_SIZE, MachineSize, Platform
from cloudmr.model.prices import Price, PriceSet, price_book, price_of
from cloudmr.settings import Settings
from code_blocks import ROOT

DECISION = "docs/decisions/0017-where-the-guides-were-changed.md"
PARTS: list[dict[str, Any]] = tomllib.loads((Path(__file__).parent / "guides.toml").read_text("utf-8"))["part"]
COMPARISON, GUIDE = (
    (ROOT / "docs" / f"{name}.md").read_text("utf-8") for name in ("MODE1-VS-MODE2", "MODE2-DEPLOYMENT-GUIDE")
)
HUNDRED_MB = 100 * 10**6
WORDS_A_MINUTE = 200
"""How fast people read."""


def section(document: str, heading: str) -> str:
    """Return what stands under a heading, with what stands under smaller ones below it."""
    text = (ROOT / document).read_text("utf-8")
    found = [match for match in re.finditer(r"^(#+) (.*)$", text, re.MULTILINE) if match[2] == heading]
    assert len(found) == 1, (document, heading)
    rest = text[found[0].end() :]
    following = re.search(rf"^#{{1,{len(found[0][1])}}} \S", _without_code(rest), re.MULTILINE)
    return rest[: following.start()] if following else rest


def _without_code(text: str) -> str:
    """Blank what is fenced, at its length: comments in a shell look like headings."""
    return re.sub(
        r"^ *```.*?^ *```$", lambda match: re.sub(r"[^\n]", " ", match[0]), text, flags=re.MULTILINE | re.DOTALL
    )


def words(text: str) -> str:
    return " ".join(text.split())


def as_typed(text: str) -> str:
    """Return the fenced lines of a text as a shell has them: a continued line is one."""
    fenced = "\n".join(re.findall(r"^ *```\w+\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL))
    lines = re.sub(r"\\\n\s*", " ", fenced).splitlines()
    return "\n".join(words(line) for line in lines)


def cells(row: str) -> list[str]:
    return [cell.strip().strip("*") for cell in row.strip("|").split("|")]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part["of"])
def test_what_users_know_is_in_ours(part: dict[str, Any]) -> None:
    text = section(part["document"], part["under"])
    rows = {cells(line)[0]: line for line in text.splitlines() if line.startswith("|")}
    missing = [command for command in part.get("commands", ()) if words(command) not in as_typed(text)]
    missing += [row for first, *others in part.get("rows", ()) for row in [first] if not _is_row(rows, first, others)]
    missing += [theirs for theirs, ours in part.get("points", ()) if words(ours) not in words(text)]
    assert not missing


def _is_row(rows: dict[str, str], first: str, others: list[str]) -> bool:
    return first in rows and all(other in rows[first] for other in others)


def test_commands_come_in_the_order_they_are_known_in() -> None:
    for part in PARTS:
        typed = as_typed(section(part["document"], part["under"]))
        position = 0
        for command in part.get("commands", ()):
            position = typed.find(words(command), position)
            assert position >= 0, (part["of"], command)
            position += 1


def test_what_ours_say_otherwise_has_its_reason() -> None:
    reasons = set(re.findall(r"^## (.*)$", (ROOT / DECISION).read_text("utf-8"), re.MULTILINE))
    used = set()
    for part in PARTS:
        theirs = {entry[0] for kind in ("rows", "points") for entry in part.get(kind, ())} | set(
            part.get("commands", ())
        )
        for what, why in part.get("changed", {}).items():
            assert what in theirs, what
            used.add(why)
    assert used == reasons


@pytest.mark.parametrize("document", ["MODE1-VS-MODE2", "MODE2-DEPLOYMENT-GUIDE", "MODE2-QUICK-START"])
def test_links_to_a_heading_lead_to_one(document: str) -> None:
    text = (ROOT / "docs" / f"{document}.md").read_text("utf-8")
    for file, anchor in re.findall(r"\]\(([\w./-]*)#([\w-]+)\)", text):
        target = ROOT / "docs" / (file or f"{document}.md")
        headings = re.findall(r"^#+ (.*)$", _without_code(target.read_text("utf-8")), re.MULTILINE)
        slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert anchor in slugs, (file, anchor)


@pytest.mark.parametrize(
    "heading", ["For deployment (deploy-mode2.sh)", "For registration (register-computing-unit.sh)"]
)
def test_variables_have_the_defaults_that_the_code_has(heading: str) -> None:
    of_code = {variable: option for option in OPTIONS for variable in option.variables}
    lines = section("docs/MODE2-DEPLOYMENT-GUIDE.md", heading).splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]
    assert rows
    for name, is_required, default, _ in rows:
        option = of_code[name.strip("`")]
        said = {"-": None, "Auto-detect": None, "default": None}.get(default, default)
        assert option.default == said, name
        if is_required == "Yes":
            assert option.default is None, name


def test_the_quick_start_takes_two_minutes() -> None:
    text = (ROOT / "docs" / "MODE2-QUICK-START.md").read_text("utf-8")
    assert len(text.split()) <= 2 * WORDS_A_MINUTE


def ten_minutes(platform: Platform, price_set: PriceSet) -> Price:
    size = LAMBDA_SIZE if platform is Platform.LAMBDA else MachineSize(vcpu=4, memory_bytes=8 * 2**30)
    return price_of(platform, size, seconds=600, input_bytes=HUNDRED_MB, price_set=price_set)


def dollars(price: Price, item: str, digits: int) -> str:
    [line] = [line for line in price.lines if line.item == item]
    return f"${round(line.dollars, digits)}"


def test_the_price_of_a_job_is_computed_as_the_table_says() -> None:
    fargate, small = (ten_minutes(platform, PriceSet.GUIDE) for platform in (Platform.FARGATE, Platform.LAMBDA))
    table = {
        row[0]: row[-1]
        for line in section("docs/MODE1-VS-MODE2.md", "Mode 2: you pay").splitlines()
        if (row := cells(line))
    }
    assert table["Fargate vCPU"] == dollars(fargate, "Fargate vCPU", 3)
    assert table["Fargate RAM"] == dollars(fargate, "Fargate memory", 3)
    assert table["Lambda"] == dollars(small, "Lambda", 3)
    assert table["S3 Storage"] == dollars(fargate, "S3 storage", 3)
    assert table["Step Functions"] == dollars(fargate, "Step Functions", 2)
    assert f"on Fargate ${round(fargate.dollars, 3)}, on Lambda ${round(small.dollars, 3)}" in COMPARISON
    assert all(Decimal("0.03") <= price.dollars <= Decimal("0.05") for price in (fargate, small))
    assert "4 transitions" in next(line.quantity for line in fargate.lines if line.item == "Step Functions")


def test_other_sums_are_computed_too() -> None:
    guide = price_book().sets[PriceSet.GUIDE]
    listed = ten_minutes(Platform.FARGATE, PriceSet.LIST)
    computing = sum(line.dollars for line in listed.lines if line.item.startswith("Fargate"))
    assert f"the computing of the same job costs ${round(computing, 4)}" in words(COMPARISON)
    assert f"10 GB, **${round(10 * guide.s3_gb_month, 2)}/month**" in COMPARISON
    assert f"that is {2 / guide.s3_gb_month:.0f} GB" in COMPARISON
    assert dollars(ten_minutes(Platform.LAMBDA, PriceSet.GUIDE), "Lambda", 4) + " for 10 min at 3008 MB" in GUIDE
    assert f"${guide.s3_thousand_puts + guide.s3_thousand_gets} per 1K files written and read" in GUIDE
    assert f"S3 storage: ${round(guide.s3_gb_month / 10, 4)} a month for 100 MB" in GUIDE
    assert all(words(left) in words(COMPARISON) for left in price_book().left_out)


def test_limits_are_those_of_the_code() -> None:
    settings = Settings(home=Path("/nowhere"))
    said = words(COMPARISON)
    assert f"{settings.n_running_each} jobs running, {settings.n_queued_each} waiting" in said
    assert f"and {settings.n_monthly_each} in a calendar month" in said
    assert f"{settings.max_stored_bytes_each // 10**9} GB of data files" in said
    assert f"data files stay {settings.input_days} days, results {settings.result_days}." in said
    assert (LAMBDA_SIZE.vcpu, LAMBDA_SIZE.memory_bytes) == (1.7, 3008 * 2**20)
    assert LAMBDA_DEADLINE_S == 15 * 60
    assert (FARGATE_SIZES[-1].vcpu, FARGATE_SIZES[-1].memory_bytes) == (16, 120 * 2**30)
    # AWS gives a Lambda function one processor for each 1769 MB.
    assert (round(3008 / 1769, 1), round(10240 / 1769, 1)) == (1.7, 5.8)
