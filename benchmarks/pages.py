"""What the pages cost a browser: scripts as they travel, and a map from asking to seeing, beside reading it alone.

Run by `make bench` with the tests' environment, which has a browser: `python -m benchmarks.pages`.
"""

from __future__ import annotations

import gzip
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
from playwright.sync_api import Page, sync_playwright

from cloudmr.web.bundle import STATIC
from finished_jobs import Person, person_with_results
from page_scripts import loaded_with
from real_brain import PASSWORD, serving

FLAGS = ("--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-background-networking")
CHROMIUM = "/usr/bin/chromium"
BUDGETS_KB: Mapping[str, float] = {"app.js": 20, "upload.js": 40, "noise.js": 30, "results.js": 400, "compare.js": 400}
"""Of the scripts that a page loads at once, compressed: the first page, then those with more on them."""
SHAPE = (256, 256, 32)
MOST_TIMES_READING = 2.0
_ROUNDS = 9


@dataclass(frozen=True, kw_only=True)
class Cost:
    """One thing that a browser is asked for, and what it may cost."""

    name: str
    value: float
    budget: float
    unit: str

    @property
    def is_within(self) -> bool:
        """Whether the budget holds."""
        return self.value <= self.budget


def scripts() -> Iterator[Cost]:
    """Yield what the scripts of pages weigh."""
    for script, most_kb in BUDGETS_KB.items():
        weight = sum(len(gzip.compress((STATIC / name).read_bytes())) for name in loaded_with(STATIC, script))
        yield Cost(name=f"scripts of {script}, gzip", value=weight / 1000, budget=most_kb, unit="kB")


def map_shown() -> Cost:
    """Return how many times longer a map takes until it is seen than until it is read."""
    values = np.random.default_rng(1).normal(100, 10, SHAPE).astype(np.float32)
    large = gzip.compress(nibabel.Nifti1Image(values, np.eye(4)).to_bytes(), compresslevel=6)
    with (
        tempfile.TemporaryDirectory() as name,
        serving(Path(name)) as brain,
        sync_playwright() as playwright,
        person_with_results(brain, Path(name)) as person,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        page = browser.new_page(viewport={"width": 1280, "height": 860}, base_url=brain.url)
        page.route("**/image.nii.gz*", lambda route: route.fulfill(body=large, content_type="application/gzip"))
        ratios = [_one_round(page, person) for _ in range(_ROUNDS)]
        browser.close()
    shape = " x ".join(map(str, SHAPE))
    return Cost(
        name=f"map of {shape} shown, over read alone",
        value=statistics.median(ratios),
        budget=MOST_TIMES_READING,
        unit="x",
    )


def _one_round(page: Page, person: Person) -> float:
    page.goto(f"/sign-in?next=/jobs/{person.first.id}/results")
    if page.get_by_label("Password").is_visible():
        page.get_by_label("E-mail address").fill(person.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
    page.locator("#results[data-ready='data/snr.nii.gz']").wait_for()
    page.locator("#map").select_option(label="Image")
    page.locator("#results[data-ready='data/image.nii.gz']").wait_for()
    read_ms, shown_ms = (
        float(page.evaluate(f"performance.getEntriesByName('map {name}').at(-1).duration"))
        for name in ("read", "shown")
    )
    return shown_ms / read_ms


def main() -> None:
    """Measure and print; ends with 1 where a budget is missed."""
    costs = [*scripts(), map_shown()]
    for cost in costs:
        print(
            f"{cost.name:55} {cost.value:9.2f} {cost.unit:3} of {cost.budget:g}{'' if cost.is_within else '   MISSED'}"
        )
    sys.exit(0 if all(cost.is_within for cost in costs) else 1)


if __name__ == "__main__":
    main()
