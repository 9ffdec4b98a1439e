"""docs/failures.md tells of every trouble with a unit in AWS, by its code and under the guide's headings."""

from __future__ import annotations

import pytest

from cloudmr.deploy.troubles import Heading, Trouble
from code_blocks import ROOT

PAGE = (ROOT / "docs" / "failures.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## Making a unit in an AWS account\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("trouble", Trouble)
def test_each_trouble_is_told_of(trouble: Trouble) -> None:
    assert f"`{trouble}`" in SECTION


@pytest.mark.parametrize("heading", sorted(set(Heading) - {Heading.SECURITY}))
def test_the_headings_are_the_guides(heading: Heading) -> None:
    assert f"### {heading}\n" in SECTION
