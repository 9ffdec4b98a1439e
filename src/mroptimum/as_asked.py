"""The acquisition as the task wants it: checked against the reconstruction, decimated where that was asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mroptimum.errors import ReconstructionError
from mroptimum.rawdata.acquisition import Acquisition, Calibration
from mroptimum.rawdata.sampling import central, central_block, irregularity, is_without_gaps
from mroptimum.task import AMBIGUOUS_IN_3D, ReconstructionName, ReconstructorOptions, Task

UNFOLDING = frozenset({ReconstructionName.SENSE, ReconstructionName.GRAPPA})
"""Reconstructions of undersampled scans."""


def as_asked(acquisition: Acquisition, task: Task) -> Acquisition:
    """Return the acquisition to reconstruct.

    Raises `ReconstructionError` where data, reconstruction and what the task says of the axes do not fit together.
    """
    name, options = task.options.reconstructor.name, task.options.reconstructor.options
    _refuse_other_axes(acquisition, task)
    wanted = options.accelerations_yz
    if options.decimate and wanted is not None:
        if acquisition.acceleration != (1, 1) or not acquisition.sampled.all():
            raise ReconstructionError(
                "Only a fully sampled scan can be decimated; this one is undersampled already.",
                "Leave out decimate, or give the full scan.",
            )
        acquisition = decimated(acquisition, wanted, options)
        _refuse_lines_put_back(acquisition, options)
        return acquisition
    if wanted is not None and wanted != acquisition.acceleration:
        raise ReconstructionError(
            f"The task says acceleration {in_words(wanted)}, the file was sampled with "
            f"{in_words(acquisition.acceleration)}.",
            "Leave accelerations out (null) to take the file's own, or set decimate for a full scan.",
        )
    if acquisition.acceleration == (1, 1) and not is_without_gaps(acquisition.sampled):
        raise ReconstructionError(
            f"{irregularity(acquisition.sampled)}, which no reconstruction here unfolds.",
            "Use a scan with all lines of one run, or with every R-th line, the same ones in every partition.",
            code="irregular_sampling",
        )
    if name not in UNFOLDING and acquisition.acceleration != (1, 1):
        raise ReconstructionError(
            f"The scan is accelerated by {in_words(acquisition.acceleration)}; {name} reconstructs full scans.",
            f"Choose {' or '.join(sorted(UNFOLDING))}.",
        )
    if name is ReconstructionName.GRAPPA and acquisition.acceleration[1] > 1:
        raise ReconstructionError(
            f"The scan's partitions are accelerated by {acquisition.acceleration[1]}; the GRAPPA kernel here fills in "
            "lines only, and one that fills in partitions, too, has another noise propagation.",
            "Choose sense, which unfolds both directions, or a scan whose lines alone are accelerated.",
            code="grappa_partitions",
        )
    _refuse_lines_put_back(acquisition, options)
    return acquisition


def decimated(acquisition: Acquisition, factors: tuple[int, int], options: ReconstructorOptions) -> Acquisition:
    """Return the scan as if only one in `factors` (y, z) lines and partitions existed, and the ACS lines of `acl`.

    The central line and partition are among them.
    """
    n_z, n_y = acquisition.sampled.shape
    _, acl_y, acl_z = options.acl_xyz
    comb_y, comb_z = ((np.arange(n) - n // 2) % factor == 0 for n, factor in zip((n_y, n_z), factors, strict=True))
    lattice = np.outer(comb_z, comb_y)
    acs = np.outer(central(n_z, acl_z or n_z), central(n_y, acl_y or n_y))
    first = acquisition.kspace[:, 0].mean(axis=0)
    return replace(
        acquisition,
        kspace=np.where(lattice[:, :, None], acquisition.kspace, np.complex64(0)),
        sampled=lattice,
        acceleration=factors,
        calibration=Calibration(
            kspace=np.where(acs[:, :, None], first, np.complex64(0)),
            sampled=acs,
            noise_power=1.0 / acquisition.n_averages,
            of_each=acquisition.kspace[..., acs, :] if options.keep_acs else None,
        ),
    )


def _refuse_lines_put_back(acquisition: Acquisition, options: ReconstructorOptions) -> None:
    """Raise where calibration lines should be put back into the image and cannot."""
    calibration = acquisition.calibration
    if not options.keep_acs or calibration is None:
        return
    n_recorded = acquisition.n_averages * acquisition.n_repetitions
    in_both = calibration.sampled & acquisition.sampled
    if calibration.of_each is None and n_recorded > 1:
        reason = "were not recorded for every average and repetition, so that they lack their noise"
    elif central_block(calibration.sampled)[0] < len(calibration.sampled):
        reason = "were recorded in some partitions only"
    elif not options.decimate and not np.array_equal(
        calibration.kspace[..., in_both, :], acquisition.kspace[0, 0][..., in_both, :]
    ):
        reason = "come from a scan of their own, whose contrast may be another"
    else:
        return
    raise ReconstructionError(
        f"The calibration lines cannot be put back into the image: they {reason}.",
        "Leave out keepAcs.",
        code="acs_beside_image",
    )


def in_words(acceleration: tuple[int, int]) -> str:
    """Say an acceleration (y, z): of lines, and of partitions where they are accelerated."""
    of_lines, of_partitions = acceleration
    return str(of_lines) if of_partitions == 1 else f"{of_lines} x {of_partitions} (lines x partitions)"


def _refuse_other_axes(acquisition: Acquisition, task: Task) -> None:
    options = task.options.reconstructor.options
    if acquisition.is_3d and task.acquisition == 2:
        raise ReconstructionError(
            f"The task is about a 2D acquisition, the scan is 3D ({acquisition.kspace.shape[4]} partitions).",
            "Set acquisition to 3, or leave it out.",
        )
    if not acquisition.is_3d and task.acquisition == 3:
        raise ReconstructionError(
            "The task is about a 3D acquisition, the scan is 2D (one partition).",
            "Set acquisition to 2, or leave it out.",
        )
    if acquisition.is_3d and options.of_two_axes:
        raise ReconstructionError(
            f"The scan is 3D; {AMBIGUOUS_IN_3D}.",
            "Give three numbers, such as [1, 2, 1] (on the command line, --partition-acceleration, too).",
        )
    if not acquisition.is_3d and (options.accelerations_yz or (1, 1))[1] > 1:
        raise ReconstructionError(
            "The task accelerates partitions, the scan is 2D.", "Give two numbers, [1, R], or a 3D scan."
        )
