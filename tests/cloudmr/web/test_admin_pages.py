from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bench import Bench
from cloudmr.model.limits import Limits
from cloudmr.model.people import AccountStatus, Caller
from cloudmr.services.administration import get_account
from cloudmr.services.get_profile import get_profile
from cloudmr.services.settle_job import settle_job
from mroptimum.errors import Explanation
from page_visits import Visits, visits

PAGES = ("users", "units", "queue", "queue/rows", "failures", "audit")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path, is_watched=False, limits=Limits(n_queued_each=100))
    yield bench
    bench.close()


@pytest.fixture
def bob(bench: Bench) -> Caller:
    return bench.person()


@pytest.fixture
def chief(bench: Bench) -> Caller:
    caller = bench.person()
    with bench.brain.database.write() as transaction:
        transaction.accounts.make_admin(caller.id)
    return Caller(id=caller.id, is_admin=True, token_id=caller.token_id)


@pytest.fixture
def admin(bench: Bench, chief: Caller) -> Visits:
    return visits(bench, chief)


def test_only_administrators_see_anything_of_it(bench: Bench, bob: Caller, admin: Visits) -> None:
    person = visits(bench, bob)
    assert "/admin" not in person.get("/").text
    assert "/admin" in admin.get("/").text
    for path in ("", *(f"/{page}" for page in PAGES), f"/users/{bob.id}"):
        answer = person.get(f"/admin{path}")
        assert answer.status_code == 403
        assert "for administrators" in answer.text
        assert admin.get(f"/admin{path}").status_code in {200, 303}
    for action in ("suspend", "activate", "limits"):
        assert person.post(f"/admin/users/{bob.id}/{action}", reason="x").status_code == 403


def test_a_person_is_found_suspended_with_a_reason_and_activated(
    bench: Bench, bob: Caller, chief: Caller, admin: Visits
) -> None:
    email = get_profile(bench.brain, bob).email
    found = admin.get(f"/admin/users?text={email}&status=active").text
    assert f"/admin/users/{bob.id}" in found
    assert f"/admin/users/{chief.id}" not in found
    assert f"/admin/users/{bob.id}" not in admin.get("/admin/users?status=suspended").text
    without = admin.post(f"/admin/users/{bob.id}/suspend", reason=" ")
    assert without.status_code == 422
    assert "A suspension has a reason" in without.text
    assert admin.post(f"/admin/users/{bob.id}/suspend", reason="left the institute").status_code == 303
    assert get_account(bench.brain, chief, bob.id).account.status is AccountStatus.SUSPENDED
    assert "left the institute" in admin.get(f"/admin/audit?user_id={bob.id}").text
    assert admin.post(f"/admin/users/{bob.id}/activate").status_code == 303
    assert get_account(bench.brain, chief, bob.id).account.status is AccountStatus.ACTIVE
    assert "own account" in admin.post(f"/admin/users/{chief.id}/suspend", reason="tired").text


def test_limits_are_set_for_one_person_and_given_back(bench: Bench, bob: Caller, chief: Caller, admin: Visits) -> None:
    path = f"/admin/users/{bob.id}/limits"
    assert admin.post(path, n_monthly="500", n_running="4", stored_gb="0.5").status_code == 303
    view = get_account(bench.brain, chief, bob.id)
    assert (view.limits.n_monthly_each, view.limits.n_running_each) == (500, 4)
    assert view.limits.max_stored_bytes_each == 500_000_000
    assert view.allowance.n_queued is None
    page = admin.get(f"/admin/users/{bob.id}").text
    assert 'value="500"' in page
    assert 'value="0.5"' in page
    for wrong in ({"n_monthly": "many"}, {"n_running": "0"}, {"stored_gb": "nan"}, {"stored_gb": "1e400"}):
        assert admin.post(path, **wrong).status_code == 422
    assert get_account(bench.brain, chief, bob.id).allowance == view.allowance
    assert admin.post(path).status_code == 303
    assert get_account(bench.brain, chief, bob.id).limits == bench.brain.limits


def test_what_waits_runs_and_failed_is_shown_without_what_is_in_it(
    bench: Bench, bob: Caller, chief: Caller, admin: Visits
) -> None:
    running, failing = bench.running_job(bob), bench.running_job(bob)
    bench.fail(failing, Explanation(code="no_noise", message="There is no noise.", next_step="Give some."))
    settle_job(bench.brain, failing.id)
    queue = admin.get("/admin/queue").text
    assert running.id in queue
    assert failing.id not in queue
    assert get_profile(bench.brain, bob).email in queue
    failures = admin.get("/admin/failures?days=1").text
    assert failing.id in failures
    assert running.id not in failures
    assert "There is no noise." in failures
    for page in (queue, failures):
        assert running.alias not in page
    bench.clock.advance(days=2)
    later = visits(bench, chief)
    assert "No job failed" in later.get("/admin/failures?days=1").text
    assert later.get("/admin/failures?days=0").status_code == 422


def test_the_trail_is_filtered_and_taken_away(bench: Bench, bob: Caller, admin: Visits) -> None:
    day = bench.clock.now.date()
    page = admin.get(f"/admin/audit?action=account:created&since={day}&until={day}").text
    assert page.count("<code>account:created</code>") == 2
    assert "session:opened</code>" not in page
    until = (bench.clock.now.replace(hour=0) + timedelta(days=1)).isoformat()
    assert f"until={until}".replace(":", "%3A").replace("+", "%2B") in page
    assert "Nothing is like that" in admin.get(f"/admin/audit?until={day - timedelta(days=1)}").text
    exported = admin.client.get("/api/admin/audit/export?format=csv&action=account:created")
    assert exported.text.count("account:created") == 2
    assert admin.get("/admin/audit?action=nothing&since=yesterday").status_code == 200


def test_longer_lists_go_on_on_another_page(bench: Bench, bob: Caller, admin: Visits) -> None:
    for _ in range(60):
        bench.job(bob)
    first = admin.get("/admin/queue").text
    assert first.count("<code>job_") == 50
    _, _, after = first.partition("/admin/queue?")
    second = admin.get(f"/admin/queue?{after.partition(chr(34))[0]}").text
    assert second.count("<code>job_") == 10
    assert "every 5s" not in second


def test_shared_units_are_listed_and_those_of_others_counted_only(bench: Bench, bob: Caller, admin: Visits) -> None:
    own = bench.own_unit(bob, data_bucket="bobs-data")
    page = admin.get("/admin/units").text
    assert f"/units/{bench.local_unit.id}" in page
    assert own.alias not in page
    assert own.id not in page
    assert "CLOUDMR_OPERATOR_ACCOUNT_ID" in page
