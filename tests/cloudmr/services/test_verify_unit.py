from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bench import Bench
from cloudmr.errors import NotAllowed, NotFound, UnitUnavailable
from cloudmr.known_answer import write_acquisition
from cloudmr.model.documents import FrozenDocument, results_prefix
from cloudmr.model.findings import Check, Finding, Outcome
from cloudmr.model.jobs import Job, JobState
from cloudmr.model.people import Caller
from cloudmr.model.unit_health import Care
from cloudmr.model.units import ComputingUnit, UnitStatus
from cloudmr.services.cancel_job import cancel_job
from cloudmr.services.dispatch_jobs import dispatch_jobs
from cloudmr.services.prove_numbers import OWNER_EMAIL
from cloudmr.services.reconcile_jobs import reconcile_jobs
from cloudmr.services.units import choose_default, unit_report
from cloudmr.services.verify_unit import check_unit, hear_proofs, verify_unit, verify_units
from cloudmr.storage.base import Bucket
from mroptimum.export.package import Provenance, write_package
from mroptimum.run import run
from mroptimum.task import TaskDocument


@pytest.fixture
def unit(bench: Bench, ada: Caller) -> ComputingUnit:
    """A unit that was registered a moment ago."""
    unit = bench.own_unit(ada, status=UnitStatus.UNVERIFIED)
    now = bench.clock.now
    with bench.brain.database.write() as transaction:
        transaction.unit_care.put(Care(unit_id=unit.id, check_at=now, known_answer_at=now))
    return unit


def read(bench: Bench, unit: ComputingUnit) -> ComputingUnit:
    with bench.brain.database.read() as transaction:
        found = transaction.units.get(unit.id)
    assert found is not None
    return found


def findings(bench: Bench, unit: ComputingUnit) -> dict[Check, Finding]:
    with bench.brain.database.read() as transaction:
        return {finding.check: finding for finding in transaction.findings.of(unit.id)}


def proof_of(bench: Bench, unit: ComputingUnit) -> Job:
    with bench.brain.database.write() as transaction:
        care = transaction.unit_care.get(unit.id)
        job = transaction.jobs.get(care.known_answer_job_id or "") if care else None
    assert job is not None
    return job


def run_proof(bench: Bench, unit: ComputingUnit, *, snr_factor: float = 1) -> Job:
    """Do what a worker does, for real, or almost: a unit whose scale is wrong gives another SNR."""
    job = proof_of(bench, unit)
    document = FrozenDocument.model_validate_json(job.document)
    raw = bench.folder / "known-answer.npz"
    write_acquisition(raw)
    result = run(TaskDocument.parse({"task": document.task, "output": document.output}), locate=lambda _: raw)
    wrong = tuple(replace(each, data=each.data * snr_factor) if each.id == 0 else each for each in result.maps)
    package = bench.folder / f"package-{job.id}"
    write_package(replace(result, maps=wrong), package, provenance=Provenance())
    prefix = results_prefix(job.id, job.attempt)
    for path in sorted(path for path in package.rglob("*") if path.is_file()):
        bench.storage.put(Bucket.RESULTS, f"{prefix}/{path.relative_to(package).as_posix()}", path)
    bench.unit.end(job.execution_name)
    bench.clock.advance(seconds=30)
    reconcile_jobs(bench.brain)
    return bench.read(job)


def test_a_new_unit_is_looked_at_and_proves_its_numbers(bench: Bench, ada: Caller, unit: ComputingUnit) -> None:
    assert verify_units(bench.brain) == 1
    assert read(bench, unit).status is UnitStatus.UNVERIFIED
    found = findings(bench, unit)
    assert {finding.outcome for check, finding in found.items() if check is not Check.KNOWN_ANSWER} == {Outcome.PASSED}
    assert found[Check.KNOWN_ANSWER].outcome is Outcome.AWAITED
    job = proof_of(bench, unit)
    assert (job.state, job.unit_id) == (JobState.DISPATCHED, unit.id)
    assert bench.unit.starts == [job.execution_name]

    assert run_proof(bench, unit).state is JobState.SUCCEEDED
    assert hear_proofs(bench.brain) == 1
    ready = read(bench, unit)
    assert (ready.status, ready.status_reason) == (UnitStatus.READY, None)
    assert ready.snr_verified_at == bench.clock.now
    assert ready.is_default
    assert "Verified for SNR: mean SNR " in findings(bench, unit)[Check.KNOWN_ANSWER].message
    assert hear_proofs(bench.brain) == 0


