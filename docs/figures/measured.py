"""Measuring a phantom for a figure: written as a scanner writes it, read back, done as a task, beside its truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from mroptimum.flags import Flags
from mroptimum.phantom import Phantom, Truth, closed_form, simulate, write_twix_ve
from mroptimum.run import run
from mroptimum.task import FileReference

Array = NDArray[np.float64]
FOUR = {
    "ac": Flags(method="ac"),
    "mr": Flags(method="mr"),
    "pmr": Flags(method="pmr", replicas=100),
    "cr": Flags(method="cr", replicas=4, box_size=3),
}
"""The four methods as the figures use them."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A scan's truth and, by the name of each task, its maps by number, (slice, y, x)."""

    truth: Truth
    maps: dict[str, dict[int, Array]]


def measured(phantom: Phantom, tasks: dict[str, Flags], **common: str) -> Measured:
    """Simulate a scan, write it as TWIX, and do each task on the file; `common` is added to each."""
    scan = simulate(phantom)
    maps = {}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "scan.dat"
        write_twix_ve(path, scan)
        options = {"type": "local", "filename": str(path)}
        signal = FileReference.model_validate({"type": "file", "options": options})
        for name, flags in tasks.items():
            document = replace(flags, **common).document(signal, None)  # type: ignore[arg-type]  # all of them are text
            result = run(document, locate=lambda reference: Path(reference.options.filename))
            maps[name] = {of_map.id: of_map.data.astype(np.float64) for of_map in result.maps}
    return Measured(truth=closed_form(scan), maps=maps)
