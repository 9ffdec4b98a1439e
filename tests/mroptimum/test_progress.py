"""Every method says how far it is, slice by slice and replica by replica, and stops soon after it is asked to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mroptimum.errors import Cancelled
from mroptimum.flags import Flags
from mroptimum.journal import Progress
from mroptimum.phantom import Phantom, simulate, write_twix_ve
from mroptimum.run import run
from tasks import local

PHANTOM = Phantom(n_x=12, n_y=24, n_coils=8, n_slices=3, n_repetitions=6, acceleration=2, n_calibration_lines=14)
SLAB = replace(PHANTOM, n_slices=6, is_3d=True, slice_thickness_mm=20.0)
METHODS = {
    "ac": (Flags(method="ac"), []),
    "mr": (Flags(method="mr"), [1, 2, 3, 4, 5, 6]),
    "pmr": (Flags(method="pmr", replicas=120), [50, 100, 120]),
    "cr": (Flags(method="cr", replicas=3, box_size=1), [1, 2, 3]),
}
SCANS = {
    "slices": (PHANTOM, [f"slice {n} of 3" for n in (1, 2, 3)]),
    "partitions": (SLAB, [f"slice {n} of 6" for n in range(1, 7)]),
    "columns": (
        replace(SLAB, partition_acceleration=2, n_calibration_partitions=4),
        [f"slab 1 of 1, column {n} of 12" for n in range(1, 13)],
    ),
}


def cases() -> list[tuple[str, str, str]]:
    unfolded = [(scan, method, "sense") for scan in SCANS for method in METHODS]
    filled = [(scan, method, "grappa") for scan in ("slices", "partitions") for method in METHODS]
    return unfolded + filled


@pytest.mark.parametrize(("scan", "method", "reconstruction"), cases())
def test_parts_and_replicas_are_reported_in_order_and_any_of_them_can_be_the_last(
    scan: str, method: str, reconstruction: str, tmp_path: Path
) -> None:
    phantom, parts = SCANS[scan]
    flags, replicas = METHODS[method]
    path = tmp_path / "scan.dat"
    write_twix_ve(path, simulate(phantom))
    document = replace(flags, reconstruction=reconstruction).document(local(path), None)
    seen: list[Progress] = []
    run(document, locate=lambda _: path, progress=seen.append)

    n_replicas = flags.replicas or (phantom.n_repetitions if method == "mr" else 1)
    of_parts = [progress.message for progress in seen if progress.step == "reconstruct"]
    expected = [
        message
        for part in parts
        for message in (part, *(f"{part}, replica {done} of {n_replicas}" for done in replicas))
    ]
    assert [message for message in of_parts if message != "slab 1 of 1"] == expected
    done = [progress.done for progress in seen]
    assert done == sorted(done)
    assert seen[-1].total == 3 + len(parts) * n_replicas
    assert seen[-1].done == seen[-1].total - 1

    stop_after = len(seen) // 2
    told: list[Progress] = []
    with pytest.raises(Cancelled):
        run(document, locate=lambda _: path, progress=told.append, cancelled=lambda: len(told) == stop_after)
    assert [progress.message for progress in told] == [progress.message for progress in seen[:stop_after]]
