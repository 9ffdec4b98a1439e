"""A region on disk: the mask as NIfTI in the map's geometry, and beside it what it is and what was found there."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from mroptimum.export.nifti import Volume, nifti_file
from mroptimum.roi.errors import RegionError
from mroptimum.roi.measuring import Measurement
from mroptimum.roi.regions import Region, Shape
from mroptimum.roi.statistics import INTERVAL_IN_WORDS


def save_region(
    folder: Path,
    region: Region,
    *,
    shape: Shape | None,
    measurements: Sequence[Measurement],
    package_sha256: str | None,
) -> tuple[Path, Path]:
    """Write `NAME.nii.gz` (1 inside, 0 outside) and `NAME.json` into a folder, made if needed; return their paths.

    `shape` is what was drawn (None: the region comes from a mask) and `package_sha256` the hash of the manifest of the
    package that was measured. Raises `RegionError` where the files would take the place of others.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stem = re.sub(r"[^A-Za-z0-9._-]+", "_", region.name).strip("._") or "region"
    mask, about = folder / f"{stem}.nii.gz", folder / f"{stem}.json"
    for path in (mask, about):
        if path.exists():
            raise RegionError(f"{path} is there already.", "Choose another --name or folder.", code="output_exists")
    volume = Volume(
        data=region.voxels.astype(np.uint8),
        affine=region.grid.affine,
        slice_axis=region.grid.slice_axis,
        is_placed=region.grid.is_placed,
    )
    mask.write_bytes(nifti_file(volume, unit="1", description=region.name))
    content = {
        "schema": 1,
        "name": region.name,
        "mask": mask.name,
        "drawn_as": None if shape is None else {"kind": type(shape).__name__.lower(), **asdict(shape)},
        "n_voxels": int(np.count_nonzero(region.voxels)),
        "grid": {"shape": region.grid.shape, "affine_ras_mm": region.grid.affine.tolist()},
        "package_manifest_sha256": package_sha256,
        "mean_interval": INTERVAL_IN_WORDS,
        "measurements": [asdict(of_map) for of_map in measurements],
    }
    about.write_text(json.dumps(content, indent=1, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8")
    return mask, about
