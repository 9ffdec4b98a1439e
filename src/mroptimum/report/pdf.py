"""A page as PDF: the print stylesheet, laid out by WeasyPrint (the extra `report`).

The text is set in the DejaVu fonts that come with Matplotlib, so that a report looks the same on every machine, also on
one without fonts. Nothing is fetched: pictures are in the page, and any other address is refused.
"""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from types import ModuleType

from mroptimum.errors import MissingExtra

_FONTS = (("DejaVuSans.ttf", "Report", "normal"), ("DejaVuSans-Bold.ttf", "Report", "bold"))
_MONOSPACE = ("DejaVuSansMono.ttf", "Report Mono", "normal")


def pdf_of(page: str) -> bytes:
    """Return an HTML page as PDF, tagged for screen readers.

    Raises `MissingExtra` where WeasyPrint, or the library Pango that it needs, is not installed.
    """
    weasyprint = _weasyprint()
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import URLFetcher

    fonts = FontConfiguration()
    style = weasyprint.CSS(
        string=_font_style(), font_config=fonts, url_fetcher=URLFetcher(allowed_protocols=frozenset({"file"}))
    )
    html = weasyprint.HTML(string=page, url_fetcher=URLFetcher(allowed_protocols=frozenset({"data"})))
    pdf: bytes = html.write_pdf(stylesheets=[style], font_config=fonts, pdf_tags=True)
    return pdf


def _weasyprint() -> ModuleType:
    # Without Pango, WeasyPrint prints advice to standard output, which is not its own.
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            import weasyprint
        except ModuleNotFoundError:
            raise MissingExtra(
                "Writing PDF needs WeasyPrint, which is not installed.",
                "Install the part report: pip install 'mroptimum[report]'; or write HTML and print it from a browser.",
            ) from None
        except OSError:
            raise MissingExtra(
                "Writing PDF needs the library Pango, which is not installed.",
                "Install it (Debian: apt-get install libpango-1.0-0 libpangoft2-1.0-0; macOS: brew install pango); or "
                "write HTML and print it from a browser.",
            ) from None
    module: ModuleType = weasyprint
    return module


def _font_style() -> str:
    from matplotlib import get_data_path

    folder = Path(get_data_path()) / "fonts" / "ttf"
    faces = "".join(
        f'@font-face {{ font-family: "{family}"; font-weight: {weight}; src: url("{(folder / name).as_uri()}"); }}'
        for name, family, weight in (*_FONTS, _MONOSPACE)
    )
    return (
        f'{faces} body {{ font-family: "Report" !important; }} pre {{ font-family: "Report Mono" !important; }} '
        '@page { @bottom-right { font-family: "Report" !important; } }'
    )
