"""The routes of existing clients: other words and shapes for the same services, and nothing else.

Jobs are called pipelines there, and know three states; ids are ours. What has a route of ours is documented there;
these are left out of the schema.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query

from cloudmr.api import compatibility_bodies as old
from cloudmr.api.access import Owner, Reader, TheBrain, Worker
from cloudmr.api.bodies import IdText
from cloudmr.errors import Conflict, InvalidRequest, NotFound, UnitUnavailable
from cloudmr.model.data_files import DataState
from cloudmr.model.ids import Kind
from cloudmr.model.people import Caller
from cloudmr.model.units import APP_NAME, Mode
from cloudmr.services import data_files, jobs, regions
from cloudmr.services.add_data import add_data
from cloudmr.services.brain import Brain
from cloudmr.services.delete_data import delete_data
from cloudmr.services.delete_job import delete_job
from cloudmr.services.get_profile import get_profile
from cloudmr.services.list_units import list_units
from cloudmr.services.pipelines import count_pipelines, get_pipeline, key_of
from cloudmr.services.plan_job import JobOrder
from cloudmr.services.remove_unit import remove_unit
from cloudmr.services.rename_job import rename_job
from cloudmr.services.result_packages import open_package, package_link
from cloudmr.services.submit_job import submit_job
from cloudmr.services.unannounced_upload import finish_upload, sign_all_parts
from cloudmr.services.upload_data import start_upload
from cloudmr.services.views import DataView, JobView

router = APIRouter(prefix="/api", include_in_schema=False)

_AT_ONCE = 16
_LISTED = 200
"""These clients know no pages; whoever has more uses ours."""
Route = TypeVar("Route", bound=Callable[..., Any])


def either(path: str, *methods: str) -> Callable[[Route], Route]:
    """Declare a route that existing clients use with more than one method."""
    return router.api_route(path, methods=list(methods))


@router.get("/profile")
def profile(caller: Reader, brain: TheBrain) -> old.OldProfile:
    """Return the account of whoever asks."""
    return old.OldProfile.of(get_profile(brain, caller))


@router.get("/data/read")
def read_data(caller: Reader, brain: TheBrain) -> list[old.OldDataFile]:
    """List data files."""
    found = data_files.list_data(brain, caller, limit=_LISTED)
    return [old.OldDataFile.of(view, link=_data_link(brain, caller, view)) for view in found]


@router.post("/data/create")
def create_data(body: old.OldDataRequest, caller: Worker, brain: TheBrain) -> old.OldDataFile:
    """Take note of an object that lies in the caller's own unit already."""
    place = body.location
    units = list_units(brain, caller, app_name=APP_NAME)
    unit = next((unit for unit in units if unit.data_bucket == place.bucket), None)
    if unit is None or unit.mode is Mode.MODE_1:
        raise InvalidRequest(
            "Only an object in the data bucket of a computing unit of your own can be made a data file.",
            "Upload the file (POST /api/upload_initiate).",
            code="not_your_unit",
        )
    return old.OldDataFile.of(add_data(brain, caller, unit_id=unit.id, key=place.key, filename=body.filename))


@either("/data/update", "POST", "PUT")
def update_data(body: old.OldRename, caller: Worker, brain: TheBrain) -> old.OldDataFile:
    """Call a data file something else."""
    return old.OldDataFile.of(data_files.rename_data(brain, caller, body.fileid, filename=body.filename))


@either("/data/delete/{data_id}", "POST", "DELETE")
def remove_data(data_id: IdText, caller: Worker, brain: TheBrain) -> old.OldDone:
    """Remove a data file."""
    delete_data(brain, caller, [data_id])
    return old.OldDone(message="The file was deleted.")


@router.post("/upload_initiate")
def initiate_upload(body: old.OldUpload, caller: Worker, brain: TheBrain) -> old.OldUploadAnswer:
    """Begin an upload; parts of 10 MiB go to the URLs in order."""
    started = start_upload(
        brain,
        caller,
        filename=body.filename,
        size_bytes=body.filesize,
        unit_id=body.computing_unit_id,
        mode=body.mode,
        announces_parts=False,
    )
    file = started.view.data_file
    return old.OldUploadAnswer(
        uploadId=file.upload_id,
        partUrls=[request.url for request in sign_all_parts(brain, started)],
        Key=file.key,
        response=old.OldDataFile.of(started.view),
    )


