from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from mroptimum.phantom import write_demo, write_set
from mroptimum.rawdata import read


def test_every_file_of_the_set_is_read_and_has_its_truth_beside_it(tmp_path: Path) -> None:
    written = write_set(tmp_path / "new folder")
    names = set()
    for one in written:
        names |= {one.raw.name, one.truth_arrays.name, one.truth_description.name}
        acquisition = read(one.raw)
        lines = list(one.scan.phantom.imaging_lines)
        if one.scan.phantom.is_3d:
            points = np.ix_(list(one.scan.phantom.imaging_partitions), lines)
            recorded = one.scan.kspace[0, 0].swapaxes(0, 1)
            np.testing.assert_array_equal(acquisition.kspace[0, 0, 0][:, *points], recorded[:, *points])
        else:
            np.testing.assert_array_equal(acquisition.kspace[:, :, :, :, 0, lines], one.scan.kspace[..., lines, :])
        assert acquisition.warnings == ()
        with np.load(one.truth_arrays) as arrays:
            np.testing.assert_array_equal(arrays["snr"], one.truth.snr)
            np.testing.assert_array_equal(arrays["sense_g"], one.truth.sense_g)
            np.testing.assert_array_equal(arrays["covariance"], one.scan.covariance)
            assert arrays["mask"].dtype == np.bool_
        description = json.loads(one.truth_description.read_text(encoding="utf-8"))
        assert description["raw_file"] == one.raw.name
        assert description["phantom"]["sigma"] == one.scan.phantom.sigma
        assert set(description["conventions"]) >= {"snr", "sense_g", "axes"}
    assert names == {path.name for path in (tmp_path / "new folder").iterdir()}


def test_the_demonstration_is_what_it_says(tmp_path: Path) -> None:
    demo = write_demo(tmp_path)
    acquisition = read(demo.raw)
    assert acquisition.n_coils == 16
    assert acquisition.n_slices == 3
    assert acquisition.acceleration == (2, 1)
    assert acquisition.calibration is not None
    assert acquisition.noise is not None
    snr, g = demo.truth.sense_snr[demo.truth.mask], demo.truth.sense_g[demo.truth.mask]
    assert 30 < snr.min() < np.median(snr) < 100
    assert snr.max() < 250
    assert g.min() > 1
    assert 1.1 < g.max() < 1.5
    assert demo.truth.mask.mean() > 0.7
    assert write_demo(tmp_path / "again").raw.read_bytes() == demo.raw.read_bytes()
