from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mroptimum.export.nifti import Volume, stacks, volume
from mroptimum.flags import Flags
from mroptimum.phantom import Phantom, simulate, write_twix_ve
from mroptimum.rawdata.acquisition import SliceGeometry
from mroptimum.report.html import write_report
from mroptimum.report.picture import Window, montage, window
from mroptimum.result import Result
from tasks import run_flags


class Tags(HTMLParser):
    """Collects tags and checks that they are closed in order."""

    VOID = frozenset({"meta", "img", "br", "link", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    path = tmp_path_factory.mktemp("scan") / "scan.dat"
    phantom = Phantom(n_coils=6, n_x=32, n_y=32, n_slices=3, acceleration=2, n_calibration_lines=16, sigma=0.01)
    write_twix_ve(path, simulate(phantom))
    return run_flags(Flags(reconstruction="sense"), path)


def written(result: Result, folder: Path) -> str:
    write_report(result, folder / "report.html")
    return (folder / "report.html").read_text(encoding="utf-8")


def test_the_report_is_whole_and_needs_nothing_outside_itself(result: Result, tmp_path: Path) -> None:
    page = written(result, tmp_path)
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    links = [value for _, name, value in tags.attributes if name in {"src", "href", "action", "srcset"}]
    assert links
    assert all(value.startswith("data:image/png;base64,") for value in links)
    assert "<script" not in page
    assert not re.search(r"url\(|@import", page)


def test_every_picture_has_words_a_scale_and_units(result: Result, tmp_path: Path) -> None:
    page = written(result, tmp_path)
    tags = Tags()
    tags.feed(page)
    alternatives = [value for tag, name, value in tags.attributes if (tag, name) == ("img", "alt")]
    for name in ("SNR", "g Factor", "Inverse g Factor", "Image", "Noise SD"):
        assert f"{name}, 3 slice(s)" in alternatives
    assert page.count('class="ticks"') == len(alternatives) + 1
    assert "[coil noise sd]" in page


def test_noise_factors_and_sources_are_all_shown(result: Result, tmp_path: Path) -> None:
    page = written(result, tmp_path)
    assert result.noise is not None
    for step in result.noise.chain.steps:
        assert step.name in page.replace("&#39;", "'")
    assert "10.1002/" in page
    assert page.count("<title>") == 1 + 36 + 6


def test_warnings_stand_before_the_maps_and_are_escaped(result: Result, tmp_path: Path) -> None:
    page = written(replace(result, warnings=("Mind <b>this</b> & that.",)), tmp_path)
    assert "Mind &lt;b&gt;this&lt;/b&gt; &amp; that." in page
    assert page.index("Mind &lt;b") < page.index("<h2>Maps</h2>")


def test_a_loud_coil_is_named(result: Result, tmp_path: Path) -> None:
    assert result.noise is not None
    scale = np.diag([1.0, 1.0, 10.0, 1.0, 1.0, 1.0])
    loud = replace(result.noise, covariance=scale @ result.noise.covariance @ scale)
    page = written(replace(result, noise=loud), tmp_path)
    assert f"Noise unlike the other coils: {result.protocol.coil_names[2]}." in page


def pixels(url: str) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """RGBA, as shown."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGBA"))


def test_patients_right_is_on_the_left_and_anterior_up() -> None:
    """One bright voxel to the patient's left and front of an axial slice: upper right of the picture."""
    geometry = SliceGeometry(
        centre_mm=(0, 0, 0),
        readout_direction=(1, 0, 0),
        phase_direction=(0, 1, 0),
        slice_direction=(0, 0, 1),
        fov_mm=(8, 8, 5),
    )
    data = np.zeros((1, 8, 8), dtype=np.float32)
    data[0, 1, 6] = 1.0  # +2 mm along x: to the left; -3 mm along y: to the front (LPS)
    [stack] = stacks([geometry], 1, (8, 8))
    picture = montage(volume(data, stack), Window(low=0.0, high=1.0), "gray")
    bright = np.argwhere(pixels(picture.data_url)[..., 0] == 255)
    assert bright.tolist() == [[1, 6]]
    assert picture.sides == {"left": "R", "right": "L", "top": "A", "bottom": "P"}


def test_many_slices_are_picked_evenly_and_unused_places_are_clear() -> None:
    data = np.ones((2, 2, 40), dtype=np.float32)
    picture = montage(
        Volume(data=data, affine=np.eye(4), slice_axis=2, is_placed=False), Window(low=0.0, high=1.0), "gray"
    )
    assert picture.caption == "16 of 40 slices"
    three = montage(
        Volume(data=data[..., :3], affine=np.eye(4), slice_axis=2, is_placed=False), Window(low=0.0, high=1.0), "gray"
    )
    alpha = pixels(three.data_url)[..., 3]
    assert alpha[2:, 2:].max() == 0
    assert alpha[:2].min() == 255


@pytest.mark.parametrize(
    ("values", "expected"), [([0, 0], (0, 1)), ([np.nan, 0], (0, 1)), ([0, 5, 5], (0, 5)), ([1, 2, 3], (0, 2.99))]
)
def test_a_window_is_never_empty(values: list[float], expected: tuple[float, float]) -> None:
    data = np.array(values)[:, np.newaxis, np.newaxis]
    found = window([Volume(data=data, affine=np.eye(4), slice_axis=2)])
    assert (found.low, found.high) == pytest.approx(expected)
    assert len(found.ticks()) == 5