def test_a_unit_that_gives_wrong_numbers_gets_no_jobs(bench: Bench, unit: ComputingUnit) -> None:
    verify_units(bench.brain)
    run_proof(bench, unit, snr_factor=2**0.5)
    verify_units(bench.brain)
    ill = read(bench, unit)
    assert ill.status is UnitStatus.UNWELL
    assert "wrong numbers" in (ill.status_reason or "")
    assert "+41" in (ill.status_reason or "")
    assert (ill.snr_verified_at, ill.is_default) == (None, False)
    bench.clock.advance(hours=2)
    verify_units(bench.brain)
    assert findings(bench, unit)[Check.KNOWN_ANSWER].outcome is Outcome.FAILED, "wrong numbers stay wrong for a week"


def test_a_proof_that_fails_says_why(bench: Bench, unit: ComputingUnit) -> None:
    verify_units(bench.brain)
    job = proof_of(bench, unit)
    bench.fail(job, {"code": "x", "message": "No coils.", "next_step": "Buy some."})
    bench.clock.advance(seconds=30)
    reconcile_jobs(bench.brain)
    hear_proofs(bench.brain)
    proof = findings(bench, unit)[Check.KNOWN_ANSWER]
    assert proof.outcome is Outcome.FAILED
    assert proof.fix.startswith("Buy some. It is tried again by itself")
    assert "No coils." in proof.message
    bench.clock.advance(minutes=1)
    verify_units(bench.brain)
    assert proof_of(bench, unit).id != job.id, "what passes is asked again, long before the week is over"
    assert run_proof(bench, unit).state is JobState.SUCCEEDED
    hear_proofs(bench.brain)
    assert read(bench, unit).status is UnitStatus.READY


def test_a_damaged_proof_is_no_proof(bench: Bench, unit: ComputingUnit) -> None:
    verify_units(bench.brain)
    bench.succeed(proof_of(bench, unit))
    bench.clock.advance(seconds=30)
    reconcile_jobs(bench.brain)
    hear_proofs(bench.brain)
    assert findings(bench, unit)[Check.KNOWN_ANSWER].outcome is Outcome.FAILED
    assert read(bench, unit).status is UnitStatus.UNWELL


def test_a_unit_in_which_others_could_run_is_refused_and_runs_nothing(bench: Bench, unit: ComputingUnit) -> None:
    bench.probe.trouble[Check.ROLE_NEEDS_EXTERNAL_ID] = Outcome.REFUSED
    bench.probe.trouble[Check.DATA_BUCKET] = Outcome.FAILED
    verify_units(bench.brain)
    assert read(bench, unit).status is UnitStatus.UNWELL
    assert "role_needs_external_id" in (read(bench, unit).status_reason or "")
    assert {check for check, finding in findings(bench, unit).items() if finding.fix} == {
        Check.ROLE_NEEDS_EXTERNAL_ID,
        Check.DATA_BUCKET,
    }
    assert bench.unit.starts == []


def test_jobs_wait_with_the_reason_until_the_unit_is_well(bench: Bench, ada: Caller, unit: ComputingUnit) -> None:
    bench.probe.trouble[Check.EXECUTIONS] = Outcome.FAILED
    verify_units(bench.brain)
    choose_default(bench.brain, ada, unit.id)
    job = bench.job(ada)
    assert job.unit_id == unit.id
    assert dispatch_jobs(bench.brain) == 0
    waiting = bench.read(job)
    assert waiting.state is JobState.QUEUED
    assert "Mend its executions." in (waiting.waiting_reason or "")

    del bench.probe.trouble[Check.EXECUTIONS]
    bench.clock.advance(minutes=1)
    verify_units(bench.brain)
    run_proof(bench, unit)
    hear_proofs(bench.brain)
    assert bench.brain.dispatch_alarm.is_set()
    assert dispatch_jobs(bench.brain) == 1


