"""The report written anew from a package, as HTML and as PDF."""

from __future__ import annotations

import base64
import re
import sys
import zlib
from pathlib import Path

import pytest

from mroptimum.errors import MissingExtra
from mroptimum.flags import Flags
from mroptimum.package import opened, read_package
from mroptimum.phantom import Phantom
from mroptimum.report.content import content_of_package
from mroptimum.report.html import report_page
from mroptimum.report.pdf import pdf_of
from packages import PHANTOM, write_result, write_scan


def page_of(package: Path) -> str:
    with opened(package) as files:
        return report_page(content_of_package(read_package(files)))


RESULTS = {
    "ac": (PHANTOM, Flags(reconstruction="sense", coil_sensitivities=True)),
    "pmr": (PHANTOM, Flags(reconstruction="sense", method="pmr", replicas=4)),
    "masked": (Phantom(n_coils=4, n_x=16, n_y=16, sigma=0.01), Flags(reconstruction="b1", mask_percentage=20)),
    "repetitions": (
        Phantom(n_coils=3, n_x=16, n_y=16, n_repetitions=3, n_noise_readouts=0),
        Flags(reconstruction="b1", method="mr"),
    ),
    "no noise": (Phantom(n_coils=4, n_x=16, n_y=16, n_noise_readouts=0), Flags()),
}


@pytest.mark.parametrize("name", RESULTS)
def test_a_report_written_anew_is_the_report_that_was_written(name: str, tmp_path: Path) -> None:
    """To the last byte: everything that it says is in the package, from the folder and from the zip file."""
    phantom, flags = RESULTS[name]
    package = write_result(tmp_path / "package", write_scan(tmp_path / "scan.dat", phantom), flags)
    written = (package / "report.html").read_text(encoding="utf-8")
    assert page_of(package) == written
    assert page_of(package / "package.zip") == written


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("package")
    return page_of(write_result(folder / "out", write_scan(folder / "scan.dat"), Flags(reconstruction="sense")))


@pytest.fixture(scope="module")
def pdf(page: str) -> bytes:
    return pdf_of(page)


def objects_of(pdf: bytes) -> bytes:
    """Everything in a PDF, object streams inflated."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    inflated = [zlib.decompress(stream) for stream in streams if stream[:1] == b"x"]
    return b"\n".join([pdf, *inflated])


def test_a_pdf_has_pages_a_title_and_tags_for_screen_readers(pdf: bytes) -> None:
    content = objects_of(pdf)
    assert pdf.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type /Page\b", content)) >= 2
    assert b"SNR report: AC, SENSE" in content
    assert b"/StructTreeRoot" in content
    assert b"/Lang" in content


def test_a_pdf_carries_its_own_fonts_and_every_picture(pdf: bytes, page: str) -> None:
    content = objects_of(pdf)
    names = re.findall(rb"/FontName ?/[A-Z]{6}\+([A-Za-z-]+)", content)
    assert names
    assert all(name.startswith(b"Report") for name in names)
    assert b"/FontFile" in content
    assert content.count(b"/Subtype /Image") >= page.count("<img ")


def test_nothing_outside_the_page_is_read_into_a_pdf(tmp_path: Path) -> None:
    """A drawing in the page is drawn; the same one in a file on this machine is not."""
    drawing = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'
    file = tmp_path / "secret.svg"
    file.write_text(drawing)
    in_page = "data:image/svg+xml;base64," + base64.b64encode(drawing.encode()).decode()
    drawn = [
        b"0 0 9 9 re" in objects_of(pdf_of(f'<html lang="en"><title>t</title><img src="{url}" alt="a"></html>'))
        for url in (in_page, file.as_uri())
    ]
    assert drawn == [True, False]


def test_without_the_extra_the_line_that_installs_it_is_said(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(MissingExtra) as refusal:
        pdf_of(page)
    assert "pip install 'mroptimum[report]'" in refusal.value.next_step
