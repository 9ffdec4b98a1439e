from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bench import Bench
from cloudmr.model.limits import Limits
from cloudmr.model.messages import Message, MessageKind
from cloudmr.model.notifications import NotifyOn
from cloudmr.model.people import Caller
from cloudmr.services.delete_data import delete_data
from cloudmr.services.expire import expire
from cloudmr.services.get_profile import get_profile
from cloudmr.services.notifications import set_notifications
from cloudmr.services.settle_job import settle_job
from cloudmr.services.warn_of_expiry import AHEAD, warn_of_expiry

KEPT = Limits().inputs_kept or timedelta()
RESULTS_KEPT = Limits().results_kept or timedelta()


def told(bench: Bench) -> list[Message]:
    """Return what has been posted since the last time."""
    now = bench.clock.now
    with bench.brain.database.write() as transaction:
        return [
            posted.message
            for posted in transaction.outbox.claim_due(now=now, until=now + timedelta(days=999), limit=100)
        ]


def days(bench: Bench, n_days: int, *, a_day: int = 24) -> list[Message]:
    """Let days go by as the background does, hour by hour or in `a_day` steps; return what was posted."""
    messages = []
    for _ in range(n_days * a_day):
        warn_of_expiry(bench.brain)
        expire(bench.brain)
        messages += told(bench)
        bench.clock.advance(hours=24 / a_day)
    return messages


@pytest.fixture
def ada(bench: Bench) -> Caller:
    ada = bench.person()
    set_notifications(bench.brain, ada, mail=NotifyOn.FAILURE)
    return ada


def test_of_each_data_file_its_owner_is_told_once_and_in_time(bench: Bench, ada: Caller) -> None:
    first = bench.data_file(ada, filename="Doe^Jane.dat")
    bench.clock.advance(hours=30)
    second = bench.data_file(ada)
    assert first.expires_at is not None
    messages: list[tuple[timedelta, Message]] = []
    for _ in range(12):
        warn_of_expiry(bench.brain)
        messages += [(first.expires_at - bench.clock.now, message) for message in told(bench)]
        bench.clock.advance(hours=24)
    assert [[name in message.body for name in (first.id, second.id)] for _, message in messages] == [
        [True, False],
        [False, True],
    ]
    left, mail = messages[0]
    assert timedelta(days=1) <= left <= AHEAD
    assert (mail.kind, mail.target) == (MessageKind.MAIL, get_profile(bench.brain, ada).email)
    assert f"{first.expires_at:%Y-%m-%d %H:%M} UTC" in mail.body
    assert f"{bench.brain.public_url}/data" in mail.body
    assert "Jane" not in mail.subject + mail.body


def test_everything_of_one_person_and_day_is_in_one_mail(bench: Bench, ada: Caller, bob: Caller) -> None:
    set_notifications(bench.brain, bob, mail=NotifyOn.ALWAYS)
    job = bench.running_job(ada)
    bench.succeed(job)
    settle_job(bench.brain, job.id)
    told(bench)
    bench.clock.advance(seconds=(RESULTS_KEPT - KEPT).total_seconds())
    hers, his = [bench.data_file(ada) for _ in range(3)], bench.data_file(bob)
    messages = {message.account_id: message.body for message in days(bench, 9, a_day=2)}
    assert set(messages) == {ada.id, bob.id}
    assert all(file.id in messages[ada.id] for file in hers)
    assert f"{bench.brain.public_url}/jobs/{job.id}" in messages[ada.id]
    assert his.id in messages[bob.id]
    assert his.id not in messages[ada.id]


def test_a_round_more_or_a_brain_that_was_away_tells_nothing_twice_and_leaves_nothing_out(
    bench: Bench, ada: Caller
) -> None:
    files = []
    for _ in range(4):
        files.append(bench.data_file(ada))
        bench.clock.advance(hours=20)
    mails = days(bench, 2)
    bench.clock.advance(hours=40)
    bench.restart()
    mails += days(bench, 8)
    named = [file.id for file in files for mail in mails if file.id in mail.body]
    assert sorted(named) == sorted(file.id for file in files)
    assert len({mail.dedupe_key for mail in mails}) == len(mails)


def test_who_wants_no_mails_gets_none(bench: Bench, bob: Caller) -> None:
    never = bench.person()
    set_notifications(bench.brain, never, mail=NotifyOn.NEVER, webhook_url="https://lab.example.org/cloudmr")
    for person in (bob, never):
        bench.data_file(person)
    assert days(bench, 9, a_day=1) == []


def test_nothing_is_told_of_ones_own_unit_of_what_was_deleted_or_where_nothing_expires(
    bench: Bench, ada: Caller, bob: Caller
) -> None:
    gone = bench.data_file(ada)
    delete_data(bench.brain, ada, [gone.id])
    set_notifications(bench.brain, bob, mail=NotifyOn.ALWAYS)
    bench.own_unit(bob, is_default=True)
    bench.data_file(bob)
    bench.brain = replace(bench.brain, limits=Limits(inputs_kept=None))
    bench.data_file(ada)
    assert days(bench, 9, a_day=1) == []


def test_a_long_list_is_cut(bench: Bench, ada: Caller) -> None:
    for _ in range(53):
        bench.data_file(ada)
    [mail] = days(bench, 9, a_day=1)
    assert mail.body.count("data_") == 50
    assert "and 3 more" in mail.body