def test_a_unit_that_fails_in_use_is_looked_at_before_it_is_used_again(bench: Bench, ada: Caller) -> None:
    first = bench.running_job(ada)
    bench.unit.is_reachable = False
    bench.probe.trouble[Check.REACHABLE] = Outcome.FAILED
    bench.clock.advance(seconds=30)
    reconcile_jobs(bench.brain)
    second = bench.job(ada)
    assert dispatch_jobs(bench.brain) == 0
    assert "in doubt" in (bench.read(second).waiting_reason or "")

    assert verify_units(bench.brain) == 1
    assert read(bench, bench.local_unit).status is UnitStatus.UNWELL
    bench.unit.is_reachable = True
    bench.probe.trouble.clear()
    bench.clock.advance(minutes=1)
    verify_units(bench.brain)
    assert read(bench, bench.local_unit).status is UnitStatus.READY
    assert dispatch_jobs(bench.brain) == 1
    assert bench.read(first).state in {JobState.DISPATCHED, JobState.RUNNING}


def test_an_ill_unit_is_looked_at_again_and_again_until_it_counts_as_gone(bench: Bench, unit: ComputingUnit) -> None:
    bench.probe.trouble[Check.ROLE_ASSUMED] = Outcome.FAILED
    waits = []
    while read(bench, unit).status is not UnitStatus.GONE:
        assert verify_unit_is_due(bench, unit)
        looked_at = bench.clock.now
        with bench.brain.database.write() as transaction:
            care = transaction.unit_care.get(unit.id)
        assert care is not None
        bench.clock.now = care.check_at
        waits.append((care.check_at - looked_at).total_seconds())
        assert len(waits) < 400
    assert waits[:4] == [60, 120, 240, 480]
    assert max(waits) == 3600
    assert "has not worked for 7 days" in (read(bench, unit).status_reason or "")


def verify_unit_is_due(bench: Bench, unit: ComputingUnit) -> bool:
    n_looks = bench.probe.n_looks
    verify_unit(bench.brain, unit.id)
    return bench.probe.n_looks == n_looks + 1


def test_a_stack_that_is_gone_is_gone_at_once_and_may_come_back(bench: Bench, unit: ComputingUnit) -> None:
    bench.probe.trouble[Check.EXECUTIONS] = Outcome.GONE
    verify_units(bench.brain)
    assert read(bench, unit).status is UnitStatus.GONE
    bench.probe.trouble.clear()
    bench.clock.advance(minutes=1)
    verify_units(bench.brain)
    assert read(bench, unit).status is UnitStatus.UNVERIFIED


def test_a_unit_that_is_well_is_looked_at_every_hour_and_proves_itself_every_week(bench: Bench) -> None:
    bench.clock.advance(minutes=1)
    assert verify_units(bench.brain) == 1
    assert verify_units(bench.brain) == 0
    bench.clock.advance(hours=1)
    assert verify_units(bench.brain) == 1
    assert len(bench.unit.starts) == 1
    run_proof(bench, bench.local_unit)
    hear_proofs(bench.brain)
    bench.clock.advance(days=6, hours=23)
    verify_units(bench.brain)
    assert len(bench.unit.starts) == 1
    bench.clock.advance(hours=2)
    verify_units(bench.brain)
    assert len(bench.unit.starts) == 2
    assert read(bench, bench.local_unit).status is UnitStatus.READY


def test_the_second_unit_does_not_become_the_default_by_itself(bench: Bench, ada: Caller, unit: ComputingUnit) -> None:
    first = bench.own_unit(ada, is_default=True)
    verify_units(bench.brain)
    run_proof(bench, unit)
    hear_proofs(bench.brain)
    assert not read(bench, unit).is_default
    assert read(bench, first).is_default


def test_a_unit_that_was_to_become_the_default_does_when_it_is_verified(
    bench: Bench, ada: Caller, unit: ComputingUnit
) -> None:
    first = bench.own_unit(ada, is_default=True)
    with bench.brain.database.write() as transaction:
        care = transaction.unit_care.get(unit.id)
        assert care is not None
        transaction.unit_care.put(replace(care, wants_default=True))
    verify_units(bench.brain)
    assert read(bench, first).is_default
    run_proof(bench, unit)
    hear_proofs(bench.brain)
    assert read(bench, unit).is_default
    assert not read(bench, first).is_default