@router.post("/upload_finalize")
def finalize_upload(body: old.OldFinish, caller: Worker, brain: TheBrain) -> old.OldDataFile:
    """Join the parts."""
    etags = {part.part_number: part.etag for part in body.parts}
    view = finish_upload(brain, caller, key=body.key, upload_id=body.upload_id, etags=etags)
    return old.OldDataFile.of(view, link=_data_link(brain, caller, view))


@router.post("/pipeline/request")
def request_pipeline(body: old.OldAnnouncement, caller: Worker, brain: TheBrain) -> old.OldPipeline:
    """Give the id under which a job will be asked for."""
    _ = caller, body
    pipeline = brain.new_id(Kind.JOB)
    return old.OldPipeline(pipeline=pipeline, pipelineId=pipeline, pipeline_id=pipeline)


@router.post("/pipeline/queue_job")
def queue_job(body: old.OldJobRequest, caller: Worker, brain: TheBrain) -> old.OldQueued:
    """Ask for a job; with the id of a request it is one job however often it is asked for."""
    document = {"task": _without_ids(body.task)} | ({} if body.output is None else {"output": body.output})
    order = JobOrder(
        document=document,
        app_name=body.app_name,
        alias=body.alias,
        mode=body.mode,
        unit_id=body.computing_unit_id,
        idempotency_key=key_of(body.pipeline) if body.pipeline else None,
    )
    job = submit_job(brain, caller, order)
    return old.OldQueued.of(jobs.get_job(brain, caller, job.id))


@router.get("/pipeline/list")
def list_pipelines(caller: Reader, brain: TheBrain) -> old.OldJobs:
    """List jobs, the latest first."""
    found = jobs.list_jobs(brain, caller, limit=_LISTED)
    # The first link into each job's results begins a session in its unit's account: several at once.
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="links") as threads:
        return old.OldJobs(jobs=list(threads.map(partial(_old_job, brain), found)))


@router.get("/pipeline/count_calculations")
def count_calculations(
    caller: Reader, brain: TheBrain, mode: Mode = Mode.MODE_1, cloudapp_name: str = APP_NAME
) -> old.OldCount:
    """Count the jobs that were ever submitted to units of a mode."""
    return old.OldCount(count=count_pipelines(brain, caller, mode=mode) if cloudapp_name == APP_NAME else 0)


@router.get("/pipeline/status/{pipeline}")
def pipeline_status(pipeline: IdText, caller: Reader, brain: TheBrain) -> old.OldStatus:
    """Say where a job stands."""
    return old.OldStatus.of(get_pipeline(brain, caller, pipeline))


@either("/pipeline/update", "POST", "PUT")
def update_pipeline(body: old.OldJobName, caller: Worker, brain: TheBrain) -> old.OldJob:
    """Call a job something else."""
    job_id = get_pipeline(brain, caller, body.id).job.id
    rename_job(brain, caller, job_id, alias=body.alias)
    return _old_job(brain, jobs.get_job(brain, caller, job_id))


@either("/pipeline/delete", "POST", "DELETE")
def delete_pipeline(
    caller: Worker,
    brain: TheBrain,
    body: old.OldId | None = None,
    pipeline: Annotated[IdText | None, Query(alias="id")] = None,
) -> old.OldDone:
    """Remove a job that has ended."""
    return delete_pipeline_by_path(_given(pipeline, body), caller, brain)


@either("/pipeline/delete/{pipeline}", "POST", "DELETE")
def delete_pipeline_by_path(pipeline: IdText, caller: Worker, brain: TheBrain) -> old.OldDone:
    """Remove a job that has ended."""
    delete_job(brain, caller, get_pipeline(brain, caller, pipeline).job.id)
    return old.OldDone(message="The job was deleted.")


@router.get("/pipeline/{pipeline}")
def show_pipeline(pipeline: IdText, caller: Reader, brain: TheBrain) -> old.OldJob:
    """Return one job."""
    return _old_job(brain, get_pipeline(brain, caller, pipeline))


