"""`cloudmr region`: regions of interest in a job's images; `mroptimum roi` measures in them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cloudmr.cli.data import Overwrite
from cloudmr.cli.exit_codes import EPILOG
from cloudmr.cli.jobs import JobId
from cloudmr.cli.session import signed_in
from cloudmr.cli.terminal import AsCsv, AsJson
from cloudmr.cli.unit_views import region_table

app = typer.Typer(no_args_is_help=True, help="Regions of interest in a job's images: upload, list, download, delete.")

RegionId = Annotated[str, typer.Argument(metavar="REGION_ID", help="`cloudmr region list JOB_ID` shows them.")]


@app.command("list", epilog=EPILOG)
def list_(job_id: JobId, as_csv: AsCsv = False, as_json: AsJson = False) -> None:
    """List the regions of a job, the oldest first."""
    with signed_in(as_json, as_csv) as (brain, terminal):
        regions = brain.regions.of_job(job_id)
        shown = [region.model_dump(mode="json", by_alias=True, exclude={"download"}) for region in regions]
        terminal.answer(shown, region_table(regions))


@app.command(epilog=EPILOG)
def upload(
    job_id: JobId,
    mask: Annotated[Path, typer.Argument(help="Mask in the geometry of the job's maps, as compressed NIfTI.")],
    name: Annotated[str | None, typer.Option(help="What to call it. \\[default: the file's name]")] = None,
    as_json: AsJson = False,
) -> None:
    """Keep a mask with a job."""
    with signed_in(as_json) as (brain, terminal):
        region = brain.regions.upload(job_id, mask, name=name)
        value = region.model_dump(mode="json", by_alias=True, exclude={"download"})
        terminal.answer(value, f"{region.region_id}  {region.name}")


@app.command(epilog=EPILOG)
def download(
    job_id: JobId,
    region_id: RegionId,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write. \\[default: REGION_ID.nii.gz, in this folder]")
    ] = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Bring a mask here."""
    with signed_in(as_json) as (brain, terminal):
        path = output or Path(f"{region_id}.nii.gz")
        brain.regions.fetch(job_id, region_id, path, overwrite=overwrite)
        terminal.answer({"path": str(path)}, str(path))


@app.command(epilog=EPILOG)
def delete(job_id: JobId, region_id: RegionId, as_json: AsJson = False) -> None:
    """Remove a region."""
    with signed_in(as_json) as (brain, terminal):
        brain.regions.delete(job_id, region_id)
        terminal.answer({"deleted": region_id}, f"Deleted {region_id}.")
