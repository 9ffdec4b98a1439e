"""Commands about result packages: compare two, verify one, and write its report anew."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mroptimum.cli.exit_codes import EPILOG, ExitCode
from mroptimum.cli.folders import refuse_if_there, refuse_unless_empty
from mroptimum.cli.terminal import AsJson, Terminal, answering, in_digits, progress_bar

if TYPE_CHECKING:
    from mroptimum.comparison import Comparison
    from mroptimum.package import ResultPackage
    from mroptimum.roi import Region
    from mroptimum.verify import Integrity, Repetition

app = typer.Typer()

Package = Annotated[Path, typer.Argument(metavar="PACKAGE", help="Folder of a result package, or its package.zip.")]


@app.command(epilog=EPILOG)
def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="A result package: folder or zip.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another one of the same geometry.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for page, numbers and ratio maps; must be empty.")
    ],
    mask: Annotated[Path | None, typer.Option(help="NIfTI mask; each label in it is a region.", dir_okay=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Compare two results map by map: differences, their ratio B / A, and whether stated errors explain them."""
    with answering(as_json) as terminal:
        from mroptimum.comparison import compare as compare_packages
        from mroptimum.comparison import write_comparison
        from mroptimum.package import opened, read_package

        refuse_unless_empty(output)
        with opened(a) as files_a, opened(b) as files_b:
            package_a, package_b = read_package(files_a), read_package(files_b)
            found = compare_packages(package_a, package_b, _regions(package_a, mask))
            output.mkdir(parents=True, exist_ok=True)
            numbers = write_comparison(output, found, package_a, package_b)
        if as_json:
            terminal.json({"page": str(output / "comparison.html"), **numbers})
        else:
            _show_comparison(terminal, found)
            terminal.text(f"Page: {output / 'comparison.html'}")


@app.command(epilog=EPILOG)
def verify(
    package: Package,
    signal: Annotated[
        Path | None, typer.Option(help="The raw file: compute again and compare.", dir_okay=False)
    ] = None,
    noise: Annotated[
        Path | None, typer.Option(help="The noise scan, if it was a file of its own.", dir_okay=False)
    ] = None,
    others: Annotated[
        list[Path] | None, typer.Option("--input", help="Another file it was made from; may be given several times.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Hold a package's files to their manifest; with the raw files, known by their SHA-256, repeat the computation."""
    given = [path for path in (signal, noise, *(others or ())) if path is not None]
    with answering(as_json) as terminal:
        from mroptimum.package import opened, read_package
        from mroptimum.verify import check_integrity, repeat

        with opened(package) as files:
            integrity = check_integrity(files)
            repetition = None
            if given and integrity.is_whole:
                with progress_bar() as show:
                    repetition = repeat(read_package(files), given, progress=show)
        if as_json:
            terminal.json(
                {
                    "is_whole": integrity.is_whole,
                    "is_repeated": repetition.is_good if repetition else None,
                    "integrity": asdict(integrity),
                    "repetition": asdict(repetition) if repetition else None,
                }
            )
        else:
            _show_integrity(terminal, integrity)
            if repetition is not None:
                _show_repetition(terminal, repetition)
            elif given:
                terminal.warn("Nothing was repeated: a changed package says nothing about what it was.")
    if not integrity.is_whole or (repetition is not None and not repetition.is_good):
        raise typer.Exit(ExitCode.DIFFERENT)


@app.command(epilog=EPILOG)
def report(
    package: Package,
    output: Annotated[Path, typer.Option("--output", "-o", help="FILE.html or FILE.pdf; must not be there yet.")],
    as_json: AsJson = False,
) -> None:
    """Write a package's report anew, as one HTML file or as PDF."""
    kind = output.suffix.lower()
    if kind not in {".html", ".pdf"}:
        raise typer.BadParameter("The name has to end in .html or .pdf.", param_hint="--output")
    with answering(as_json) as terminal:
        from mroptimum.package import opened, read_package
        from mroptimum.report.content import content_of_package
        from mroptimum.report.html import report_page

        refuse_if_there(output)
        with opened(package) as files:
            page = report_page(content_of_package(read_package(files)))
        if kind == ".pdf":
            from mroptimum.report.pdf import pdf_of

            output.write_bytes(pdf_of(page))
        else:
            output.write_text(page, encoding="utf-8")
        if as_json:
            terminal.json({"report": str(output), "size_bytes": output.stat().st_size})
        else:
            terminal.text(f"Report: {output}")


def _regions(package: ResultPackage, mask: Path | None) -> tuple[Region, ...]:
    """Return the regions of a mask, which lies on one of the package's stacks of slices."""
    if mask is None:
        return ()
    from mroptimum.roi import regions_of_mask
    from mroptimum.volume_file import in_order_of, read_volume

    drawing = read_volume(mask)
    grids = [volume.grid for stored in package.maps[:1] for volume in package.volumes(stored)]
    fitting = [g for g in grids if in_order_of(drawing, g.affine).grid.coincides_with(g)]
    return regions_of_mask(drawing, (fitting or grids)[0], name="region")


def _show_comparison(terminal: Terminal, found: Comparison) -> None:
    rows: list[tuple[str, ...]] = []
    for pair in found.pairs:
        for of_region in pair.differences:
            d = of_region.difference
            if d is None:
                rows.append((pair.name, of_region.region, "0", *("–",) * 5))
                continue
            stated = "–" if d.stated is None else f"{d.stated.in_errors:+.2f}{' !' if d.stated.is_exceeded else ''}"
            numbers = (in_digits(v) for v in (d.mean_a, d.mean_b, d.mean, d.median_ratio))
            rows.append((pair.name, of_region.region, str(d.n_voxels), *numbers, stated))
    terminal.table(("map", "region", "n", "mean A", "mean B", "B - A", "B / A", "in stated errors"), rows)
    for side, names in (("A", found.only_in_a), ("B", found.only_in_b)):
        if names:
            terminal.note(f"Only in {side}: {', '.join(names)}.")


def _show_integrity(terminal: Terminal, integrity: Integrity) -> None:
    for problem in integrity.problems:
        terminal.text(f"{problem.state}: {problem.path}")
    verdict = "all as written" if integrity.is_whole else f"{len(integrity.problems)} not as written"
    terminal.text(f"{integrity.n_files} files, {verdict}. SHA-256 of the manifest: {integrity.manifest_sha256}")


def _show_repetition(terminal: Terminal, repetition: Repetition) -> None:
    rows = [
        (m.map, m.agreement.replace("_", " "), in_digits(m.largest_deviation, 3), f"{m.n_deviating} of {m.n_voxels}")
        for m in repetition.maps
    ]
    terminal.table(("map", "repeated", "largest deviation", "voxels beyond 1e-5"), rows)
    if repetition.version_then != repetition.version_now:
        terminal.note(f"Written by version {repetition.version_then}, repeated by {repetition.version_now}.")
