from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bench import PASSWORD, Bench
from cloudmr.errors import Conflict, InvalidRequest, NotAllowed, NotFound, NotSignedIn
from cloudmr.model.allowances import Allowance
from cloudmr.model.audit import AuditAction, AuditFilter
from cloudmr.model.limits import Limits
from cloudmr.model.people import AccountStatus, Caller
from cloudmr.model.tokens import Scope
from cloudmr.services import administration
from cloudmr.services.administration import create_admin
from cloudmr.services.limits import limits_of, limits_of_each
from cloudmr.services.sessions import authenticate, log_in
from cloudmr.services.settle_job import settle_job

EMAIL = "root@example.org"


@pytest.fixture
def admin(bench: Bench) -> Caller:
    create_admin(bench.brain, email=EMAIL, password=PASSWORD)
    session = log_in(bench.brain, email=EMAIL, password=PASSWORD, address="192.0.2.1")
    return authenticate(bench.brain, session.access_token, Scope.ACCOUNT, address="192.0.2.1")


def email_of(bench: Bench, person: Caller) -> str:
    with bench.brain.database.read() as transaction:
        account = transaction.accounts.get(person.id)
    assert account is not None
    return account.email


ASKED: dict[str, Callable[[Bench, Caller, str], object]] = {
    "list": lambda bench, who, _: administration.list_accounts(bench.brain, who, limit=10),
    "get": lambda bench, who, whom: administration.get_account(bench.brain, who, whom),
    "suspend": lambda bench, who, whom: administration.suspend_account(bench.brain, who, whom, reason="x"),
    "activate": lambda bench, who, whom: administration.activate_account(bench.brain, who, whom),
    "limits": lambda bench, who, whom: administration.set_allowance(bench.brain, who, whom, Allowance(n_monthly=1)),
    "queue": lambda bench, who, _: administration.list_open_jobs(bench.brain, who, limit=10),
    "failures": lambda bench, who, _: administration.list_failures(
        bench.brain, who, within=timedelta(days=1), limit=10
    ),
    "audit": lambda bench, who, _: administration.whole_audit(bench.brain, who, AuditFilter(), limit=10),
}


@pytest.mark.parametrize("asked", ASKED)
def test_administration_is_for_administrators(
    bench: Bench, ada: Caller, bob: Caller, admin: Caller, asked: str
) -> None:
    with pytest.raises(NotAllowed) as refused:
        ASKED[asked](bench, ada, bob.id)
    assert refused.value.instance_code == "not_admin"
    ASKED[asked](bench, admin, bob.id)


def test_an_account_that_is_there_is_made_an_administrator_and_keeps_its_password(bench: Bench, ada: Caller) -> None:
    email = email_of(bench, ada)
    assert create_admin(bench.brain, email=email, password="not taken over").is_admin
    log_in(bench.brain, email=email, password=PASSWORD, address="192.0.2.1")
    with pytest.raises(NotSignedIn):
        log_in(bench.brain, email=email, password="not taken over", address="192.0.2.1")


def test_accounts_are_found_by_a_part_of_their_address(bench: Bench, ada: Caller, bob: Caller, admin: Caller) -> None:
    def found(**wanted: object) -> list[str]:
        views = administration.list_accounts(bench.brain, admin, limit=10, **wanted)  # type: ignore[arg-type]
        return [view.account.email for view in views]

    # Ids sort by the millisecond, and in the same one by chance.
    latest_first = [email_of(bench, person) for person in sorted((ada, bob, admin), key=lambda who: who.id)[::-1]]
    assert found() == latest_first
    assert found(text="ROOT@") == [EMAIL]
    assert found(text="%") == []
    assert found(text="_") == []
    assert found(status=AccountStatus.SUSPENDED) == []
    assert found(before=max(ada.id, bob.id, admin.id)) == latest_first[1:]


def test_a_suspended_account_is_out_at_once_and_for_good(bench: Bench, ada: Caller, admin: Caller) -> None:
    email = email_of(bench, ada)
    session = log_in(bench.brain, email=email, password=PASSWORD, address="192.0.2.1")
    view = administration.suspend_account(bench.brain, admin, ada.id, reason="left the institute")
    assert view.account.status is AccountStatus.SUSPENDED
    with pytest.raises(NotAllowed, match="suspended"):
        authenticate(bench.brain, session.access_token, Scope.READ)
    administration.activate_account(bench.brain, admin, ada.id)
    with pytest.raises(NotSignedIn):
        authenticate(bench.brain, session.access_token, Scope.READ)
    log_in(bench.brain, email=email, password=PASSWORD, address="192.0.2.1")


def test_a_suspension_has_a_reason_that_stands_in_the_trail(bench: Bench, ada: Caller, admin: Caller) -> None:
    with pytest.raises(InvalidRequest):
        administration.suspend_account(bench.brain, admin, ada.id, reason="  ")
    for _ in range(2):
        administration.suspend_account(bench.brain, admin, ada.id, reason="left the institute")
    wanted = AuditFilter(account_id=ada.id, action=AuditAction.ACCOUNT_SUSPENDED)
    [entry] = administration.whole_audit(bench.brain, admin, wanted, limit=10)
    event = entry.event
    assert (event.actor_id, event.target, event.reason) == (admin.id, ada.id, "left the institute")
    assert (event.address, event.token_id) == ("192.0.2.1", admin.token_id)


