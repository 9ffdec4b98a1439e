from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bench import Bench, task_of
from cloudmr.compute.base import Cause, ExecutionState
from cloudmr.errors import InvalidRequest, LimitReached
from cloudmr.model.acquisition_size import AcquisitionSize
from cloudmr.model.costs import LEAST_JOBS
from cloudmr.model.data_files import DataFile
from cloudmr.model.estimates import DEADLINE_S, LONGEST_DEADLINE_S
from cloudmr.model.limits import Limits
from cloudmr.model.people import Caller
from cloudmr.model.platforms import FARGATE_SIZES, LAMBDA_SIZE, Platform
from cloudmr.model.units import UnitStatus
from cloudmr.services.dispatch_jobs import dispatch_jobs
from cloudmr.services.jobs import list_jobs
from cloudmr.services.plan_job import JobOrder, JobPlan, estimate_job
from cloudmr.services.settle_job import settle_job
from cloudmr.services.submit_job import submit_job
from cloudmr.services.upload_data import complete_upload, start_upload

LARGE = AcquisitionSize(n_coils=32, n_x=768, n_y=384, n_slices=100)


def acquired(bench: Bench, owner: Caller, size: AcquisitionSize | None) -> DataFile:
    data_file = start_upload(bench.brain, owner, filename="meas.dat", size_bytes=8).view.data_file
    bench.send_part(data_file, b"raw data")
    return complete_upload(bench.brain, owner, data_file.id, acquisition=size).data_file


def plan(bench: Bench, owner: Caller, size: AcquisitionSize | None = None, **order: object) -> JobPlan:
    data_file = acquired(bench, owner, size)
    return estimate_job(bench.brain, owner, JobOrder(document={"task": task_of(data_file)}, **order))  # type: ignore[arg-type]


def test_an_estimate_asks_for_nothing(bench: Bench, ada: Caller) -> None:
    bench.brain = replace(bench.brain, limits=Limits(n_monthly_each=0))
    plan(bench, ada)
    with bench.brain.database.read() as transaction:
        assert transaction.jobs.of_owner(ada.id, limit=1) == []
    with pytest.raises(LimitReached):
        bench.job(ada)


def test_bytes_alone_are_said_to_be_all_that_is_known(bench: Bench, ada: Caller) -> None:
    guessed = plan(bench, ada)
    assert guessed.is_from_bytes
    assert "the size of the input files alone" in guessed.estimate.basis
    known = plan(bench, ada, AcquisitionSize(n_coils=16, n_x=256, n_y=128, n_slices=3))
    assert not known.is_from_bytes
    assert "16 coils, 256 x 128 x 1 samples, 3 slices" in known.estimate.basis


def test_what_was_estimated_is_kept_with_the_job(bench: Bench, ada: Caller) -> None:
    data_file = acquired(bench, ada, AcquisitionSize(n_coils=16, n_x=256, n_y=128))
    order = JobOrder(document={"task": task_of(data_file)})
    before = estimate_job(bench.brain, ada, order)
    job = submit_job(bench.brain, ada, order)
    assert (job.forecast, job.estimate, job.platform) == (before.forecast, before.estimate, before.platform.platform)


def test_a_machine_of_ones_own_is_all_there_is(bench: Bench, ada: Caller) -> None:
    found = plan(bench, ada, LARGE)
    assert (found.platform.platform, found.platform.size, found.price.microdollars) == (Platform.LOCAL, None, 0)
    with pytest.raises(InvalidRequest, match="has no fargate; it has local") as refused:
        plan(bench, ada, platform=Platform.FARGATE)
    assert refused.value.instance_code == "platform_impossible"


def test_on_aws_small_jobs_go_to_lambda_and_large_ones_to_fargate(bench: Bench, ada: Caller) -> None:
    bench.own_unit(ada, is_default=True)
    small = plan(bench, ada, AcquisitionSize(n_coils=8, n_x=128, n_y=64))
    assert (small.platform.platform, small.platform.size) == (Platform.LAMBDA, LAMBDA_SIZE)
    assert small.estimate.memory_bytes == LAMBDA_SIZE.memory_bytes
    assert small.price.microdollars > 0
    large = plan(bench, ada, LARGE)
    assert large.platform.platform is Platform.FARGATE
    assert large.platform.size is not None
    assert large.platform.size.memory_bytes >= large.forecast.memory_bytes
    assert "Lambda is too small" in large.platform.reason
    assert large.price.microdollars > small.price.microdollars


