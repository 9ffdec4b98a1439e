from __future__ import annotations

import pytest

from bench import PASSWORD, Bench
from cloudmr.errors import Conflict, NotAllowed, NotFound, NotSignedIn
from cloudmr.model.audit import AuditAction, AuditFilter
from cloudmr.model.data_files import DataFile, DataState
from cloudmr.model.jobs import JobState
from cloudmr.model.people import Caller
from cloudmr.model.tokens import Scope
from cloudmr.services.administration import create_admin, get_account, whole_audit
from cloudmr.services.delete_account import clear_deleted_accounts, delete_account
from cloudmr.services.personal_tokens import create_token
from cloudmr.services.purge import purge_data, purge_results
from cloudmr.services.reconcile_jobs import reconcile_jobs
from cloudmr.services.register_account import register_account
from cloudmr.services.sessions import authenticate, log_in
from cloudmr.services.settle_job import settle_job
from cloudmr.storage.base import Bucket

EMAIL = "person1@example.org"
"""Of the first person on a bench."""


def read_file(bench: Bench, data_file: DataFile) -> DataFile:
    with bench.brain.database.read() as transaction:
        found = transaction.data_files.get(data_file.id)
    assert found is not None
    return found


def test_without_the_password_nothing_is_deleted(bench: Bench, ada: Caller) -> None:
    with pytest.raises(NotSignedIn) as refused:
        delete_account(bench.brain, ada, password="wrong password")
    assert refused.value.instance_code == "wrong_credentials"
    log_in(bench.brain, email=EMAIL, password=PASSWORD, address="192.0.2.1")


def test_a_deleted_account_lets_nobody_in_and_its_address_is_free(bench: Bench, ada: Caller) -> None:
    session = log_in(bench.brain, email=EMAIL, password=PASSWORD, address="192.0.2.1")
    token = create_token(bench.brain, ada, name="cluster", scope=Scope.READ).secret
    delete_account(bench.brain, ada, password=PASSWORD)
    for held in (session.access_token, token):
        with pytest.raises((NotSignedIn, NotAllowed)):
            authenticate(bench.brain, held, Scope.READ)
    with pytest.raises(NotSignedIn):
        log_in(bench.brain, email=EMAIL, password=PASSWORD, address="192.0.2.1")
    again = register_account(bench.brain, email=EMAIL, password=PASSWORD, address="192.0.2.1")
    assert again.id != ada.id


def test_what_it_had_goes_with_its_objects_and_nobody_elses(bench: Bench, ada: Caller, bob: Caller) -> None:
    job = bench.running_job(ada)
    bench.succeed(job)
    settle_job(bench.brain, job.id)
    spare, of_bob = bench.data_file(ada), bench.data_file(bob)
    delete_account(bench.brain, ada, password=PASSWORD)
    purge_data(bench.brain)
    purge_results(bench.brain)
    assert bench.storage.head(Bucket.DATA, spare.key) is None
    assert bench.storage.head(Bucket.RESULTS, f"results/{job.id}/1/package.zip") is None
    assert bench.storage.head(Bucket.DATA, of_bob.key) is not None
    assert bench.read(job).alias == ""
    assert read_file(bench, spare).filename == "(deleted)"
    assert read_file(bench, of_bob).state is DataState.READY


def test_jobs_at_work_are_cancelled_and_then_cleared_away(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    delete_account(bench.brain, ada, password=PASSWORD)
    [data_id] = job.data_ids
    with bench.brain.database.read() as transaction:
        data_file = transaction.data_files.get(data_id)
    assert data_file is not None
    assert data_file.state is DataState.READY
    bench.unit.end(job.execution_name)
    bench.clock.advance(minutes=5)
    reconcile_jobs(bench.brain)
    assert bench.read(job).state is JobState.CANCELLED
    assert clear_deleted_accounts(bench.brain) == 1
    assert read_file(bench, data_file).state is DataState.DELETED
    assert bench.read(job).deleted_at == bench.clock.now
    assert clear_deleted_accounts(bench.brain) == 0


def test_its_own_units_get_no_more_jobs(bench: Bench, ada: Caller) -> None:
    unit = bench.own_unit(ada, is_default=True)
    delete_account(bench.brain, ada, password=PASSWORD)
    with bench.brain.database.read() as transaction:
        kept = transaction.units.get(unit.id)
    assert kept is not None
    assert (kept.removed_at, kept.is_default) == (bench.clock.now, False)


def test_the_trail_stays_and_names_nobody(bench: Bench, ada: Caller) -> None:
    create_admin(bench.brain, email="root@example.org", password=PASSWORD)
    session = log_in(bench.brain, email="root@example.org", password=PASSWORD, address="192.0.2.1")
    admin = authenticate(bench.brain, session.access_token, Scope.ACCOUNT)
    delete_account(bench.brain, ada, password=PASSWORD)
    latest = whole_audit(bench.brain, admin, AuditFilter(account_id=ada.id), limit=1)[0].event
    assert latest.action is AuditAction.ACCOUNT_DELETED
    assert EMAIL not in repr(whole_audit(bench.brain, admin, AuditFilter(account_id=ada.id), limit=100))
    with pytest.raises(NotFound):
        get_account(bench.brain, admin, ada.id)


def test_the_last_administrator_stays(bench: Bench) -> None:
    create_admin(bench.brain, email="root@example.org", password=PASSWORD)
    session = log_in(bench.brain, email="root@example.org", password=PASSWORD, address="192.0.2.1")
    admin = authenticate(bench.brain, session.access_token, Scope.ACCOUNT)
    with pytest.raises(Conflict) as refused:
        delete_account(bench.brain, admin, password=PASSWORD)
    assert refused.value.instance_code == "last_admin"
    create_admin(bench.brain, email="second@example.org", password=PASSWORD)
    delete_account(bench.brain, admin, password=PASSWORD)
