from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, expect

from browsing import CheckAccess
from finished_jobs import FinishedJob, Person, person_with_results
from mroptimum.comparison.differences import difference
from mroptimum.roi import Box, Ellipse, drawn, maps_at, measure
from real_brain import PASSWORD, RealBrain

Show = Callable[[str], None]


@pytest.fixture(scope="module")
def person(site: RealBrain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    with person_with_results(site, tmp_path_factory.mktemp("results")) as somebody:
        yield somebody


@pytest.fixture
def show(page: Page, person: Person) -> Show:
    """Sign in and show a page of the first job."""

    def do(name: str) -> None:
        page.goto(f"/sign-in?next=/jobs/{person.first.id}/{name}")
        page.get_by_label("E-mail address").fill(person.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.locator(f"#{name}:not([data-ready=false])").wait_for(timeout=30_000)

    return do


def stored(job: FinishedJob, name: str) -> NDArray[np.float64]:
    """A map as nibabel reads it."""
    return np.asarray(nibabel.load(job.package / "data" / f"{name}.nii.gz").get_fdata())  # type: ignore[attr-defined]


def voxel_under_crosshair(page: Page) -> tuple[int, int, int]:
    i, j, k = (int(part) for part in (page.locator("#stage").get_attribute("data-voxel") or "").split(","))
    return i, j, k


def statistics_of(page: Page, name: str) -> dict[str, Any]:
    row = page.locator(f"#region-rows tr[data-region='{name}']")
    row.wait_for()
    found: dict[str, Any] = json.loads(row.get_attribute("data-statistics") or "null")
    return found


def enter(page: Page, shape: str, numbers: tuple[float, ...], name: str) -> None:
    if not page.locator("#region-form").is_visible():
        page.get_by_text("Enter a region by numbers").click()
    form = page.locator("#region-form")
    form.locator("[name=shape]").select_option(shape)
    for field, number in zip("abcd", numbers, strict=True):
        form.locator(f"[name={field}]").fill(str(number))
    form.locator("[name=name]").fill(name)
    form.get_by_role("button", name="Add").click()


def test_voxels_have_the_colours_and_values_of_the_map(page: Page, show: Show, person: Person) -> None:
    snr = stored(person.first, "snr")
    assert snr.shape[2] % 2 == 0, "between two slices NiiVue would show one and mark the other"
    show("results")
    page.locator("#colormap").select_option("gray")
    low, high = 10.0, float(np.percentile(snr, 99))
    page.locator("#low").fill(str(low))
    page.locator("#high").fill(str(high))
    page.locator("#high").press("Enter")
    box = page.locator("#stage canvas").bounding_box()
    assert box is not None
    for k in (1, 2):
        page.locator("#voxel-k").fill(str(k))
        page.locator("#voxel-k").press("Enter")
        places = {}
        for across, down in ((0.45, 0.4), (0.5, 0.55), (0.55, 0.35), (0.42, 0.62), (0.6, 0.5)):
            x, y = box["x"] + across * box["width"], box["y"] + down * box["height"]
            page.mouse.click(x, y)
            voxel = voxel_under_crosshair(page)
            assert voxel[2] == k
            value = float(page.locator("#stage").get_attribute("data-value") or "nan")
            assert value == pytest.approx(snr[voxel], rel=1e-6)
            places[x, y] = voxel
        page.locator("#voxel-i").fill("0")
        page.locator("#voxel-j").fill("0")
        page.locator("#voxel-j").press("Enter")
        picture = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB")).astype(float)
        for (x, y), voxel in places.items():
            grey = 255 * np.clip((snr[voxel] - low) / (high - low), 0, 1)
            assert picture[round(y), round(x)] == pytest.approx([grey] * 3, abs=3), voxel
        assert len({round(snr[voxel]) for voxel in places.values()}) > 2


def shown(page: Page, label: str) -> None:
    """Choose a map and wait until it is there."""
    page.locator("#map").select_option(label=label)
    name = page.locator("#map").input_value()
    page.locator(f"#results[data-ready='{name}']").wait_for()


def test_every_view_shows_the_voxel_that_is_pointed_at(page: Page, show: Show, person: Person) -> None:
    snr = stored(person.first, "snr")
    show("results")
    box = page.locator("#stage canvas").bounding_box()
    assert box is not None
    for view in ("coronal", "sagittal", "multi", "axial"):
        page.locator("#view").select_option(view)
        voxels = set()
        for across, down in ((0.46, 0.48), (0.5, 0.5), (0.53, 0.52), (0.2, 0.3), (0.3, 0.2)):
            page.mouse.click(box["x"] + across * box["width"], box["y"] + down * box["height"])
            voxel = voxel_under_crosshair(page)
            value = float(page.locator("#stage").get_attribute("data-value") or "nan")
            assert value == pytest.approx(snr[voxel], rel=1e-6), view
            voxels.add(voxel)
        assert len(voxels) >= 3, view
    for axis, at in zip("ijk", (11, 29, 3), strict=True):
        page.locator(f"#voxel-{axis}").fill(str(at))
        page.locator(f"#voxel-{axis}").press("Enter")
    assert voxel_under_crosshair(page) == (11, 29, 3)
    image: Any = nibabel.load(person.first.package / "data" / "snr.nii.gz")
    millimetres = ", ".join(f"{part:.1f}" for part in image.affine[:3] @ [11, 29, 3, 1])
    expect(page.locator("#stage .readout")).to_contain_text(f"voxel 11, 29, 3 · {millimetres} mm")


def test_gamma_colours_picture_and_bar_alike(page: Page, show: Show, person: Person) -> None:
    snr = stored(person.first, "snr")
    show("results")
    page.locator("#colormap").select_option("gray")
    low, high = 0.0, float(snr.max())
    page.locator("#low").fill(str(low))
    page.locator("#high").fill(str(high))
    page.locator("#high").press("Enter")
    page.get_by_label("lines of the crosshair").uncheck()
    page.locator("#gamma").fill("2")
    box = page.locator("#stage canvas").bounding_box()
    bar = page.locator("#stage .ramp").bounding_box()
    assert box is not None
    assert bar is not None
    places = {}
    for across, down in ((0.45, 0.4), (0.5, 0.55), (0.42, 0.62), (0.6, 0.5)):
        x, y = box["x"] + across * box["width"], box["y"] + down * box["height"]
        page.mouse.click(x, y)
        places[x, y] = snr[voxel_under_crosshair(page)]
    picture = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB")).astype(float)
    for (x, y), value in places.items():
        # A step of the colour table is up to four greys where the root is steep.
        assert picture[round(y), round(x)] == pytest.approx([255 * np.sqrt(value / high)] * 3, abs=5)
    quarter = picture[round(bar["y"] + 0.75 * bar["height"]), round(bar["x"] + bar["width"] / 2)]
    assert quarter == pytest.approx([255 * np.sqrt(0.25)] * 3, abs=8)


def test_each_map_keeps_its_window_and_phases_their_colours(page: Page, show: Show, person: Person) -> None:
    show("results")
    page.locator("#high").fill("77")
    page.locator("#high").press("Enter")
    page.locator("#colormap").select_option("inferno")
    shown(page, "Coil Sensitivity 1 Phase")
    expect(page.locator("#high")).to_have_value("3.1416")
    expect(page.locator("#colormap")).to_have_value("hsv")
    expect(page.locator("#stage .colours")).to_have_attribute("aria-label", "Colours from -3.142 to 3.142 rad")
    shown(page, "Coil Sensitivity 1")
    expect(page.locator("#colormap")).to_have_value("inferno")
    shown(page, "SNR")
    expect(page.locator("#high")).to_have_value("77")
    box = page.locator("#stage canvas").bounding_box()
    assert box is not None
    page.get_by_role("radio", name="Window").check(force=True)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 4)
    page.mouse.up()
    # A quarter of the height is a quarter of the window.
    expect(page.locator("#high")).to_have_value("57.75")
    shown(page, "Image")
    shown(page, "SNR")
    expect(page.locator("#high")).to_have_value("57.75")


def test_maps_and_views_are_taken_away(page: Page, show: Show, person: Person) -> None:
    show("results")
    with page.expect_download() as download:
        page.get_by_role("button", name="Map as NIfTI").click()
    assert download.value.suggested_filename == "snr.nii.gz"
    assert download.value.path().read_bytes() == (person.first.package / "data" / "snr.nii.gz").read_bytes()
    with page.expect_download() as download:
        page.get_by_role("button", name="View as PNG").click()
    with Image.open(download.value.path()) as opened:
        picture = np.asarray(opened.convert("RGB"))
    canvas = page.locator("#stage canvas").bounding_box()
    assert canvas is not None
    assert picture.shape == pytest.approx((canvas["height"], canvas["width"], 3), abs=1)
    colours = np.unique(picture.reshape(-1, 3), axis=0)
    assert len(colours) > 50, "the map is in it"


def test_regions_have_the_numbers_of_the_command_line(page: Page, show: Show, person: Person) -> None:
    show("results")
    page.locator("#voxel-k").fill("1")
    page.locator("#voxel-k").press("Enter")
    enter(page, "rectangle", (18, 27, 12, 20), "box")
    enter(page, "ellipse", (23.5, 6.2, 20, 5), "round")
    with page.expect_download() as download:
        page.get_by_role("link", name="Everything (zip)").click()
    assert download.value.suggested_filename == f"{person.first.id}.zip"
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    [stack] = maps_at(person.first.package, ["SNR"])
    regions = [
        drawn(Box(x=(18, 27), y=(12, 20), z=(1, 1)), stack.grid, name="box"),
        drawn(Ellipse(centre=(23.5, 20), half_axes=(6.2, 5), z=(1, 1)), stack.grid, name="round"),
    ]
    for measured, row in zip(measure(regions, stack.maps), rows, strict=True):
        found, interval = measured.statistics, measured.statistics.mean_interval
        assert interval is not None
        assert (row["region"], row["map"], int(row["n_voxels"])) == (measured.region, "SNR", found.n_voxels)
        for name in ("mean", "sd", "median", "minimum", "maximum", "volume_mm3"):
            assert float(row[name]) == pytest.approx(getattr(found, name), rel=1e-6), name
        assert float(row["mean_95_low"]) == pytest.approx(interval.low, rel=1e-6)
        assert float(row["mean_95_high"]) == pytest.approx(interval.high, rel=1e-6)


def test_regions_are_drawn_taken_back_kept_and_found_again(page: Page, show: Show, person: Person) -> None:
    show("results")
    box = page.locator("#stage canvas").bounding_box()
    assert box is not None

    def drag(tool: str, *points: tuple[float, float]) -> None:
        page.get_by_role("radio", name=tool).check(force=True)
        for number, (across, down) in enumerate(points):
            page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
            if number == 0:
                page.mouse.down()
        page.mouse.up()

    drag("Rectangle", (0.45, 0.45), (0.55, 0.6))
    n_box = statistics_of(page, "region 1")["n"]
    assert n_box > 20
    drag("Eraser", (0.5, 0.45), (0.5, 0.5), (0.5, 0.6))
    expect(page.locator("#region-rows tr")).not_to_have_attribute("data-statistics", f'"n":{n_box}')
    page.locator("#map").select_option(label="Image")
    page.locator("#results[data-ready='data/image.nii.gz']").wait_for()
    page.get_by_role("button", name="Undo").click()
    page.locator(f"#region-rows tr[data-statistics*='\"n\":{n_box},']").wait_for()
    page.get_by_role("button", name="New region").click()
    drag("Outline", (0.45, 0.3), (0.55, 0.3), (0.5, 0.42))
    drag("Fill", (0.5, 0.5), (0.5, 0.5))
    page.get_by_role("textbox", name="Name of the region").last.fill("edge")
    page.get_by_role("textbox", name="Name of the region").last.press("Enter")
    page.locator("#region-rows tr[data-region=edge]").wait_for()
    page.get_by_role("button", name="Keep with the job").click()
    expect(page.get_by_text("Kept with the job.")).to_be_visible()
    before = statistics_of(page, "edge")
    page.reload()
    page.locator("#results[data-ready^=data]").wait_for()
    page.locator("#map").select_option(label="Image")
    page.locator("#region-rows[data-map='202'] tr[data-region=edge]").wait_for()
    assert statistics_of(page, "edge") == before
    expect(page.get_by_role("button", name="Keep with the job")).to_be_disabled()
    listed = page.request.get(f"/api/job/{person.first.id}/regions").json()["regions"]
    assert {region["name"] for region in listed} == {"region 1", "edge"}
    for region in listed:
        link = region["download"]
        path = person.first.package.parent / f"{region['regionId']}.nii.gz"
        path.write_bytes(page.request.get(link["url"], headers=link["headers"]).body())
        mask: Any = nibabel.load(path)
        of_map: Any = nibabel.load(person.first.package / "data" / "image.nii.gz")
        assert np.allclose(mask.affine, of_map.affine)
        values = of_map.get_fdata()[mask.get_fdata() > 0]
        assert statistics_of(page, region["name"])["mean"] == pytest.approx(values.mean(), rel=1e-6)


def test_regions_of_another_job_are_loaded(page: Page, show: Show, person: Person) -> None:
    show("results")
    enter(page, "rectangle", (18, 27, 12, 20), "to share")
    page.get_by_role("button", name="Keep with the job").click()
    expect(page.get_by_text("Kept with the job.")).to_be_visible()
    n = statistics_of(page, "to share")["n"]
    page.goto(f"/jobs/{person.second.id}/results")
    page.locator("#results[data-ready^=data]").wait_for()
    page.locator("#load-regions").select_option(label="first")
    found = statistics_of(page, "to share")
    assert found["n"] == n
    k = stored(person.second, "snr").shape[2] // 2
    inside = stored(person.second, "snr")[18:28, 12:21, k]
    assert found["mean"] == pytest.approx(inside.mean(), rel=1e-6)
    page.goto(f"/compare?a={person.first.id}&b={person.second.id}")
    page.locator("#difference-rows tr[data-region='to share']").wait_for()


def test_the_noise_is_shown_as_it_was_measured(page: Page, show: Show, person: Person) -> None:
    show("noise")
    with np.load(person.first.package / "data" / "noise.npz") as arrays:
        covariance, correlation = arrays["covariance"], arrays["correlation"]
    titles = page.locator("#correlation rect title").all_text_contents()
    assert len(titles) == correlation.size
    degrees = np.rad2deg(np.angle(correlation[0, 1]))
    assert titles[1] == f"Phantom:P1 × Phantom:P2: {abs(correlation[0, 1]):.4g}, {degrees:.0f}°"
    values = [float(title.split(": ")[1]) for title in page.locator("#eigenvalues title").all_text_contents()]
    assert values == pytest.approx(np.linalg.eigvalsh(covariance)[::-1], rel=1e-3)
    sigma = json.loads((person.first.package / "info.json").read_text())["info"]["noise"]["sigma"]
    shown = [float(text) for text in page.locator("#coil-rows td.number").all_text_contents()]
    assert shown == pytest.approx(sigma, rel=1e-5)
    expect(page.locator("#chain")).to_contain_text("product")


def test_two_jobs_stand_side_by_side(page: Page, show: Show, person: Person, check_access: CheckAccess) -> None:
    show("results")
    page.get_by_role("button", name="Compare").click()
    page.locator("#compare:not([data-ready=false])").wait_for()
    page.locator("#stage-a canvas").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("PageDown")
    a, b = stored(person.first, "snr"), stored(person.second, "snr")
    voxel = (23, 20, 1)
    for stage, value in (("a", a[voxel]), ("b", b[voxel]), ("ratio", b[voxel] / a[voxel])):
        place = page.locator(f"#stage-{stage}")
        expect(place).to_have_attribute("data-voxel", "23,20,1")
        assert float(place.get_attribute("data-value") or "nan") == pytest.approx(value, rel=1e-6)
    inside = (stored(person.first, "mask") > 0) & (stored(person.second, "mask") > 0)
    of_object = difference(a[inside], b[inside])
    assert of_object is not None
    row = page.locator("#difference-rows tr[data-region=object]")
    found = json.loads(row.get_attribute("data-difference") or "null")
    for name, value in (("mean", of_object.mean), ("sd", of_object.sd), ("medianRatio", of_object.median_ratio)):
        assert found[name] == pytest.approx(value, rel=1e-6), name
    page.locator("#high").fill("90")
    page.locator("#high").press("Enter")
    for stage in ("a", "b"):
        expect(page.locator(f"#stage-{stage} .colours")).to_have_attribute("aria-label", re.compile("to 90 "))
    check_access(page)


@pytest.mark.slow
def test_a_large_map_is_shown_in_twice_the_time_of_reading_it(page: Page, show: Show, person: Person) -> None:
    values = np.random.default_rng(1).normal(100, 10, (256, 256, 32)).astype(np.float32)
    large = gzip.compress(nibabel.Nifti1Image(values, np.eye(4)).to_bytes(), compresslevel=6)
    show("results")
    page.route("**/objects/**", lambda route: route.fulfill(body=large, content_type="application/gzip"))
    page.locator("#map").select_option(label="Image")
    page.locator("#results[data-ready='data/image.nii.gz']").wait_for()
    took_ms = {
        name: page.evaluate(f"performance.getEntriesByName('map {name}').at(-1).duration") for name in ("read", "shown")
    }
    assert took_ms["shown"] <= 2 * took_ms["read"], took_ms
    expect(page.locator("#stage")).to_have_attribute("data-voxel", "128,128,16")


def test_everybody_can_use_the_results(page: Page, show: Show, check_access: CheckAccess) -> None:
    show("results")
    check_access(page)
    page.set_viewport_size({"width": 400, "height": 800})
    enter(page, "rectangle", (10, 20, 10, 20), "a region")
    page.locator("#region-rows tr[data-region='a region']").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 400, "nothing lies beside the page of a telephone"
    page.locator("nav.tabs").get_by_role("link", name="Noise").click()
    page.locator("#noise[data-ready=true]").wait_for()
    check_access(page)