@router.post("/unzip")
def unzip(body: old.OldLocation, caller: Reader, brain: TheBrain) -> old.OldUnzipped:
    """Say what is in a job's result package, and where to get each file of it."""
    package = open_package(brain, caller, bucket=body.bucket, key=body.key)
    links = {name: request.url for name, request in package.files.items()}
    # A unit of somebody else's may have written anything.
    entries = [
        entry
        for entry in _list(package.info.get("data"))
        if isinstance(entry, dict) and isinstance(entry.get("filename"), str)
    ]
    return old.OldUnzipped(
        headers=_object(package.info.get("headers")),
        data=[
            old.OldEntry.model_validate(entry | {"link": links[entry["filename"]]})
            for entry in entries
            if entry["filename"] in links
        ],
        info=_object(package.info.get("info")),
    )


@router.get("/roi/list")
def list_rois(
    caller: Reader, brain: TheBrain, pipeline: Annotated[IdText, Query(alias="pipeline_id")]
) -> list[old.OldRegion]:
    """List the regions of a job."""
    job_id = get_pipeline(brain, caller, pipeline).job.id
    return [old.OldRegion.of(view) for view in regions.list_regions(brain, caller, job_id)]


@router.post("/roi/upload")
def upload_roi(body: old.OldRegionRequest, caller: Worker, brain: TheBrain) -> old.OldRegionAnswer:
    """Announce a region, and say where its mask goes."""
    job_id = get_pipeline(brain, caller, body.pipeline_id).job.id
    announced = regions.announce_region(brain, caller, job_id, name=body.filename)
    return old.OldRegionAnswer(
        id=announced.region.id, upload_url=announced.upload.url, access_url=announced.download.url
    )


@either("/roi/delete", "POST", "DELETE")
def delete_roi(
    caller: Worker,
    brain: TheBrain,
    body: old.OldId | None = None,
    roi: Annotated[IdText | None, Query(alias="id")] = None,
) -> old.OldDone:
    """Remove a region."""
    return delete_roi_by_path(_given(roi, body), caller, brain)


@either("/roi/delete/{region_id}", "POST", "DELETE")
def delete_roi_by_path(region_id: IdText, caller: Worker, brain: TheBrain) -> old.OldDone:
    """Remove a region."""
    region = regions.region_of(brain, caller, region_id)
    regions.delete_region(brain, caller, region.job_id, region.id)
    return old.OldDone(message="The region was deleted.")


@router.get("/cloudapp/list")
def list_apps(caller: Reader) -> old.OldApps:
    """List the applications."""
    _ = caller
    return old.OldApps(apps=[old.OldApp()])


@router.post("/cloudapp/create")
def create_app(body: old.OldAppRequest, caller: Owner) -> old.OldAppAnswer:
    """Return the application, which is there already; there is no other."""
    _ = caller
    if body.name != APP_NAME:
        raise Conflict(
            f"This CloudMR Brain runs {APP_NAME}, and no other application.",
            f"Use {APP_NAME}; there is nothing to create.",
            code="one_application",
        )
    return old.OldAppAnswer(data=old.OldAppData(app=old.OldApp()))


@either("/computing-unit/delete", "POST", "DELETE")
def delete_unit(body: old.OldId, caller: Owner, brain: TheBrain) -> old.OldDone:
    """Give up a unit."""
    unit = remove_unit(brain, caller, body.id)
    return old.OldDone(message=f"The computing unit {unit.alias} was removed; its stack and buckets stay.")


def _data_link(brain: Brain, caller: Caller, view: DataView) -> str:
    """Return a link to a data file, nothing where there is none (yet)."""
    if view.data_file.state is not DataState.READY:
        return ""
    try:
        return data_files.download_data(brain, caller, view.data_file.id).url
    except (Conflict, UnitUnavailable):
        return ""


def _old_job(brain: Brain, view: JobView) -> old.OldJob:
    return old.OldJob.of(view, package_link(brain, view))


def _given(from_query: str | None, body: old.OldId | None) -> str:
    found = from_query or (body.id if body else None)
    if found is None:
        raise NotFound("job")
    return found


def _without_ids(value: Any) -> Any:
    """Return a task without what these clients number and link its files by; bucket and key say which they are."""
    if isinstance(value, list):
        return [_without_ids(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    is_file = value.get("type") == "file"
    dropped = {"id", "link"} if is_file else {"files"}
    return {name: _without_ids(inner) for name, inner in value.items() if name not in dropped}


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
