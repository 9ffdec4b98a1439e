"""Small raw files, written once a session, and what was put into them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mroptimum.phantom import (
    Phantom,
    Scan,
    simulate,
    vendor_noise_dwell_time_s,
    write_mrd,
    write_npz,
    write_twix_vb,
    write_twix_ve,
)

REAL_DATA = Path(__file__).parents[3].parent / "shared" / "data"


@pytest.fixture(scope="session")
def accelerated() -> Scan:
    """Two slices, R = 2 with calibration lines, twofold readout oversampling, a noise scan."""
    return simulate(
        Phantom(
            n_x=16,
            n_y=24,
            n_coils=3,
            n_slices=3,
            n_repetitions=2,
            n_averages=2,
            acceleration=2,
            n_calibration_lines=6,
            readout_oversampling=2,
            noise_bandwidth_ratio=0.79,
            n_noise_readouts=20,
            noise_dwell_time_s=vendor_noise_dwell_time_s(32),
            centre_mm=(3.0, -7.0, 11.0),
        )
    )


@pytest.fixture(scope="session")
def files(accelerated: Scan, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same scan in every format that the phantom writes, by the name of the format."""
    folder = tmp_path_factory.mktemp("files")
    writers = {"twix-vb": write_twix_vb, "twix-ve": write_twix_ve, "ismrmrd": write_mrd, "npz": write_npz}
    paths = {name: folder / f"{name}.raw" for name in writers}
    for name, write in writers.items():
        write(paths[name], accelerated)
    return paths


@pytest.fixture
def real_data() -> Path:
    """The folder of scanner files, which are not part of the repository."""
    if not REAL_DATA.is_dir():
        pytest.skip("the scanner files (../shared/data beside the repository) are not here")
    return REAL_DATA
