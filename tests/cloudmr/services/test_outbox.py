from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bench import Bench
from benches import MakeBench
from cloudmr.database.tables import outbox
from cloudmr.delivery.base import NotDelivered
from cloudmr.model.messages import SECRET_PLACE, Message, MessageKind, derive_one_time_secret
from cloudmr.model.people import Caller
from cloudmr.services.deliver_messages import deliver_messages
from cloudmr.services.outbox import post
from cloudmr.services.tidy import tidy


def message(owner: Caller, **changes: Any) -> Message:
    news = Message(
        account_id=owner.id,
        kind=MessageKind.MAIL,
        target="ada@example.org",
        subject="News",
        body="There are some.",
        dedupe_key="news-1",
    )
    return replace(news, **changes)


def put(bench: Bench, *messages: Message) -> None:
    with bench.brain.database.write() as transaction:
        for each in messages:
            post(bench.brain, transaction, each)


def n_waiting(bench: Bench) -> int:
    with bench.brain.database.read() as transaction:
        return transaction.outbox.n_waiting()


def stored(bench: Bench) -> list[dict[str, Any]]:
    with bench.brain.database.engine.connect() as connection:
        return [dict(row) for row in connection.execute(select(outbox).order_by(outbox.c.number)).mappings()]


def test_a_message_is_delivered_once_by_the_carrier_of_its_kind(bench: Bench, ada: Caller) -> None:
    put(bench, message(ada), message(ada, kind=MessageKind.WEBHOOK, target="https://example.org", dedupe_key="news-2"))
    assert deliver_messages(bench.brain) == 2
    assert deliver_messages(bench.brain) == 0
    assert [parcel.target for parcel in bench.mail.arrived] == ["ada@example.org"]
    assert [parcel.target for parcel in bench.webhooks.arrived] == ["https://example.org"]


def test_nothing_is_sent_of_what_was_rolled_back(bench: Bench, ada: Caller) -> None:
    def fail() -> None:
        with bench.brain.database.write() as transaction:
            post(bench.brain, transaction, message(ada))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert deliver_messages(bench.brain) == 0


def test_the_same_message_posted_twice_is_one(bench: Bench, ada: Caller) -> None:
    put(bench, message(ada), message(ada))
    put(bench, message(ada, body="said differently"))
    assert deliver_messages(bench.brain) == 1
    put(bench, message(ada))
    assert deliver_messages(bench.brain) == 0


def test_a_failure_is_tried_again_later_and_later_under_the_same_name(bench: Bench, ada: Caller) -> None:
    put(bench, message(ada))
    bench.mail.failures += [NotDelivered("away")] * 3
    waits = []
    for _ in range(3):
        deliver_messages(bench.brain)
        waits.append((stored(bench)[0]["due_at"] - bench.clock.now).total_seconds())
        assert deliver_messages(bench.brain) == 0
        bench.clock.advance(seconds=waits[-1])
    assert waits == [30, 60, 120]
    deliver_messages(bench.brain)
    assert [parcel.name for parcel in bench.mail.arrived] == [message(ada).name]
    assert n_waiting(bench) == 0


def test_a_message_is_given_up_after_about_a_day(bench: Bench, ada: Caller) -> None:
    put(bench, message(ada))
    bench.mail.failures += [NotDelivered("away")] * 1000
    begin = bench.clock.now
    while n_waiting(bench):
        bench.clock.now = stored(bench)[0]["due_at"]
        deliver_messages(bench.brain)
    assert timedelta(hours=8) < bench.clock.now - begin < timedelta(hours=48)
    assert stored(bench)[0]["failure"] == "away"


def test_a_final_failure_is_not_tried_again(bench: Bench, ada: Caller) -> None:
    put(bench, message(ada))
    bench.mail.failures.append(NotDelivered("nobody there", is_final=True))
    deliver_messages(bench.brain)
    assert n_waiting(bench) == 0


def test_what_is_worth_nothing_any_more_is_not_sent(bench: Bench, ada: Caller) -> None:
    put(bench, message(ada, not_after=bench.clock.now + timedelta(hours=1)))
    bench.clock.advance(hours=1)
    deliver_messages(bench.brain)
    assert (bench.mail.arrived, n_waiting(bench)) == ([], 0)


def test_one_that_cannot_be_delivered_keeps_no_other_back(bench: Bench, ada: Caller) -> None:
    put(bench, message(ada), *(message(ada, dedupe_key=f"more-{number}") for number in range(20)))
    bench.mail.failures.append(NotDelivered("away"))
    n_tried = 0
    while n := deliver_messages(bench.brain):
        n_tried += n
    assert (n_tried, len(bench.mail.arrived), n_waiting(bench)) == (21, 20, 1)


def test_a_carrier_that_breaks_is_a_failure_like_others(bench: Bench, ada: Caller) -> None:
    bench.brain = replace(bench.brain, carriers={})
    put(bench, message(ada))
    deliver_messages(bench.brain)
    assert n_waiting(bench) == 1


def test_a_secret_is_in_the_mail_and_nowhere_else(bench: Bench, ada: Caller) -> None:
    put(bench, message(ada, body=f"Open {SECRET_PLACE} now.", secret_name="reset|1"))
    secret = derive_one_time_secret(bench.brain.secret_key, "reset|1")
    assert secret not in str(stored(bench))
    deliver_messages(bench.brain)
    assert bench.mail.arrived[0].body == f"Open {secret} now."


def test_what_was_said_is_forgotten_when_it_is_delivered_and_the_rest_a_month_later(bench: Bench, ada: Caller) -> None:
    put(bench, message(ada))
    deliver_messages(bench.brain)
    assert stored(bench)[0]["body"] == ""
    bench.clock.advance(days=31)
    tidy(bench.brain)
    assert stored(bench) == []


def test_two_brains_deliver_a_message_once(make_bench: MakeBench, ada: Caller, bench: Bench) -> None:
    put(bench, *(message(ada, dedupe_key=f"more-{number}") for number in range(3)))
    now = bench.brain.now()
    with bench.brain.database.write() as transaction:
        claimed = transaction.outbox.claim_due(now=now, until=now + timedelta(minutes=5), limit=2)
    assert [posted.number for posted in claimed] == [row["number"] for row in stored(bench)[:2]]
    assert deliver_messages(bench.brain) == 1
    bench.clock.advance(minutes=5)
    assert deliver_messages(bench.brain) == 2


@pytest.mark.parametrize("change", [{"target": "a@b\nBcc: c@d"}, {"subject": "a\r\nb"}, {"target": ""}])
def test_a_message_is_on_one_line_where_it_must_be(change: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="message"):
        message(Caller(id="user_1", is_admin=False, token_id="token_1"), **change)
