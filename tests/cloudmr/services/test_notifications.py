from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bench import Bench
from cloudmr.compute.base import Cause, ExecutionState
from cloudmr.errors import InvalidRequest
from cloudmr.model.messages import Message, MessageKind
from cloudmr.model.notifications import NotifyOn
from cloudmr.model.people import Caller
from cloudmr.services.cancel_job import cancel_job
from cloudmr.services.dispatch_jobs import dispatch_jobs
from cloudmr.services.get_profile import get_profile
from cloudmr.services.notifications import get_notifications, set_notifications, try_notifications, webhook_secret
from cloudmr.services.settle_job import settle_job

URL = "https://lab.example.org/cloudmr"


def waiting(bench: Bench) -> list[Message]:
    now = bench.clock.now
    with bench.brain.database.write() as transaction:
        return [posted.message for posted in transaction.outbox.claim_due(now=now, until=now, limit=100)]


def test_who_never_said_is_told_nothing(bench: Bench, ada: Caller) -> None:
    settings = get_notifications(bench.brain, ada)
    assert (settings.mail, settings.webhook_url) == (NotifyOn.NEVER, None)
    job = bench.running_job(ada)
    bench.succeed(job)
    settle_job(bench.brain, job.id)
    assert waiting(bench) == []


def test_the_end_of_a_job_is_told_once_by_every_way(bench: Bench, ada: Caller) -> None:
    set_notifications(bench.brain, ada, mail=NotifyOn.ALWAYS, webhook_url=URL)
    job = bench.job(ada, bench.data_file(ada, filename="Doe^Jane.dat"), alias="knee of Jane")
    dispatch_jobs(bench.brain)
    bench.succeed(bench.read(job))
    for _ in range(2):
        settle_job(bench.brain, job.id)
    mail, webhook = sorted(waiting(bench), key=lambda message: message.kind)
    assert (mail.kind, mail.target) == (MessageKind.MAIL, get_profile(bench.brain, ada).email)
    assert job.id in mail.subject
    assert "succeeded" in mail.body
    assert (webhook.kind, webhook.target) == (MessageKind.WEBHOOK, URL)
    told = json.loads(webhook.body)
    assert (told["event"], told["jobId"], told["status"]) == ("job_ended", job.id, "succeeded")
    for message in (mail, webhook):
        assert "Jane" not in message.subject + message.body


def test_only_failures_where_only_those_are_wanted(bench: Bench, ada: Caller) -> None:
    set_notifications(bench.brain, ada, mail=NotifyOn.FAILURE, webhook=NotifyOn.NEVER, webhook_url=URL)
    good, bad = bench.running_job(ada), bench.running_job(ada)
    bench.succeed(good)
    bench.unit.end(bad.execution_name, ExecutionState.FAILED, cause=Cause.CPU_TIME)
    for job in (good, bad):
        settle_job(bench.brain, job.id)
    [told] = waiting(bench)
    assert bad.id in told.subject
    assert "Choose fewer" in told.body


def test_who_cancels_a_job_knows_of_it(bench: Bench, ada: Caller) -> None:
    set_notifications(bench.brain, ada, mail=NotifyOn.ALWAYS)
    cancel_job(bench.brain, ada, bench.job(ada).id)
    assert waiting(bench) == []


def test_settings_change_one_by_one(bench: Bench, ada: Caller, bob: Caller) -> None:
    set_notifications(bench.brain, ada, mail=NotifyOn.FAILURE, webhook_url=URL)
    settings = set_notifications(bench.brain, ada, webhook=NotifyOn.FAILURE)
    assert (settings.mail, settings.webhook, settings.webhook_url) == (NotifyOn.FAILURE, NotifyOn.FAILURE, URL)
    assert set_notifications(bench.brain, ada, webhook_url="").webhook_url is None
    assert get_notifications(bench.brain, ada).mail is NotifyOn.FAILURE
    assert get_notifications(bench.brain, bob).mail is NotifyOn.NEVER
    assert webhook_secret(bench.brain, ada) != webhook_secret(bench.brain, bob)


@pytest.mark.parametrize(
    "url",
    [
        "http://lab.example.org",
        "ftp://lab.example.org",
        "https://",
        "https://ada:pw@lab.example.org",
        "https://a/#x",
        "x",
    ],
)
def test_a_webhook_goes_to_https_addresses(bench: Bench, ada: Caller, url: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        set_notifications(bench.brain, ada, webhook_url=url)
    assert refused.value.instance_code == "webhook_url"


def test_where_private_addresses_are_allowed_http_is_too(bench: Bench, ada: Caller) -> None:
    brain = replace(bench.brain, allows_private_webhooks=True)
    assert set_notifications(brain, ada, webhook_url="http://127.0.0.1:9/x").webhook_url == "http://127.0.0.1:9/x"


def test_a_message_can_be_tried(bench: Bench, ada: Caller) -> None:
    assert try_notifications(bench.brain, ada) == []
    set_notifications(bench.brain, ada, mail=NotifyOn.FAILURE, webhook_url=URL)
    assert try_notifications(bench.brain, ada) == ["mail", "webhook"]
    assert len(waiting(bench)) == 2
