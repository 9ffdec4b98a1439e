from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import NOON
from cloudmr.model.estimates import estimate
from cloudmr.model.failures import JobFailure
from cloudmr.model.jobs import END_STATES, TRANSITIONS, Job, JobResult, JobState, Progress

JOB = Job(
    id="job_1",
    owner_id="user_1",
    unit_id="unit_1",
    app_name="MR Optimum",
    alias="knee",
    state=JobState.QUEUED,
    version=1,
    attempt=0,
    document="{}",
    data_ids=(),
    estimate=estimate([]),
    unit_reason="It was asked for.",
    created_at=NOON,
    deadline_at=NOON,
    check_at=NOON,
)
FAILURE = JobFailure(code="c", message="m", next_step="n")
RESULT = JobResult(size_bytes=1, n_files=1, manifest_sha256="0" * 64)
BELONGINGS: dict[JobState, dict[str, Any]] = {
    JobState.SUCCEEDED: {"ended_at": NOON, "result": RESULT},
    JobState.FAILED: {"ended_at": NOON, "failure": FAILURE},
    JobState.TIMED_OUT: {"ended_at": NOON, "failure": FAILURE},
    JobState.CANCELLED: {"ended_at": NOON},
}


def in_state(state: JobState) -> Job:
    return replace(JOB, state=state, **BELONGINGS.get(state, {}))


@given(old=st.sampled_from(JobState), new=st.sampled_from(JobState))
def test_a_job_takes_the_steps_of_the_table_and_no_others(old: JobState, new: JobState) -> None:
    before = in_state(old)
    if new in TRANSITIONS[old]:
        after = before.becomes(new, **BELONGINGS.get(new, {}))
        assert (after.state, after.version) == (new, before.version + 1)
    else:
        with pytest.raises(ValueError, match="cannot become"):
            before.becomes(new, **BELONGINGS.get(new, {}))


def test_the_table_is_the_contract() -> None:
    ends = {"succeeded", "failed", "cancelled", "timed_out"}
    assert {str(old): {str(new) for new in following} for old, following in TRANSITIONS.items()} == {
        "queued": {"dispatched", "cancelled", "failed", "timed_out"},
        "dispatched": {"running", "queued", *ends},
        "running": {"queued", *ends},
        **{end: set() for end in ends},
    }


@given(steps=st.lists(st.sampled_from(JobState), max_size=30))
def test_whatever_happens_there_is_at_most_one_end(steps: list[JobState]) -> None:
    job, n_ends = JOB, 0
    for state in steps:
        if state in TRANSITIONS[job.state]:
            job = job.becomes(state, **BELONGINGS.get(state, {}))
            n_ends += job.has_ended
    assert n_ends <= 1
    assert job.has_ended == (n_ends == 1)


@pytest.mark.parametrize("state", JobState)
def test_an_end_comes_with_what_belongs_to_it_and_nothing_else_does(state: JobState) -> None:
    assert in_state(state).has_ended == (state in END_STATES)
    for other in JobState:
        belongings = BELONGINGS.get(other, {})
        if belongings.keys() != BELONGINGS.get(state, {}).keys():
            with pytest.raises(ValueError, match=f"is {state}"):
                replace(JOB, state=state, **belongings)


def test_a_state_is_never_changed_in_passing() -> None:
    assert JOB.evolve(alias="hip").version == 2
    with pytest.raises(ValueError, match="becomes"):
        JOB.evolve(state=JobState.FAILED)


@pytest.mark.parametrize("zone", [None, timezone(timedelta(hours=1))])
def test_moments_are_in_utc(zone: timezone | None) -> None:
    moment = datetime(2026, 11, 22, 12, 0, tzinfo=zone)
    with pytest.raises(ValueError, match="created_at is not in UTC"):
        replace(JOB, created_at=moment)
    with pytest.raises(ValueError, match="at is not in UTC"):
        Progress(sequence=1, step="s", done=0, total=0, message="", at=moment)
