from __future__ import annotations

import json
import threading
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import anyio
import pytest
from fastapi import FastAPI

from asgi import TestClient
from bench import Bench
from cloudmr.api import job_events
from cloudmr.api.job_events import JobFollower
from cloudmr.api.job_watch import JobWatch
from cloudmr.client.events import parse_events
from cloudmr.errors import DatabaseUnavailable
from cloudmr.model.jobs import Job
from cloudmr.model.people import Caller
from cloudmr.services.cancel_job import cancel_job
from cloudmr.services.jobs import job_history
from cloudmr.services.sessions import log_out
from cloudmr.services.settle_job import settle_job
from cloudmr.services.watch_jobs import Sign, signs_of


@dataclass(frozen=True, kw_only=True)
class Told:
    name: str
    data: Any
    last_id: str


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_events, "LOOK_EVERY_S", 0.005)


def told(client: TestClient, job: Job, *, last_id: str | None = None, prefix: str = "") -> Iterator[Told]:
    return streamed(client, f"{prefix}/api/job/{job.id}/events", last_id=last_id)


def streamed(client: TestClient, path: str, *, last_id: str | None = None) -> Iterator[Told]:
    headers = {} if last_id is None else {b"Last-Event-ID": last_id.encode()}
    with client.stream("GET", path, headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["Content-Type"].startswith("text/event-stream")
        for event in parse_events(response.iter_bytes()):
            yield Told(name=event.name, data=json.loads(event.data), last_id=event.last_id)


@pytest.mark.parametrize("prefix", ["", "/Prod"])
def test_a_job_as_it_goes(ada: tuple[TestClient, Caller], bench: Bench, prefix: str) -> None:
    client, caller = ada
    job = bench.running_job(caller)
    stream = told(client, job, prefix=prefix)
    first = next(stream)
    assert (first.name, first.data["status"]) == ("state", "dispatched")
    assert first.data == client.get(f"/api/job/{job.id}").json()
    assert [(event.name, event.data["action"], event.last_id) for event in (next(stream), next(stream))] == [
        ("event", "submitted", "1"),
        ("event", "dispatched", "2"),
    ]
    bench.unit.progress(job.execution_name, step="reading", sequence=1)
    bench.unit.outbox.deliver()
    assert (event := next(stream)).data["action"] == "started"
    assert event.last_id == "3"
    state = next(stream)
    assert (state.name, state.data["status"], state.data["progress"]["step"]) == ("state", "running", "reading")
    bench.unit.progress(job.execution_name, step="reconstruct", sequence=2, done=1, total=2)
    bench.unit.outbox.deliver()
    progress = next(stream)
    assert (progress.name, progress.data["step"], progress.data["total"]) == ("progress", "reconstruct", 2)
    bench.succeed(job)
    bench.unit.outbox.deliver()
    rest = list(stream)
    assert [event.name for event in rest] == ["event", "state", "end"]
    assert rest[0].data["new"] == "succeeded"
    assert rest[1].data["result"] is not None
    assert rest[2].data == {"status": "succeeded"}


def test_a_database_that_is_away_ends_no_stream(
    ada: tuple[TestClient, Caller], bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, caller = ada
    job = bench.running_job(caller)
    stream = told(client, job)
    assert [next(stream).name for _ in range(3)] == ["state", "event", "event"]
    asked = threading.Event()

    def away(*_arguments: object, **_options: object) -> None:
        asked.set()
        raise DatabaseUnavailable("The database does not answer.", "Try again.")

    application = client.app
    assert isinstance(application, FastAPI)
    with monkeypatch.context() as trouble:
        trouble.setattr(application.state.job_watch, "_look", away)
        assert asked.wait(30)
        bench.succeed(job)
        bench.unit.outbox.deliver()
    assert [event.name for event in stream] == ["event", "state", "end"]


def test_who_comes_back_gets_what_was_missed(ada: tuple[TestClient, Caller], bench: Bench) -> None:
    client, caller = ada
    job = bench.running_job(caller)
    bench.succeed(job)
    settle_job(bench.brain, job.id)
    assert [event.name for event in told(client, job)] == ["state", "event", "event", "event", "end"]
    back = list(told(client, job, last_id="2"))
    assert [(event.name, event.data.get("action")) for event in back] == [
        ("state", None),
        ("event", "ended"),
        ("end", None),
    ]
    assert [event.name for event in told(client, job, last_id="3")] == ["state", "end"]


@pytest.mark.parametrize("last_id", ["", "x", "-1", "²", "99"])
def test_an_id_that_never_was_is_no_harm(ada: tuple[TestClient, Caller], bench: Bench, last_id: str) -> None:
    client, caller = ada
    job = bench.job(caller)
    cancel_job(bench.brain, caller, job.id)
    events = [event.name for event in told(client, job, last_id=last_id)]
    assert (events[0], events[-1]) == ("state", "end")


def test_a_stranger_gets_an_error_and_no_stream(
    ada: tuple[TestClient, Caller], client: TestClient, bench: Bench
) -> None:
    job = bench.job(bench.person())
    refused = ada[0].get(f"/api/job/{job.id}/events")
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    assert client.get(f"/api/job/{job.id}/events").status_code == 401


def test_a_stream_ends_when_the_server_does(ada: tuple[TestClient, Caller], client: TestClient, bench: Bench) -> None:
    signed_in, caller = ada
    job = bench.running_job(caller)
    stream = told(signed_in, job)
    next(stream)
    portal = client.portal
    assert portal is not None
    application = signed_in.app
    assert isinstance(application, FastAPI)
    portal.call(lambda: application.state.stopping.set())
    ended = threading.Event()

    def read() -> None:
        for _ in stream:
            pass
        ended.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert ended.wait(10)
    reader.join()


def test_a_stream_ends_with_the_session(
    ada: tuple[TestClient, Caller], bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_events, "CHECK_TOKEN_EVERY_S", 0)
    client, caller = ada
    job = bench.running_job(caller)
    stream = told(client, job)
    assert [next(stream).name for _ in range(3)] == ["state", "event", "event"]
    bench.unit.progress(job.execution_name, step="reading", sequence=1)
    bench.unit.outbox.deliver()
    assert [next(stream).name for _ in range(2)] == ["event", "state"]
    log_out(bench.brain, caller, address="192.0.2.1")
    assert list(stream) == []
    assert client.get(f"/api/job/{job.id}/events").status_code == 401


def test_all_open_jobs_as_they_go(ada: tuple[TestClient, Caller], bench: Bench) -> None:
    client, caller = ada
    bench.job(bench.person())
    first, second = bench.running_job(caller), bench.job(caller)
    stream = streamed(client, "/api/job/events")

    def tells_in_the_end(*expected: tuple[str, str]) -> bool:
        # What happens in two steps may be told in one or two.
        told_jobs = (next(stream).data["jobs"] for _ in range(2))
        return any([(job["jobId"], job["status"]) for job in jobs] == list(expected) for jobs in told_jobs)

    assert tells_in_the_end((second.id, "queued"), (first.id, "dispatched"))
    bench.unit.progress(first.execution_name, step="reading", sequence=1, done=1, total=2)
    bench.unit.outbox.deliver()
    assert tells_in_the_end((second.id, "queued"), (first.id, "running"))
    cancel_job(bench.brain, caller, second.id)
    assert tells_in_the_end((first.id, "running"))
    bench.succeed(first)
    bench.unit.outbox.deliver()
    assert tells_in_the_end()
    assert [event.name for event in stream][-1] == "end"


def test_nothing_new_is_nothing_told(bench: Bench) -> None:
    caller = bench.person()
    job = bench.running_job(caller)
    follower = JobFollower(0)

    def news() -> list[str]:
        view, events = job_history(bench.brain, caller, job.id, after=follower.last_number)
        return [event.event or "" for event in follower.news(view, events)]

    assert news() == ["state", "event", "event"]
    assert news() == []
    for sequence, expected in ((1, ["event", "state"]), (2, ["progress"])):
        bench.unit.progress(job.execution_name, step="s", sequence=sequence)
        bench.unit.outbox.deliver()
        assert news() == expected
        assert news() == []


def test_why_a_job_waits_is_told(bench: Bench) -> None:
    caller = bench.person()
    job = bench.job(caller)
    follower = JobFollower(1)

    def reasons() -> list[str | None]:
        told = follower.news(*job_history(bench.brain, caller, job.id, after=follower.last_number))
        return [event.data.waiting_reason for event in told]

    assert reasons() == ["It is about to begin."]
    with bench.brain.database.write() as transaction:
        transaction.jobs.explain_waiting(job.unit_id, "The unit is unwell.")
    assert reasons() == ["The unit is unwell."]
    assert reasons() == []


def test_one_look_is_enough_for_everybody(bench: Bench) -> None:
    looks: list[set[str]] = []

    def look(job_ids: Collection[str]) -> dict[str, Sign]:
        looks.append(set(job_ids))
        return signs_of(bench.brain, job_ids)

    caller = bench.person()
    jobs = [bench.job(caller) for _ in range(3)]

    async def follow() -> list[Sign | None]:
        watch = JobWatch(look)
        found: list[Sign | None] = []

        async def one(job_id: str) -> None:
            found.append(await watch.sign(job_id, 1))

        with ExitStack() as stack:
            for job in (*jobs, jobs[0]):
                stack.enter_context(watch.following(job.id))
            async with anyio.create_task_group() as group:
                for job in (*jobs, jobs[0]):
                    group.start_soon(one, job.id)
            await one(jobs[0].id)
            await watch.sign(jobs[0].id, 2)
        await watch.sign(jobs[0].id, 3)
        return found

    found = anyio.run(follow)
    everything = {job.id for job in jobs}
    assert looks == [everything, everything, set()]
    signs = [sign for of_job in found for sign in of_job or ()]
    assert [sign.version for sign in signs] == [1] * 5
    assert len({sign.waiting_reason for sign in signs}) == 2, "two are about to begin, the third waits"


def test_a_look_that_fails_is_taken_again_at_the_next_moment_and_not_before(bench: Bench) -> None:
    looks = 0

    def look(_: Collection[str]) -> dict[str, Sign]:
        nonlocal looks
        looks += 1
        raise DatabaseUnavailable("The database does not answer.", "Try again.")

    async def follow() -> None:
        watch = JobWatch(look)
        with pytest.raises(DatabaseUnavailable):
            await watch.sign("job", 1)
        assert await watch.sign("job", 1) is None
        with pytest.raises(DatabaseUnavailable):
            await watch.sign("job", 2)

    anyio.run(follow)
    assert looks == 2


def test_signs_change_with_what_somebody_sees(bench: Bench) -> None:
    ada = bench.person()
    first, _, third = (bench.job(ada) for _ in range(3))

    def signs() -> tuple[Sign, Sign]:
        found = signs_of(bench.brain, [third.id, ada.id])
        return found[third.id], found[ada.id]

    before = signs()
    assert before == signs()
    assert (len(before[0]), len(before[1])) == (1, 3)
    cancel_job(bench.brain, ada, first.id)
    after = signs()
    assert after[0] != before[0], "it is about to begin now"
    assert len(after[1]) == 2
    cancel_job(bench.brain, ada, third.id)
    assert signs()[0] != after[0]
    assert len(signs()[1]) == 1
    assert signs_of(bench.brain, ["job_nothing"]) == {"job_nothing": frozenset()}
