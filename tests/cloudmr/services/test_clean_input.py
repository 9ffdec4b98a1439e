from __future__ import annotations

import pytest

from bench import BRAIN_URL, Bench
from cloudmr.errors import NotFound
from cloudmr.model.data_files import DataFile, DataState
from cloudmr.model.events import JobAction
from cloudmr.model.jobs import Job
from cloudmr.model.people import Caller
from cloudmr.model.reports import Report, ReportedEvent, ReportedInput
from cloudmr.services.attempts import attempt_key
from cloudmr.services.data_files import get_data
from cloudmr.services.dispatch_jobs import dispatch_jobs
from cloudmr.services.hear_unit import hand_out_document
from cloudmr.services.purge import purge_data
from cloudmr.storage.base import Bucket


@pytest.fixture
def data_file(bench: Bench, ada: Caller) -> DataFile:
    return bench.data_file(ada)


@pytest.fixture
def job(bench: Bench, ada: Caller, data_file: DataFile) -> Job:
    return started(bench, bench.job(ada, data_file))


def started(bench: Bench, job: Job) -> Job:
    dispatch_jobs(bench.brain)
    return bench.read(job)


def tell(bench: Bench, job: Job, found: ReportedInput) -> None:
    report = Report(job_id=job.id, attempt=1, event=ReportedEvent.INPUT_CLEANED, sequence=1, input=found)
    body = report.to_bytes()
    headers = attempt_key(bench.brain, job.id, 1).sign(body, now=bench.clock.now)
    bench.deliver(f"{BRAIN_URL}/api/job/{job.id}/progress", body, headers)


def cleaned(data_file: DataFile) -> ReportedInput:
    return ReportedInput(data_id=data_file.id, fields=("tPatientName", "PatientID"), size_bytes=8, checksum="clean-1")


def test_a_cleaned_file_is_known_as_it_is_and_the_job_says_so(
    bench: Bench, ada: Caller, job: Job, data_file: DataFile
) -> None:
    for _ in range(2):
        tell(bench, job, cleaned(data_file))
    known = get_data(bench.brain, ada, data_file.id).data_file
    assert (known.checksum, known.cleaned_at, known.state) == ("clean-1", bench.clock.now, DataState.READY)
    with bench.brain.database.read() as transaction:
        [said] = [e for e in transaction.jobs.events(job.id) if e.action is JobAction.INPUT_CLEANED]
    assert "tPatientName, PatientID" in said.reason
    assert "blanked" in said.reason


def test_jobs_that_waited_are_promised_the_clean_file(bench: Bench, ada: Caller, job: Job, data_file: DataFile) -> None:
    other = started(bench, bench.job(ada, data_file))
    tell(bench, job, cleaned(data_file))
    headers = attempt_key(bench.brain, other.id, 1).sign(b"", now=bench.clock.now)
    [promised] = hand_out_document(bench.brain, other.id, 1, headers).inputs
    assert (promised.checksum, promised.size_bytes) == ("clean-1", 8)


def test_a_file_that_cannot_be_cleaned_is_removed_for_good(
    bench: Bench, ada: Caller, job: Job, data_file: DataFile
) -> None:
    tell(bench, job, ReportedInput(data_id=data_file.id))
    with pytest.raises(NotFound):
        get_data(bench.brain, ada, data_file.id)
    assert purge_data(bench.brain) == 1
    assert bench.storage.head(Bucket.DATA, data_file.key) is None


def test_only_files_of_the_job_are_spoken_for(bench: Bench, ada: Caller, job: Job) -> None:
    other = bench.data_file(ada)
    with pytest.raises(NotFound):
        tell(bench, job, cleaned(other))
    assert get_data(bench.brain, ada, other.id).data_file == other


def test_in_ones_own_unit_nobody_speaks_for_ones_files(bench: Bench, ada: Caller) -> None:
    bench.own_unit(ada, is_default=True)
    data_file = bench.data_file(ada)
    job = started(bench, bench.job(ada, data_file))
    with pytest.raises(NotFound):
        tell(bench, job, cleaned(data_file))


def test_an_attempt_that_is_over_speaks_for_nothing(bench: Bench, ada: Caller, job: Job, data_file: DataFile) -> None:
    bench.succeed(job)
    bench.unit.outbox.deliver_all()
    tell(bench, job, cleaned(data_file))
    assert get_data(bench.brain, ada, data_file.id).data_file == data_file
