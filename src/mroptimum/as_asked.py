"""The acquisition as the task wants it: checked against the reconstruction, decimated where that was asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mroptimum.errors import ReconstructionError
from mroptimum.rawdata.acquisition import Acquisition, Calibration
from mroptimum.task import ReconstructionName, Reconstructor

UNFOLDING = frozenset({ReconstructionName.SENSE, ReconstructionName.GRAPPA})
"""Reconstructions of undersampled scans."""


def as_asked(acquisition: Acquisition, reconstructor: Reconstructor) -> Acquisition:
    """Return the acquisition to reconstruct.

    Raises `ReconstructionError` where data and reconstruction do not fit together.
    """
    options = reconstructor.options
    if acquisition.kspace.shape[4] > 1:
        raise ReconstructionError(
            f"The scan is 3D ({acquisition.kspace.shape[4]} partitions).",
            "Use a 2D multi-slice scan; 3D is not available in this version.",
        )
    wanted = options.accelerations[1] if options.accelerations else None
    if options.decimate and wanted:
        if acquisition.acceleration != (1, 1) or not acquisition.sampled.all():
            raise ReconstructionError(
                "Only a fully sampled scan can be decimated; this one is undersampled already.",
                "Leave out decimate, or give the full scan.",
            )
        return decimated(acquisition, wanted, options.acl[1])
    if wanted is not None and wanted != acquisition.acceleration[0]:
        raise ReconstructionError(
            f"The task says acceleration {wanted}, the file was sampled with {acquisition.acceleration[0]}.",
            "Leave accelerations out (null) to take the file's own, or set decimate for a full scan.",
        )
    if acquisition.acceleration == (1, 1) and np.any(np.diff(np.flatnonzero(acquisition.sampled[0])) != 1):
        raise ReconstructionError(
            f"K-space is sampled irregularly ({int(acquisition.sampled.sum())} of {acquisition.sampled.size} lines).",
            "Use a scan with all lines of one run, or with every R-th line.",
        )
    if reconstructor.name not in UNFOLDING and acquisition.acceleration != (1, 1):
        raise ReconstructionError(
            f"The scan is accelerated by {acquisition.acceleration[0]}; {reconstructor.name} reconstructs full scans.",
            f"Choose {' or '.join(sorted(UNFOLDING))}.",
        )
    return acquisition


def decimated(acquisition: Acquisition, factor: int, n_acs: int | None) -> Acquisition:
    """Return the scan as if only every `factor`-th line (the central one among them) and `n_acs` ACS lines existed."""
    n_y = acquisition.kspace.shape[5]
    comb = (np.arange(n_y) - n_y // 2) % factor == 0
    acs = np.ones(n_y, dtype=np.bool_) if n_acs is None else central(n_y, n_acs)
    first = acquisition.kspace[:, 0].mean(axis=0)
    return replace(
        acquisition,
        kspace=np.where(comb[:, None], acquisition.kspace, 0),
        sampled=comb[None, :],
        acceleration=(factor, 1),
        calibration=Calibration(kspace=np.where(acs[:, None], first, 0), sampled=acs[None, :]),
    )


def central(n: int, width: int) -> NDArray[np.bool_]:
    """Return which of `n` samples are the `width` central ones."""
    start = n // 2 - width // 2
    index = np.arange(n)
    return (index >= start) & (index < start + width)
