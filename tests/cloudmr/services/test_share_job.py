from __future__ import annotations

import pytest

from bench import Bench
from cloudmr.errors import InvalidRequest, NotFound
from cloudmr.model.documents import FrozenDocument
from cloudmr.model.people import Caller
from cloudmr.model.shares import DEFAULT_DAYS, MOST_DAYS
from cloudmr.services.cancel_job import cancel_job
from cloudmr.services.delete_job import delete_job
from cloudmr.services.get_profile import get_profile
from cloudmr.services.jobs import get_job, job_history, job_log, job_result, list_jobs, shown_document
from cloudmr.services.rerun_job import rerun_job
from cloudmr.services.settle_job import settle_job
from cloudmr.services.share_job import events_of_link, job_of_link, list_shares, share_job, shared_with_me, unshare_job


def email_of(bench: Bench, person: Caller) -> str:
    return get_profile(bench.brain, person).email


def test_who_has_the_link_sees_the_job_until_it_ends(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    bench.succeed(job)
    settle_job(bench.brain, job.id)
    secret = share_job(bench.brain, ada, job.id).secret
    assert secret is not None
    view = job_of_link(bench.brain, secret)
    assert (view.job.id, view.is_own) == (job.id, False)
    assert job_result(bench.brain, view).package is not None
    assert len(events_of_link(bench.brain, view)) == bench.read(job).version
    bench.clock.advance(days=DEFAULT_DAYS)
    with pytest.raises(NotFound):
        job_of_link(bench.brain, secret)


def test_the_secret_of_a_link_is_not_kept(bench: Bench, ada: Caller) -> None:
    new = share_job(bench.brain, ada, bench.job(ada).id)
    assert new.secret is not None
    assert new.secret not in repr(new)
    [kept] = list_shares(bench.brain, ada, new.share.job_id)
    assert kept.secret_hash is not None
    assert new.secret not in kept.secret_hash


def test_a_named_person_sees_the_job_and_nobody_else(bench: Bench, ada: Caller, bob: Caller) -> None:
    job = bench.running_job(ada)
    stranger = bench.person()
    share_job(bench.brain, ada, job.id, email=f" {email_of(bench, bob).upper()} ", days=2)
    view = get_job(bench.brain, bob, job.id)
    assert not view.is_own
    assert job_history(bench.brain, bob, job.id)[1]
    assert job_log(bench.brain, view).is_available
    with pytest.raises(NotFound):
        get_job(bench.brain, stranger, job.id)
    [shared] = shared_with_me(bench.brain, bob, limit=10)
    assert (shared.view.job.id, shared.shared_by) == (job.id, email_of(bench, ada))
    assert list_jobs(bench.brain, bob, limit=10) == []
    bench.clock.advance(days=2)
    assert shared_with_me(bench.brain, bob, limit=10) == []
    with pytest.raises(NotFound):
        get_job(bench.brain, bob, job.id)


def test_to_look_is_all_that_is_shared(bench: Bench, ada: Caller, bob: Caller) -> None:
    job = bench.job(ada)
    share_job(bench.brain, ada, job.id, email=email_of(bench, bob))
    for attempt in (
        lambda: cancel_job(bench.brain, bob, job.id),
        lambda: rerun_job(bench.brain, bob, job.id),
        lambda: delete_job(bench.brain, bob, job.id),
        lambda: share_job(bench.brain, bob, job.id),
        lambda: list_shares(bench.brain, bob, job.id),
        lambda: unshare_job(bench.brain, bob, job.id),
    ):
        with pytest.raises(NotFound):
            attempt()


def test_data_files_are_not_shared(bench: Bench, ada: Caller, bob: Caller) -> None:
    data_file = bench.data_file(ada, filename="Doe^Jane.dat")
    job = bench.job(ada, data_file)
    share_job(bench.brain, ada, job.id, email=email_of(bench, bob))

    def shown(person: Caller) -> FrozenDocument:
        return shown_document(get_job(bench.brain, person, job.id))

    for hidden in ("Doe", data_file.id, "uploads"):
        assert hidden in str(shown(ada).task)
        assert hidden not in str(shown(bob).task)
    assert shown(bob).inputs == ()
    assert shown(bob).task["name"] == shown(ada).task["name"]


def test_a_share_ends_when_its_owner_says_so_or_deletes_the_job(bench: Bench, ada: Caller, bob: Caller) -> None:
    job = bench.job(ada)
    secret = share_job(bench.brain, ada, job.id).secret
    assert secret is not None
    named = share_job(bench.brain, ada, job.id, email=email_of(bench, bob)).share
    assert unshare_job(bench.brain, ada, job.id, named.id) == 1
    with pytest.raises(NotFound):
        get_job(bench.brain, bob, job.id)
    job_of_link(bench.brain, secret)
    cancel_job(bench.brain, ada, job.id)
    delete_job(bench.brain, ada, job.id)
    with pytest.raises(NotFound):
        job_of_link(bench.brain, secret)
    assert bench.read(job).deleted_at is not None


def test_an_address_without_an_account_looks_like_any_other(bench: Bench, ada: Caller, bob: Caller) -> None:
    job = bench.job(ada)
    known = share_job(bench.brain, ada, job.id, email=email_of(bench, bob)).share
    unknown = share_job(bench.brain, ada, job.id, email="nobody@example.org").share
    assert vars(known).keys() == vars(unknown).keys()
    assert {share.email for share in list_shares(bench.brain, ada, job.id)} == {known.email, unknown.email}
    with bench.brain.database.read() as transaction:
        assert transaction.outbox.n_waiting() == 2


def test_an_account_that_came_later_may_be_somebody_elses(bench: Bench, ada: Caller) -> None:
    job = bench.job(ada)
    share_job(bench.brain, ada, job.id, email=f"person{bench.n_people + 1}@example.org")
    bench.clock.advance(seconds=1)
    late = bench.person()
    with pytest.raises(NotFound):
        get_job(bench.brain, late, job.id)


@pytest.mark.parametrize("days", [0, -1, MOST_DAYS + 1])
def test_a_share_lasts_from_a_day_to_a_year(bench: Bench, ada: Caller, days: int) -> None:
    with pytest.raises(InvalidRequest, match="1 to 365 days"):
        share_job(bench.brain, ada, bench.job(ada).id, days=days)


def test_a_link_that_never_was_leads_nowhere(bench: Bench) -> None:
    with pytest.raises(NotFound):
        job_of_link(bench.brain, "cmrshare_nothing")
