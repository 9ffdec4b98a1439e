from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import anyio
import pytest

from bench import Bench
from cloudmr.errors import InvalidRequest, LimitReached, NotFound
from cloudmr.model.jobs import Job
from cloudmr.model.people import Caller
from cloudmr.model.regions import MAX_MASK_BYTES, MAX_REGIONS_OF_JOB
from cloudmr.services.delete_job import delete_job
from cloudmr.services.regions import (
    AnnouncedRegion,
    announce_region,
    delete_region,
    describe_region,
    list_regions,
    purge_regions,
)
from cloudmr.services.settle_job import settle_job
from cloudmr.storage.base import Bucket
from cloudmr.storage.conformance import encoded_sha256
from cloudmr.storage.errors import ChecksumMismatch

MASK = b"\x1f\x8b a mask"


@pytest.fixture
def job(bench: Bench, ada: Caller) -> Job:
    job = bench.running_job(ada)
    bench.succeed(job)
    return settle_job(bench.brain, job.id)


def put(bench: Bench, announced: AnnouncedRegion, mask: bytes = MASK) -> None:
    """Do what a page does with the signed request."""
    parts = urlsplit(announced.upload.url)
    bucket, _, key = parts.path.removeprefix("/objects/").partition("/")

    async def body() -> object:
        yield mask

    async def send() -> None:
        query = dict(parse_qsl(parts.query))
        await bench.storage.receive_object(bucket, key, query, body(), content_length=len(mask))  # type: ignore[arg-type]  # bytes, in one piece

    anyio.run(send)


def drawn(bench: Bench, caller: Caller, job: Job, name: str = "white matter") -> str:
    announced = announce_region(bench.brain, caller, job.id, name=name)
    put(bench, announced)
    return announced.region.id


def test_a_region_is_there_when_its_mask_is(bench: Bench, ada: Caller, job: Job) -> None:
    description = {"colour": "#0072b2", "statistics": {"mean": 41.5}}
    announced = announce_region(
        bench.brain,
        ada,
        job.id,
        name="white matter",
        description=description,
        size_bytes=len(MASK),
        sha256=encoded_sha256(MASK),
    )
    assert announced.region.key == f"regions/{job.id}/{announced.region.id}.nii.gz"
    assert list_regions(bench.brain, ada, job.id) == []
    put(bench, announced)
    [view] = list_regions(bench.brain, ada, job.id)
    assert view.region == announced.region
    assert (view.size_bytes, view.bucket) == (len(MASK), "data")
    assert "statistics" in view.region.description
    assert bench.storage.read(Bucket.DATA, announced.region.key, limit_bytes=100) == MASK
    assert announced.region.key in view.download.url


def test_another_mask_than_was_announced_is_refused(bench: Bench, ada: Caller, job: Job) -> None:
    announced = announce_region(bench.brain, ada, job.id, name="a", sha256=encoded_sha256(MASK))
    with pytest.raises(ChecksumMismatch):
        put(bench, announced, b"another")
    assert list_regions(bench.brain, ada, job.id) == []


def test_regions_are_in_the_order_in_which_they_were_drawn(bench: Bench, ada: Caller, job: Job) -> None:
    names = ["b", "a", "c"]
    for name in names:
        bench.clock.advance(milliseconds=1)
        drawn(bench, ada, job, name)
    assert [view.region.name for view in list_regions(bench.brain, ada, job.id)] == names


def test_a_region_is_renamed_and_described_anew(bench: Bench, ada: Caller, job: Job) -> None:
    region_id = drawn(bench, ada, job)
    bench.clock.advance(minutes=1)
    renamed = describe_region(bench.brain, ada, job.id, region_id, name="grey matter")
    assert (renamed.name, renamed.description) == ("grey matter", "{}")
    assert renamed.updated_at == bench.clock.now
    described = describe_region(bench.brain, ada, job.id, region_id, description={"a": 1})
    assert (described.name, described.description) == ("grey matter", '{"a":1}')


def test_a_deleted_region_and_its_mask_go(bench: Bench, ada: Caller, job: Job) -> None:
    kept, gone = drawn(bench, ada, job), drawn(bench, ada, job)
    delete_region(bench.brain, ada, job.id, gone)
    assert [view.region.id for view in list_regions(bench.brain, ada, job.id)] == [kept]
    assert purge_regions(bench.brain) == 1
    assert purge_regions(bench.brain) == 0
    assert [info.key for info in bench.storage.list(Bucket.DATA, "regions/")] == [f"regions/{job.id}/{kept}.nii.gz"]


def test_in_a_unit_of_ones_own_the_mask_stays(bench: Bench, ada: Caller) -> None:
    bench.own_unit(ada, is_default=True)
    job = bench.job(ada)
    region_id = drawn(bench, ada, job)
    delete_region(bench.brain, ada, job.id, region_id)
    assert purge_regions(bench.brain) == 1
    assert list_regions(bench.brain, ada, job.id) == []
    assert [info.size_bytes for info in bench.storage.list(Bucket.DATA, "regions/")] == [len(MASK)]


@pytest.mark.parametrize(
    "use",
    [
        lambda bench, caller, job, region: announce_region(bench.brain, caller, job, name="mine"),
        lambda bench, caller, job, region: list_regions(bench.brain, caller, job),
        lambda bench, caller, job, region: describe_region(bench.brain, caller, job, region, name="mine"),
        lambda bench, caller, job, region: delete_region(bench.brain, caller, job, region),
    ],
)
def test_regions_are_their_owners(
    bench: Bench, ada: Caller, bob: Caller, job: Job, use: Callable[[Bench, Caller, str, str], object]
) -> None:
    region_id = drawn(bench, ada, job)
    with pytest.raises(NotFound):
        use(bench, bob, job.id, region_id)
    with pytest.raises(NotFound):
        use(bench, ada, "job_00000000000000000000000000", region_id)


def test_a_region_belongs_to_its_job(bench: Bench, ada: Caller, job: Job) -> None:
    region_id = drawn(bench, ada, job)
    other = bench.job(ada)
    with pytest.raises(NotFound):
        delete_region(bench.brain, ada, other.id, region_id)


def test_a_deleted_job_has_no_regions(bench: Bench, ada: Caller, job: Job) -> None:
    drawn(bench, ada, job)
    delete_job(bench.brain, ada, job.id)
    with pytest.raises(NotFound):
        list_regions(bench.brain, ada, job.id)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": " \n"},
        {"name": "x" * 256},
        {"name": "x", "description": {"x": "y" * 17_000}},
        {"name": "x", "size_bytes": 0},
        {"name": "x", "size_bytes": MAX_MASK_BYTES + 1},
    ],
)
def test_what_cannot_be_a_region_is_refused(bench: Bench, ada: Caller, job: Job, wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest):
        announce_region(bench.brain, ada, job.id, **wrong)  # type: ignore[arg-type]  # on purpose


def test_there_are_not_too_many(bench: Bench, ada: Caller, job: Job) -> None:
    for _ in range(MAX_REGIONS_OF_JOB):
        announce_region(bench.brain, ada, job.id, name="x")
    with pytest.raises(LimitReached) as refused:
        announce_region(bench.brain, ada, job.id, name="x")
    assert refused.value.instance_code == "too_many_regions"


def test_a_name_is_offered_for_download_without_being_a_path(
    bench: Bench, ada: Caller, job: Job, tmp_path: Path
) -> None:
    drawn(bench, ada, job, "../../etc/passwd")
    [view] = list_regions(bench.brain, ada, job.id)
    assert dict(parse_qsl(urlsplit(view.download.url).query))["filename"] == ".._.._etc_passwd.nii.gz"