def test_nobody_locks_themselves_out(bench: Bench, ada: Caller, admin: Caller) -> None:
    with pytest.raises(Conflict) as refused:
        administration.suspend_account(bench.brain, admin, admin.id, reason="x")
    assert refused.value.instance_code == "own_account"
    # Somebody whose rights were taken between the look at their token and this.
    former = replace(ada, is_admin=True)
    with pytest.raises(Conflict) as refused:
        administration.suspend_account(bench.brain, former, admin.id, reason="x")
    assert refused.value.instance_code == "last_admin"


@pytest.mark.parametrize("account_id", ["user_x", "", "user_01m81j18g0j1218zet8qksc3hx"])
def test_accounts_that_are_not_there_are_not_found(bench: Bench, admin: Caller, account_id: str) -> None:
    with pytest.raises(NotFound):
        administration.get_account(bench.brain, admin, account_id)


def test_one_persons_limits_are_set_apart_and_given_back(bench: Bench, ada: Caller, bob: Caller, admin: Caller) -> None:
    allowance = Allowance(n_monthly=500, n_running=4, stored_bytes=10**12)
    view = administration.set_allowance(bench.brain, admin, ada.id, allowance)
    expected = replace(bench.limits, n_monthly_each=500, n_running_each=4, max_stored_bytes_each=10**12)
    assert (view.limits, view.allowance) == (expected, allowance)
    with bench.brain.database.read() as transaction:
        assert limits_of(bench.brain, transaction, ada.id) == expected
        assert limits_of_each(bench.brain, transaction, [ada.id, bob.id]) == {ada.id: expected, bob.id: bench.limits}
    for changed in (Allowance(n_monthly=0), Allowance()):
        administration.set_allowance(bench.brain, admin, ada.id, changed)
        with bench.brain.database.read() as transaction:
            assert limits_of(bench.brain, transaction, ada.id) == changed.applied_to(bench.limits)
    wanted = AuditFilter(account_id=ada.id, action=AuditAction.ACCOUNT_LIMITED)
    reasons = [entry.event.reason for entry in administration.whole_audit(bench.brain, admin, wanted, limit=10)]
    assert reasons == ["as for everybody", "n_monthly 0", "n_monthly 500, n_running 4, stored_bytes 1000000000000"]


@pytest.mark.parametrize(
    "allowance",
    [Allowance(n_running=0), Allowance(n_monthly=-1), Allowance(n_queued=10**9), Allowance(stored_bytes=-1)],
)
def test_limits_are_possible_numbers(bench: Bench, ada: Caller, admin: Caller, allowance: Allowance) -> None:
    with pytest.raises(InvalidRequest):
        administration.set_allowance(bench.brain, admin, ada.id, allowance)


def test_nothing_set_apart_is_the_operators_limits() -> None:
    limits = Limits(n_monthly_each=3, n_running_each=5)
    assert Allowance().applied_to(limits) == limits


def test_everybodys_open_jobs_are_seen_without_what_is_in_them(
    bench: Bench, ada: Caller, bob: Caller, admin: Caller
) -> None:
    running, waiting = bench.running_job(ada), bench.job(bob, alias="Mrs Example's knee")
    bench.clock.advance(milliseconds=1)
    seen = administration.list_open_jobs(bench.brain, admin, limit=10)
    assert [(job.job_id, job.owner_email) for job in seen] == [
        (waiting.id, email_of(bench, bob)),
        (running.id, email_of(bench, ada)),
    ]
    assert "knee" not in repr(seen)
    assert len(administration.list_open_jobs(bench.brain, admin, limit=10, before=waiting.id)) == 1


def test_failures_are_seen_with_their_causes_and_counted(bench: Bench, ada: Caller, admin: Caller) -> None:
    jobs = []
    for code in ("no_noise", "no_noise", "unreadable_file"):
        job = bench.running_job(ada)
        bench.fail(job, {"code": code, "message": f"It was {code}.", "next_step": "Do something."})
        settle_job(bench.brain, job.id)
        jobs.append(job.id)
    failures = administration.list_failures(bench.brain, admin, within=timedelta(days=1), limit=2)
    assert [job.job_id for job in failures.jobs] == jobs[:0:-1]
    assert failures.jobs[0].message == "It was unreadable_file."
    assert list(failures.by_code.items()) == [("no_noise", 2), ("unreadable_file", 1)]
    bench.clock.advance(days=2)
    assert administration.list_failures(bench.brain, admin, within=timedelta(days=1), limit=2).by_code == {}


def test_the_trail_is_filtered_and_paged(bench: Bench, ada: Caller, bob: Caller, admin: Caller) -> None:
    everything = administration.whole_audit(bench.brain, admin, AuditFilter(), limit=100)
    assert [entry.number for entry in everything] == sorted((entry.number for entry in everything), reverse=True)
    paged, before = [], None
    while page := administration.whole_audit(bench.brain, admin, AuditFilter(), limit=2, before=before):
        paged += page
        before = page[-1].number
    assert paged == everything
    of_ada = administration.whole_audit(bench.brain, admin, AuditFilter(account_id=ada.id), limit=100)
    assert {entry.event.account_id for entry in of_ada} == {ada.id}
    now = bench.clock.now
    assert administration.whole_audit(bench.brain, admin, AuditFilter(until=now), limit=1) == []
    assert administration.whole_audit(bench.brain, admin, AuditFilter(since=now), limit=1) == everything[:1]