def test_who_chose_the_shared_unit_keeps_it(bench: Bench, ada: Caller, unit: ComputingUnit) -> None:
    verify_units(bench.brain)
    run_proof(bench, unit)
    hear_proofs(bench.brain)
    choose_default(bench.brain, ada, bench.local_unit.id)
    bench.clock.advance(days=8)
    verify_units(bench.brain)
    run_proof(bench, unit)
    hear_proofs(bench.brain)
    assert not read(bench, unit).is_default


def test_somebody_asks(bench: Bench, ada: Caller, unit: ComputingUnit) -> None:
    report = check_unit(bench.brain, ada, unit.id)
    assert report.unit.last_checked_at == bench.clock.now
    assert Check.KNOWN_ANSWER in {finding.check for finding in report.findings}
    again = check_unit(bench.brain, ada, unit.id, proves_numbers=True)
    assert len(bench.unit.starts) == 1, "one proof at a time"
    assert again == unit_report(bench.brain, ada, unit.id)


def test_who_may_ask(bench: Bench, bob: Caller, unit: ComputingUnit) -> None:
    with pytest.raises(NotFound):
        check_unit(bench.brain, bob, unit.id)
    with pytest.raises(NotAllowed):
        check_unit(bench.brain, bob, bench.local_unit.id)
    assert check_unit(bench.brain, replace(bob, is_admin=True), bench.local_unit.id).findings


def test_a_unit_without_a_way_to_it_is_unwell(bench: Bench, unit: ComputingUnit) -> None:
    def no_way(_: ComputingUnit) -> None:
        raise UnitUnavailable("It cannot be reached from here.", "Build a road.")

    bench.brain = replace(bench.brain, connect=no_way)  # type: ignore[arg-type]  # it gives no way on purpose
    verify_units(bench.brain)
    assert read(bench, unit).status_reason == "It cannot be reached from here. Build a road."


def test_a_unit_registered_anew_while_it_was_looked_at_is_left(bench: Bench, unit: ComputingUnit) -> None:
    class Meanwhile:
        def look(self) -> tuple[Finding, ...]:
            with bench.brain.database.write() as transaction:
                transaction.units.replace(replace(unit, external_id="another"))
            return ()

    link = bench.brain.connect(unit)
    bench.brain = replace(bench.brain, connect=lambda _: replace(link, probe=Meanwhile()))  # type: ignore[arg-type]  # it only looks
    verify_unit(bench.brain, unit.id)
    assert read(bench, unit).last_checked_at is None
    assert findings(bench, unit) == {}


def test_proofs_belong_to_nobody_who_could_sign_in(bench: Bench, ada: Caller, unit: ComputingUnit) -> None:
    verify_units(bench.brain)
    job = proof_of(bench, unit)
    with pytest.raises(NotFound):
        cancel_job(bench.brain, ada, job.id)
    with bench.brain.database.read() as transaction:
        owner = transaction.accounts.by_email(OWNER_EMAIL)
    assert owner is not None
    assert owner.id == job.owner_id
    assert not bench.brain.passwords.matches(owner.password_hash, "!")
    assert json.loads(job.document)["task"]["name"] == "ac"


def test_the_acquisition_lies_where_the_job_looks_for_it(bench: Bench, unit: ComputingUnit, tmp_path: Path) -> None:
    verify_units(bench.brain)
    [file] = FrozenDocument.model_validate_json(proof_of(bench, unit).document).inputs
    info = bench.storage.head(Bucket.DATA, file.key)
    assert info is not None
    assert (info.size_bytes, info.checksum) == (file.size_bytes, file.checksum)


def test_a_unit_that_takes_no_data_is_unwell_and_says_why_once(
    bench: Bench, unit: ComputingUnit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise UnitUnavailable("AWS refused to store an object.", "Deploy the stack with AllowUpload=true.")

    with monkeypatch.context() as patch:
        patch.setattr(type(bench.storage), "put", refuse)
        for _ in range(2):
            verify_unit(bench.brain, unit.id)
            found = findings(bench, unit)[Check.KNOWN_ANSWER]
            assert found.outcome is Outcome.FAILED
            assert found.message.endswith("AWS refused to store an object.")
            assert found.fix == "Deploy the stack with AllowUpload=true."
            assert read(bench, unit).status is UnitStatus.UNWELL
    verify_unit(bench.brain, unit.id)
    assert findings(bench, unit)[Check.KNOWN_ANSWER].outcome is Outcome.AWAITED
