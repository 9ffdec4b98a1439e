"""A job whose answer is known in closed form: an acquisition to give to a unit, and the judge of what comes back.

A phantom of 64 x 64 voxels with eight coils, recorded with SENSE factor 2 by a receiver whose noise is coloured and
whose noise scan has another bandwidth: a unit that gets the noise's scale wrong anywhere gets another SNR.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from cloudmr.against_truth import Comparison, compare_with
from mroptimum.flags import Flags
from mroptimum.phantom import Phantom, Scan, closed_form, simulate, write_npz
from mroptimum.task import FileReference, TaskDocument

PHANTOM = Phantom(
    n_x=64,
    n_y=64,
    n_coils=8,
    acceleration=2,
    n_calibration_lines=32,
    readout_oversampling=2,
    noise_bandwidth_ratio=0.79,
    n_noise_readouts=128,
    dwell_time_s=8e-6,
    noise_dwell_time_s=5e-6,
    sigma=0.002,
)
FILENAME = "known-answer.npz"


def write_acquisition(path: Path) -> None:
    """Write the raw data, the same bytes every time but for the dates in the container."""
    write_npz(path, _scan())


def task_for(signal: FileReference) -> TaskDocument:
    """Return the task to do on them."""
    return Flags(method="ac", reconstruction="sense", acceleration=PHANTOM.acceleration).document(signal, None)


def judge_package(folder: Path) -> tuple[Comparison, ...]:
    """Compare a result package with the truth. Raise `PackageError` for a damaged one, `MapMisplaced`."""
    return compare_with(folder, PHANTOM, closed_form(_scan()))


@cache
def _scan() -> Scan:
    return simulate(PHANTOM)
