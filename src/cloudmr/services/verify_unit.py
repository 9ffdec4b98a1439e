"""Whether a computing unit works: at its registration, on a schedule, after a failure, and when somebody asks.

All findings are told at once, each with its fix. What can be looked at is looked at here and now; the numbers are
proven by a job (`prove_numbers`), whose end `hear_proofs` hears.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from cloudmr.database.base import Transaction
from cloudmr.errors import UnitUnavailable
from cloudmr.model.findings import Check, Finding, Outcome, worst
from cloudmr.model.jobs import Job, JobState
from cloudmr.model.people import Caller
from cloudmr.model.unit_health import KNOWN_ANSWER_PERIOD, Care, judge
from cloudmr.model.units import ComputingUnit, UnitStatus
from cloudmr.services.brain import Brain, UnitLink
from cloudmr.services.dispatch_jobs import give_turn
from cloudmr.services.prove_numbers import Proof, awaited, judge_proof, start_proof
from cloudmr.services.units import UnitReport, managed_unit, unit_report

_log = logging.getLogger(__name__)
_AT_ONCE = 20
_KEPT_FROM_OTHERS = timedelta(minutes=5)
_ILL = (Outcome.REFUSED, Outcome.FAILED, Outcome.GONE)


def check_unit(brain: Brain, caller: Caller, unit_id: str, *, proves_numbers: bool = False) -> UnitReport:
    """Look at a unit now and return what was found; with `proves_numbers` it is given a job whose answer is known.

    Raises `NotFound`, `NotAllowed` (`admin_needed`).
    """
    with brain.database.write() as transaction:
        managed_unit(transaction, caller, unit_id)
    verify_unit(brain, unit_id, proves_numbers=proves_numbers)
    return unit_report(brain, caller, unit_id)


def verify_units(brain: Brain) -> int:
    """Look at every unit that is due, and hear what became of proofs; return how many units were looked at."""
    now = brain.now()
    with brain.database.write() as transaction:
        due = transaction.unit_care.claim_due(now=now, until=now + _KEPT_FROM_OTHERS, limit=_AT_ONCE)
    for unit_id in due:
        try:
            verify_unit(brain, unit_id)
        except Exception:
            # Whatever is wrong with this one, the others have their turn; it is due again when its lease is over.
            _log.exception("%s could not be looked at", unit_id)
    hear_proofs(brain)
    return len(due)


def verify_unit(brain: Brain, unit_id: str, *, proves_numbers: bool = False) -> None:
    """Look at a unit and write down what that comes to; one that was removed or registered anew meanwhile is left."""
    with brain.database.write() as transaction:
        unit, care = transaction.units.get(unit_id), _care(brain, transaction, unit_id)
    if unit is None or unit.removed_at is not None:
        return
    found, link = _look(brain, unit)
    proof: Job | None = None
    is_wanted = proves_numbers and care.known_answer_job_id is None
    if link is not None and worst(found, *_ILL) is None and (is_wanted or care.is_known_answer_due(now=brain.now())):
        proof, finding = _begin_proof(brain, link, unit)
        found = (*found, finding)
    _write(brain, unit, found, proof)
    if proof is not None:
        give_turn(brain, proof.id, unit)


def _begin_proof(brain: Brain, link: UnitLink, unit: ComputingUnit) -> tuple[Job | None, Finding]:
    try:
        proof = start_proof(brain, link, unit)
    except UnitUnavailable as error:
        message = f"The acquisition whose answer is known could not be put there. {error.message}"
        finding = Finding(
            check=Check.KNOWN_ANSWER, outcome=Outcome.FAILED, message=message, fix=error.next_step, at=brain.now()
        )
        return None, finding
    return proof, awaited(brain.now(), proof.id)


def hear_proofs(brain: Brain) -> int:
    """Judge the proofs that have ended; return how many those are. One that could not be started is started again."""
    with brain.database.read() as transaction:
        running = transaction.unit_care.answered(limit=_AT_ONCE)
        jobs = {job_id: transaction.jobs.get(job_id) for _, job_id in running}
        units = {unit.id: unit for unit in transaction.units.by_ids({unit_id for unit_id, _ in running})}
    n_heard = 0
    for unit_id, job_id in running:
        unit, job = units[unit_id], jobs[job_id]
        if job is not None and not job.has_ended:
            if job.state is JobState.QUEUED:
                give_turn(brain, job_id, unit)
            continue
        try:
            proof = None if job is None else judge_proof(brain, brain.connect(unit), job)
        except UnitUnavailable as error:
            _log.warning("what became of %s cannot be seen yet: %s", job_id, error.message)
            continue
        _hear(brain, unit, proof)
        n_heard += 1
    return n_heard


def _look(brain: Brain, unit: ComputingUnit) -> tuple[Sequence[Finding], UnitLink | None]:
    try:
        link = brain.connect(unit)
        return link.probe.look(), link
    except UnitUnavailable as error:
        finding = Finding(
            check=Check.REACHABLE,
            outcome=Outcome.FAILED,
            message=error.message,
            fix=error.next_step,
            at=brain.now(),
        )
        return (finding,), None


def _write(brain: Brain, seen: ComputingUnit, found: Sequence[Finding], proof: Job | None) -> None:
    now = brain.now()
    with brain.database.write() as transaction:
        unit = transaction.units.get_for_change(seen.id)
        if unit is None or unit.removed_at is not None or not _is_where_it_was(unit, seen):
            return
        care = _care(brain, transaction, unit.id)
        if proof is None and Check.KNOWN_ANSWER not in {each.check for each in found}:
            # What the last proof came to stays true until the next one.
            earlier = [each for each in transaction.findings.of(unit.id) if each.check is Check.KNOWN_ANSWER]
            found = (*found, *earlier)
        if proof is not None:
            next_proof_at = now + KNOWN_ANSWER_PERIOD
            care = replace(care, known_answer_job_id=proof.id, known_answer_at=next_proof_at)
        transaction.findings.replace_all(unit.id, found)
        _settle(brain, transaction, unit, care, found)


def _hear(brain: Brain, seen: ComputingUnit, proof: Proof | None) -> None:
    """Write down what a proof came to (None: nobody knows of it any more)."""
    with brain.database.write() as transaction:
        unit = transaction.units.get_for_change(seen.id)
        care = transaction.unit_care.get(seen.id)
        if unit is None or care is None:
            return
        care = replace(care, known_answer_job_id=None)
        if proof is None or unit.removed_at is not None or not _is_where_it_was(unit, seen):
            transaction.unit_care.put(care)
            return
        finding = proof.finding
        if not proof.has_numbers:
            # Whatever kept it from an answer may pass: it is asked again at the next look, soon and then rarer.
            care = replace(care, known_answer_at=brain.now())
        transaction.findings.put(unit.id, [finding])
        if finding.outcome is Outcome.PASSED:
            is_first = unit.snr_verified_at is None
            unit = replace(unit, snr_verified_at=finding.at)
            care, unit = _become_default(transaction, unit, care, is_first=is_first)
        _settle(brain, transaction, unit, care, transaction.findings.of(unit.id))


def _become_default(
    transaction: Transaction, unit: ComputingUnit, care: Care, *, is_first: bool
) -> tuple[Care, ComputingUnit]:
    """Make a unit its owner's default: because that was asked for, or because it is the first that works."""
    if unit.owner_id is None or unit.is_default:
        return care, unit
    has_none = transaction.units.default_of(unit.owner_id) is None
    if not (care.wants_default or (is_first and has_none)):
        return care, unit
    transaction.units.make_default(unit.owner_id, unit.id)
    return replace(care, wants_default=False), replace(unit, is_default=True)


def _settle(brain: Brain, transaction: Transaction, unit: ComputingUnit, care: Care, found: Sequence[Finding]) -> None:
    now = brain.now()
    health = judge(unit, found, care, now=now)
    if health.status is not unit.status:
        _log.info("%s was %s and is %s: %s", unit.id, unit.status, health.status, health.reason or "all is well")
    transaction.units.replace(replace(unit, status=health.status, status_reason=health.reason, last_checked_at=now))
    transaction.unit_care.put(care.after(health.status, now=now))
    if health.status is UnitStatus.READY:
        brain.dispatch_alarm.set()


def _is_where_it_was(unit: ComputingUnit, seen: ComputingUnit) -> bool:
    return (unit.state_machine_arn, unit.external_id) == (seen.state_machine_arn, seen.external_id)


def _care(brain: Brain, transaction: Transaction, unit_id: str) -> Care:
    """Return when a unit is looked at; of one from before there was such a record, now."""
    now = brain.now()
    return transaction.unit_care.get(unit_id) or Care(
        unit_id=unit_id, check_at=now, known_answer_at=now + KNOWN_ANSWER_PERIOD
    )
