"""A comparison as files: ratio maps as NIfTI, every number as JSON, and one page that shows the maps side by side."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from mroptimum.comparison.differences import STATED_ERROR_IN_WORDS, ratio
from mroptimum.comparison.packages import Comparison, Pair
from mroptimum.comparison.page import Compared, comparison_page, facts_of
from mroptimum.export.nifti import Volume, nifti_file
from mroptimum.package import ResultPackage

PAGE = "comparison.html"
NUMBERS = "comparison.json"


def write_comparison(folder: Path, comparison: Comparison, a: ResultPackage, b: ResultPackage) -> dict[str, Any]:
    """Write `comparison.html`, `comparison.json` and `ratio_*.nii.gz` (B / A) into a folder that is there and empty.

    Return what `comparison.json` holds.
    """
    compared = []
    files = {}
    for pair in comparison.pairs:
        ratios = tuple(
            replace(of_a, data=ratio(of_a.data, of_b.data))
            for of_a, of_b in zip(pair.volumes_a, pair.volumes_b, strict=True)
        )
        files[pair.id] = [_write_ratio(folder, pair, volume, number) for number, volume in enumerate(ratios, start=1)]
        compared.append(Compared(pair=pair, ratios=ratios))
    (folder / PAGE).write_text(comparison_page(comparison, compared, a, b), encoding="utf-8")
    content = {
        "schema": 1,
        "a": asdict(facts_of(a)),
        "b": asdict(facts_of(b)),
        "only_in_a": list(comparison.only_in_a),
        "only_in_b": list(comparison.only_in_b),
        "stated_errors": STATED_ERROR_IN_WORDS,
        "maps": [
            {
                "id": pair.id,
                "name": pair.name,
                "unit": pair.unit,
                "ratio_files": files[pair.id],
                "regions": [_row(pair, index) for index in range(len(pair.differences))],
            }
            for pair in comparison.pairs
        ],
    }
    text = json.dumps(content, indent=1, sort_keys=True, allow_nan=False, default=str)
    (folder / NUMBERS).write_text(text + "\n", encoding="utf-8")
    return content


def _row(pair: Pair, index: int) -> dict[str, Any]:
    of_region = pair.differences[index]
    row = asdict(of_region)
    if of_region.difference is not None and of_region.difference.stated is not None:
        row["difference"]["stated"]["is_exceeded"] = of_region.difference.stated.is_exceeded
    return row


def _write_ratio(folder: Path, pair: Pair, volume: Volume, number: int) -> str:
    stack = f"_stack{number}" if len(pair.volumes_a) > 1 else ""
    slug = re.sub(r"[^a-z0-9]+", "_", pair.name.lower()).strip("_") or "map"
    name = f"ratio_{slug}{stack}.nii.gz"
    path = folder / name
    if path.exists():
        name = f"ratio_{slug}_{pair.id}{stack}.nii.gz"
        path = folder / name
    path.write_bytes(nifti_file(volume, unit="1", description=f"B / A of {pair.name}"))
    return name
