"""Irregular sampling is told of plain arrays as of scanner files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.io

from mroptimum.phantom import Phantom, simulate
from mroptimum.rawdata import read

IRREGULAR, REGULAR = [0, 1, 3, 7, 8, 9, 12], [1, 3, 5, 7, 9, 11, 13, 15]


@pytest.mark.parametrize("extension", ["npz", "mat"])
@pytest.mark.parametrize(("lines", "is_told"), [(IRREGULAR, True), (REGULAR, False)])
def test_irregular_sampling_of_arrays_is_told(
    tmp_path: Path, lines: list[int], extension: str, *, is_told: bool
) -> None:
    kept = np.zeros(16, np.bool_)
    kept[lines] = True
    kspace = simulate(Phantom(n_x=16, n_y=16, n_coils=2)).kspace[0, 0, 0] * kept[:, np.newaxis]
    path = tmp_path / f"file.{extension}"
    if extension == "npz":
        np.savez(path, kspace=kspace)
    else:
        scipy.io.savemat(path, {"S": kspace.transpose(2, 1, 0)})
    assert any("sampled irregularly" in warning for warning in read(path).warnings) == is_told
