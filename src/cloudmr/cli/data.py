"""`cloudmr data`: raw files on their way to a computing unit, and those that are there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cloudmr.cli.exit_codes import EPILOG
from cloudmr.cli.layout import in_bytes, local_time
from cloudmr.cli.session import KeepHeaders, ModeOption, UnitOption, signed_in
from cloudmr.cli.terminal import AsCsv, AsJson, Terminal, byte_bar
from cloudmr.cli.views import data_table

if TYPE_CHECKING:
    from cloudmr.client.answers import DataFile
    from cloudmr.client.brain import BrainClient
    from cloudmr.model.units import Mode

app = typer.Typer(no_args_is_help=True, help="Raw files: upload, list, rename, download, delete.")

DataId = Annotated[str, typer.Argument(metavar="DATA_ID", help="`cloudmr data list` shows them.")]
DataIds = Annotated[list[str], typer.Argument(metavar="DATA_ID…", help="`cloudmr data list` shows them.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Write over a file that is there already.")]


@app.command(epilog=EPILOG)
def upload(
    files: Annotated[
        list[Path], typer.Argument(help="Siemens TWIX, ISMRMRD, .mat, .npz, .cfl, NIfTI, DICOM, or package.zip.")
    ],
    unit: UnitOption = None,
    mode: ModeOption = None,
    name: Annotated[
        str | None, typer.Option(help="What to call the file there; its own name may name a person.")
    ] = None,
    keep_headers: KeepHeaders = False,
    as_json: AsJson = False,
) -> None:
    """Upload raw data, masks, maps and images; an upload that was interrupted goes on where it stopped.

    Header fields that may name a person are blanked before anything leaves this machine, as by `mroptimum anonymise`.
    """
    if name is not None and len(files) > 1:
        raise typer.BadParameter("it goes with one file only.", param_hint="--name")
    with signed_in(as_json) as (brain, terminal):
        done = [
            upload_file(brain, path, terminal, filename=name, unit=unit, mode=mode, keep_headers=keep_headers)
            for path in files
        ]
        values = [file.model_dump(mode="json") for file in done]
        terminal.answer(values, "\n".join(f"{file.id}  {file.filename}" for file in done))


@app.command(epilog=EPILOG)
def resume(
    data_id: DataId,
    file: Annotated[Path, typer.Argument(help="The file that the upload was begun with.")],
    keep_headers: KeepHeaders = False,
    as_json: AsJson = False,
) -> None:
    """Go on with an upload that was begun elsewhere, or abort it with `cloudmr data delete`."""
    with signed_in(as_json) as (brain, terminal):
        with byte_bar(f"Uploading {file.name}", file.stat().st_size if file.is_file() else 0) as advance:
            done = brain.resume_upload(data_id, file, keep_headers=keep_headers, advance=advance)
        terminal.answer(done.model_dump(mode="json"), f"{done.id}  {done.filename}")


@app.command(epilog=EPILOG)
def add(
    key: Annotated[str, typer.Argument(help="Key of the object in the data bucket of your unit: uploads/…")],
    unit: Annotated[str, typer.Option("--unit", metavar="ID", help="Your own computing unit.")],
    name: Annotated[str | None, typer.Option(help="What to call it. \\[default: the last part of the key]")] = None,
    as_json: AsJson = False,
) -> None:
    """Take note of an object that lies in the bucket of your own computing unit already; nothing is copied."""
    with signed_in(as_json) as (brain, terminal):
        file = brain.add_data(key, unit_id=unit, filename=name)
        terminal.answer(file.model_dump(mode="json"), f"{file.id}  {file.filename}")


@app.command("list", epilog=EPILOG)
def list_(
    deleted: Annotated[bool, typer.Option("--deleted", help="Those that were deleted and can be restored.")] = False,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """List your data files, the latest first."""
    with signed_in(as_json, as_csv) as (brain, terminal):
        files = list(brain.data_files(deleted=deleted))
        terminal.answer([file.model_dump(mode="json") for file in files], data_table(files))


@app.command(epilog=EPILOG)
def rename(data_id: DataId, name: str, as_json: AsJson = False) -> None:
    """Call a data file something else."""
    with signed_in(as_json) as (brain, terminal):
        file = brain.rename_data(data_id, filename=name)
        terminal.answer(file.model_dump(mode="json"), f"{file.id}  {file.filename}")


@app.command(epilog=EPILOG)
def download(
    data_id: DataId,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write. \\[default: its name, in this folder]")
    ] = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Bring a data file back; a download that was interrupted goes on where it stopped."""
    with signed_in(as_json) as (brain, terminal):
        file = brain.data_file(data_id)
        path = output or Path(Path(file.filename).name)
        with byte_bar(f"Downloading {path.name}", file.size_bytes) as advance:
            brain.download_data(data_id, path, overwrite=overwrite, advance=advance)
        terminal.answer({"path": str(path), "size_bytes": file.size_bytes}, f"{path}  {in_bytes(file.size_bytes)}")


@app.command(epilog=EPILOG)
def delete(
    data_ids: DataIds,
    for_good: Annotated[
        bool, typer.Option("--for-good", help="Without a way back, which makes room at once; you are asked first.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete data files, all or none; for a while `cloudmr data restore` brings them back."""
    if for_good and not yes:
        typer.confirm(
            f"Delete {len(data_ids)} data file{'s' if len(data_ids) > 1 else ''} for good?", abort=True, err=True
        )
    with signed_in(as_json) as (brain, terminal):
        files = brain.delete_data(*data_ids, for_good=for_good)
        lines = [
            f"Deleted {file.id}."
            + ("" if for_good else f" Until {local_time(file.restorable_until)} it can be restored.")
            for file in files
        ]
        terminal.answer([file.model_dump(mode="json") for file in files], "\n".join(lines))


@app.command(epilog=EPILOG)
def restore(data_ids: DataIds, as_json: AsJson = False) -> None:
    """Bring deleted data files back, all or none."""
    with signed_in(as_json) as (brain, terminal):
        files = brain.restore_data(*data_ids)
        lines = [f"Restored {file.id}  {file.filename}" for file in files]
        terminal.answer([file.model_dump(mode="json") for file in files], "\n".join(lines))


def upload_file(
    brain: BrainClient,
    path: Path,
    terminal: Terminal,
    *,
    filename: str | None = None,
    unit: str | None,
    mode: Mode | None,
    keep_headers: bool,
) -> DataFile:
    """Upload one file, showing how far it is and what was blanked in its header."""
    size_bytes = path.stat().st_size if path.is_file() else 0
    cleaned: list[str] = []
    with byte_bar(f"Uploading {path.name}", size_bytes) as advance:
        data_file = brain.upload(
            path,
            filename=filename,
            unit_id=unit,
            mode=mode,
            keep_headers=keep_headers,
            advance=advance,
            cleaned=cleaned.extend,
        )
    if cleaned:
        terminal.note(f"Blanked in what was sent of {path.name}: {', '.join(cleaned)}.")
    return data_file
