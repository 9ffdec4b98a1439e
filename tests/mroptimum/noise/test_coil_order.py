"""The coils of a noise scan in a file of its own are those of the signal, in the signal's order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from acquisitions import acquisition, white_noise
from mroptimum.errors import NoiseError
from mroptimum.noise import model_from_scan
from mroptimum.phantom import Phantom, simulate, write_mrd, write_npz, write_twix_vb, write_twix_ve
from mroptimum.rawdata import read, read_noise
from mroptimum.rawdata.acquisition import Acquisition, NoiseScan
from scenes import build_scene

PSI = build_scene(3, 4, 4).psi
NAMES = ("H1", "H2", "H3")


def scan(coil_names: tuple[str, ...]) -> NoiseScan:
    samples = white_noise(np.random.default_rng(1), (50, 3, 64), PSI)
    return NoiseScan(samples=samples, dwell_time_s=5e-6, coil_names=coil_names)


def image(coil_names: tuple[str, ...]) -> Acquisition:
    samples = white_noise(np.random.default_rng(2), (1, 1, 1, 1, 16, 3, 32), PSI)
    return replace(acquisition(np.ascontiguousarray(np.moveaxis(samples, -2, 3))), coil_names=coil_names)


def test_coils_in_another_order_are_put_in_the_order_of_the_image() -> None:
    straight = model_from_scan(scan(NAMES), image(NAMES)).covariance
    turned = model_from_scan(scan(NAMES), image(("H3", "H1", "H2"))).covariance
    order = [2, 0, 1]
    assert not np.allclose(turned, straight)
    np.testing.assert_allclose(turned, straight[np.ix_(order, order)], rtol=1e-12)


def test_other_coils_are_refused_by_name() -> None:
    with pytest.raises(NoiseError, match="H4"):
        model_from_scan(scan(("H1", "H2", "H4")), image(NAMES))


@pytest.mark.parametrize(("of_scan", "of_image"), [((), NAMES), (("H3", "H1", "H2"), ())])
def test_without_names_on_both_sides_the_order_stands(of_scan: tuple[str, ...], of_image: tuple[str, ...]) -> None:
    expected = model_from_scan(scan(NAMES), image(NAMES)).covariance
    np.testing.assert_array_equal(model_from_scan(scan(of_scan), image(of_image)).covariance, expected)


@pytest.mark.parametrize("name", ["twix-vb", "twix-ve", "ismrmrd", "npz"])
def test_readers_name_the_coils_of_the_noise(tmp_path: Path, name: str) -> None:
    writers = {"twix-vb": write_twix_vb, "twix-ve": write_twix_ve, "ismrmrd": write_mrd, "npz": write_npz}
    writers[name](tmp_path / "file", simulate(Phantom(n_x=16, n_y=16, n_coils=2, sigma=0.2, readout_oversampling=2)))
    noise = read(tmp_path / "file").noise
    assert noise is not None
    assert noise.coil_names == read_noise(tmp_path / "file").coil_names == ("Phantom:P1", "Phantom:P2")
