"""MATLAB export: everything a result holds in one version-5 .mat file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mroptimum.result import Result


def write_matlab(result: Result, path: Path) -> None:
    """Write maps (x, y, slice) named after themselves, noise matrices (coil, coil), coil maps (x, y, slice, coil)."""
    import scipy.io

    arrays: dict[str, NDArray[Any]] = {
        re.sub(r"[^A-Za-z0-9]+", "_", of_map.name).strip("_"): of_map.data.transpose(2, 1, 0) for of_map in result.maps
    }
    if result.noise is not None:
        arrays["Noise_Covariance"] = result.noise.covariance
        arrays["Noise_Coefficients"] = result.noise.correlation
    if result.document.output.coilsensitivity and result.coil_maps:
        arrays["Coil_Sensitivities"] = np.stack([coil.maps for coil in result.coil_maps]).transpose(3, 2, 0, 1)
    scipy.io.savemat(path, arrays, do_compression=True)
