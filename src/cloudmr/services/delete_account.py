"""A person leaves: the account is closed at once, and what it had is cleared away as its jobs end."""

from __future__ import annotations

from dataclasses import replace

from cloudmr.database.base import Transaction
from cloudmr.errors import Conflict, NotFound
from cloudmr.model.audit import AuditAction
from cloudmr.model.data_files import DataState
from cloudmr.model.events import BRAIN, JobAction
from cloudmr.model.people import Account, Caller
from cloudmr.services.audit import audit
from cloudmr.services.brain import Brain
from cloudmr.services.change_password import wrong_old_password
from cloudmr.services.changes import write_change
from cloudmr.services.throttling import ACCOUNT_SIGN_IN, account_key, count_tries

_AT_ONCE = 100
_REASON = "Its owner's account was deleted."


def delete_account(brain: Brain, caller: Caller, *, password: str) -> None:
    """Delete the caller's account; nobody can bring it back.

    Its tokens, links, messages, shares and units end now, its jobs are cancelled; jobs and data files go without an
    undo, from the shared units with their objects. What stays is the audit trail, of an account without a name.
    Raises `NotSignedIn` (`wrong_credentials`), `Conflict` (`last_admin`), `LimitReached` for too many tries.
    """
    with brain.database.read() as transaction:
        account = transaction.accounts.get(caller.id)
    if account is None:
        raise NotFound("account")
    count_tries(brain, (ACCOUNT_SIGN_IN, account_key(account.email)))
    if not brain.passwords.matches(account.password_hash, password):
        raise wrong_old_password()
    with brain.database.write() as transaction:
        require_another_admin(transaction, account)
        _close(brain, transaction, caller)
    clear_account(brain, caller.id)
    brain.check_alarm.set()


def require_another_admin(transaction: Transaction, account: Account) -> None:
    """Raise `Conflict` (`last_admin`) if nobody could administrate without this account."""
    if account.is_admin and transaction.accounts.n_admins() <= 1:
        raise Conflict(
            "This is the only account that administrates this CloudMR Brain.",
            "Make another with `cloudmr admin create` first.",
            code="last_admin",
        )


def clear_deleted_accounts(brain: Brain) -> int:
    """Clear away what became free since accounts were deleted; return of how many accounts."""
    with brain.database.read() as transaction:
        account_ids = transaction.departures.unsettled(limit=_AT_ONCE)
    for account_id in account_ids:
        clear_account(brain, account_id)
    return len(account_ids)


def clear_account(brain: Brain, account_id: str) -> None:
    """Remove a deleted account's ended jobs and free data files, and ask for the end of the others."""
    while _clear_jobs(brain, account_id):
        pass
    while _clear_files(brain, account_id):
        pass


def _close(brain: Brain, transaction: Transaction, caller: Caller) -> None:
    now = brain.now()
    audit(brain, transaction, caller, AuditAction.ACCOUNT_DELETED)
    transaction.tokens.revoke_all_of(caller.id, at=now)
    transaction.one_time_tokens.use_all_of(caller.id, at=now)
    transaction.outbox.forget_of(caller.id)
    transaction.notifications.forget(caller.id)
    for unit_id in transaction.departures.units_of(caller.id):
        unit = transaction.units.get(unit_id)
        assert unit is not None
        transaction.units.replace(replace(unit, removed_at=now, is_default=False))
    transaction.accounts.close(caller.id, at=now)


def _clear_jobs(brain: Brain, account_id: str) -> int:
    """Clear some jobs away; return how many of them changed."""
    now = brain.now()
    n_changed = 0
    with brain.database.write() as transaction:
        for job_id in transaction.departures.jobs_of(account_id, limit=_AT_ONCE):
            job = transaction.jobs.get(job_id, for_change=True)
            assert job is not None
            if job.has_ended:
                after = job.evolve(deleted_at=now, purge_after=now)
                write_change(brain, transaction, job, after, JobAction.DELETED, reason=_REASON, actor=BRAIN)
                transaction.shares.revoke(job_id, None, at=now)
                n_changed += 1
            elif job.cancel_requested_at is None:
                after = job.evolve(cancel_requested_at=now, check_at=now)
                write_change(brain, transaction, job, after, JobAction.CANCEL_REQUESTED, reason=_REASON, actor=BRAIN)
                n_changed += 1
    return n_changed


def _clear_files(brain: Brain, account_id: str) -> int:
    """Clear some data files away; return how many."""
    now = brain.now()
    with brain.database.write() as transaction:
        data_ids = transaction.departures.files_of(account_id, limit=_AT_ONCE)
        for data_id in data_ids:
            data_file = transaction.data_files.get(data_id, for_change=True)
            assert data_file is not None
            gone = replace(data_file, state=DataState.DELETED, filename="(deleted)", deleted_at=now, purge_after=now)
            transaction.data_files.replace(data_file, gone)
    return len(data_ids)
