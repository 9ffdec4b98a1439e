"""The numbers that the README prints are those that the demonstration's scan gives."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from code_blocks import ROOT
from mroptimum.flags import Flags
from mroptimum.phantom import write_demo
from mroptimum.result import MapId
from tasks import map_of, run_flags

ROW = re.compile(r"^(mean SNR|mean g) +([\d.]+) +([\d.]+) +([+-][\d.]+) %$", re.MULTILINE)


@pytest.mark.slow
def test_measured_and_true_means_are_those_of_the_demonstration(tmp_path: Path) -> None:
    stated = {
        name: tuple(map(float, numbers)) for name, *numbers in ROW.findall((ROOT / "README.md").read_text("utf-8"))
    }
    written = write_demo(tmp_path)
    result = run_flags(Flags(reconstruction="sense"), written.raw)
    inside = written.truth.mask
    for name, number, truth in (
        ("mean SNR", MapId.SNR, written.truth.sense_snr),
        ("mean g", MapId.SENSE_G, written.truth.sense_g),
    ):
        measured = float(np.mean(map_of(result, number).data[inside], dtype=np.float64))
        true = float(truth[inside].mean())
        # Printed to four decimals; another processor may move the fifth digit.
        assert stated[name][:2] == pytest.approx((measured, true), rel=2e-5, abs=5e-5)
        assert stated[name][2] == pytest.approx(100 * (measured / true - 1), abs=0.01)
