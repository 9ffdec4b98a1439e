"""Commands about raw files: what is in one, a copy that names nobody, and synthetic ones whose truth is known."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mroptimum.cli.exit_codes import EPILOG
from mroptimum.cli.folders import existing, refuse_if_there
from mroptimum.cli.terminal import AsJson, answering

app = typer.Typer()


@app.command()
def inspect(file: Annotated[Path, typer.Argument(dir_okay=False)], as_json: AsJson = False) -> None:
    """Say what a file holds, from its headers, and which fields `anonymise` would blank."""
    from mroptimum import rawdata
    from mroptimum.rawdata.summary import sha256_of

    with answering(as_json) as terminal:
        found = rawdata.inspect(existing(file))
        sha256 = sha256_of(file)
        if as_json:
            terminal.json({**asdict(found), "sha256": sha256})
            return
        terminal.record(
            "",
            [
                ("format", found.file_format),
                ("holds", found.kind),
                ("size", f"{found.size_bytes:,} bytes"),
                ("SHA-256", sha256),
                ("identifying fields", ", ".join(found.identifying_fields) or "none filled"),
                *(("note", note) for note in found.notes),
            ],
        )
        for number, measurement in enumerate(found.measurements, start=1):
            rows = [(key.replace("_", " "), str(value)) for key, value in measurement.items()]
            terminal.record(f"Measurement {number}", rows)


@app.command(epilog=EPILOG)
def anonymise(
    file: Annotated[Path, typer.Argument(dir_okay=False)],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write. \\[default: the name with .anonymous in it]"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a copy in which no header field identifies a person: raw data, DICOM, NIfTI, arrays.

    Values are overwritten at their length; every measured byte stays as it is. Names of fields are printed, never
    values. What people see in the picture, and the name of the file, are left as they are.
    """
    with answering(as_json) as terminal:
        from mroptimum.rawdata.anonymise.cleaning import anonymise as write_clean
        from mroptimum.rawdata.anonymise.cleaning import cleaned

        existing(file)
        if output is None:
            with cleaned(file) as clean:
                stem = file.name.removesuffix(clean.suffix) if file.name.endswith(clean.suffix) else file.stem
                output = file.with_name(f"{stem}.anonymous{clean.suffix}")
        refuse_if_there(output)
        clean = write_clean(file, output)
        if as_json:
            terminal.json(
                {
                    "output": str(output),
                    "file_format": clean.file_format,
                    "fields": list(clean.fields),
                    "size_bytes": clean.size_bytes,
                    "notes": list(clean.notes),
                }
            )
            return
        terminal.text(f"Cleaned: {', '.join(clean.fields) or 'nothing to clean, the copy is the same'}")
        terminal.text(f"Written: {output}")
        for note in clean.notes:
            terminal.note(note)


@app.command()
def phantom(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the files; made if needed.")],
    as_json: AsJson = False,
) -> None:
    """Write synthetic raw files (TWIX, ISMRMRD, npz) whose SNR is known in closed form, with the truth beside them."""
    from mroptimum.phantom import write_set

    with answering(as_json) as terminal:
        files = write_set(output)
        if as_json:
            terminal.json(
                [{"raw": str(f.raw), "truth": str(f.truth_arrays), "about": str(f.truth_description)} for f in files]
            )
            return
        for written in files:
            terminal.text(f"{written.raw}  (truth: {written.truth_arrays.name}, {written.truth_description.name})")