def test_ones_wish_is_granted_where_it_is_possible(bench: Bench, ada: Caller) -> None:
    bench.own_unit(ada, is_default=True)
    wanted = plan(bench, ada, AcquisitionSize(n_coils=8, n_x=128, n_y=64), platform=Platform.FARGATE)
    assert (wanted.platform.platform, wanted.platform.reason) == (Platform.FARGATE, "It was asked for.")
    assert wanted.platform.size == FARGATE_SIZES[0]
    for impossible, reason in ((Platform.LAMBDA, "too small for this job"), (Platform.LOCAL, "has no local")):
        with pytest.raises(InvalidRequest, match=reason):
            plan(bench, ada, LARGE, platform=impossible)


def test_what_no_machine_can_hold_is_refused(bench: Bench, ada: Caller) -> None:
    bench.own_unit(ada, is_default=True)
    with pytest.raises(InvalidRequest, match=r"Fargate has 120\.0 GiB at most"):
        plan(bench, ada, replace(LARGE, n_coils=128, n_slices=10_000))


def test_a_deadline_is_six_hours_or_what_is_wanted(bench: Bench, ada: Caller) -> None:
    assert plan(bench, ada).estimate.deadline_s == DEADLINE_S
    assert plan(bench, ada, deadline_s=LONGEST_DEADLINE_S).estimate.deadline_s == LONGEST_DEADLINE_S
    for impossible in (0, LONGEST_DEADLINE_S + 1):
        with pytest.raises(InvalidRequest) as refused:
            plan(bench, ada, deadline_s=impossible)
        assert refused.value.instance_code == "deadline"


def test_out_of_memory_on_lambda_goes_to_fargate(bench: Bench, ada: Caller) -> None:
    bench.own_unit(ada, is_default=True)
    job = bench.running_job(ada)
    assert job.platform is Platform.LAMBDA
    bench.unit.end(job.execution_name, ExecutionState.FAILED, cause=Cause.OUT_OF_MEMORY)
    again = settle_job(bench.brain, job.id)
    assert again.platform is Platform.FARGATE
    assert again.estimate.memory_bytes >= 2 * LAMBDA_SIZE.memory_bytes * 0.99


def test_what_a_job_took_is_kept_beside_what_was_said(bench: Bench, ada: Caller) -> None:
    data_file = acquired(bench, ada, AcquisitionSize(n_coils=8, n_x=128, n_y=64))
    for number in range(LEAST_JOBS):
        order = JobOrder(document={"task": task_of(data_file)})
        assert estimate_job(bench.brain, ada, order).accuracy is None
        job = submit_job(bench.brain, ada, order)
        dispatch_jobs(bench.brain)
        bench.unit.progress(job.id + "-1", step="reading", sequence=1)
        bench.unit.outbox.deliver_all()
        bench.clock.advance(seconds=number + 1)
        bench.succeed(bench.read(job))
        ended = settle_job(bench.brain, job.id)
        assert ended.actual is not None
        assert timedelta(seconds=ended.actual.seconds) == timedelta(seconds=number + 1)
    found = estimate_job(bench.brain, ada, order)
    assert found.accuracy is not None
    assert found.accuracy.n_jobs == LEAST_JOBS
    assert found.accuracy.median_ratio == pytest.approx(3 / found.forecast.seconds)


def test_a_job_that_never_began_took_nothing(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    bench.unit.end(job.execution_name, ExecutionState.FAILED, cause=Cause.CPU_TIME)
    assert settle_job(bench.brain, job.id).actual is None


def test_the_place_in_the_queue_is_told_before_a_job_is_submitted(bench: Bench, ada: Caller, bob: Caller) -> None:
    bench.brain = replace(bench.brain, limits=Limits(n_slots=1, n_running_each=1))
    first = plan(bench, ada).queue_place
    assert first is not None
    assert (first.place, first.n_waiting, first.reason) == (1, 1, "It is about to begin.")
    bench.running_job(bob)
    for _ in range(3):
        bench.job(bob)
    told = plan(bench, ada).queue_place
    assert told is not None
    assert (told.place, told.n_waiting) == (1, 4), "who has had nothing of it comes before who has"
    assert told.reason == "The unit's only place is taken, and no other job has its turn before it."
    job = bench.job(ada)
    view = next(each for each in list_jobs(bench.brain, ada, limit=1) if each.job.id == job.id)
    assert view.queue_place == told


def test_a_unit_that_is_not_ready_is_said_to_make_jobs_wait(bench: Bench, ada: Caller) -> None:
    ill = replace(bench.local_unit, status=UnitStatus.UNWELL, status_reason="The disk is full.")
    with bench.brain.database.write() as transaction:
        transaction.units.replace(ill)
    told = plan(bench, ada).queue_place
    assert told is not None
    assert told.reason == "The computing unit is unwell; jobs wait until it is ready. The disk is full."
