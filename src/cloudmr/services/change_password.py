"""A person chooses another password: knowing the old one, or through a link in a mail."""

from __future__ import annotations

from cloudmr.database.base import Transaction
from cloudmr.errors import NotFound, NotSignedIn
from cloudmr.model.audit import AuditAction, AuditEvent
from cloudmr.model.one_time import Purpose, not_good
from cloudmr.model.people import Account, AccountStatus, Caller, check_new_password
from cloudmr.model.tokens import secret_hash
from cloudmr.services.account_mails import post_password_changed, post_reset_link
from cloudmr.services.audit import audit
from cloudmr.services.brain import Brain
from cloudmr.services.silence import as_if_for_somebody, find_account
from cloudmr.services.throttling import ACCOUNT_SIGN_IN, LINK, MAIL, account_key, count_tries, mail_key, place_key


def change_password(brain: Brain, caller: Caller, *, old_password: str, new_password: str) -> None:
    """Change the caller's password; other sessions end, personal tokens stay.

    Raises `NotSignedIn` (`wrong_credentials`) for a wrong old password, `InvalidRequest` for a new one that is none,
    `LimitReached` for too many tries.
    """
    check_new_password(new_password)
    with brain.database.read() as transaction:
        account = transaction.accounts.get(caller.id)
    if account is None:
        raise NotFound("account")
    count_tries(brain, (ACCOUNT_SIGN_IN, account_key(account.email)))
    if not brain.passwords.matches(account.password_hash, old_password):
        raise wrong_old_password()
    password_hash = brain.passwords.hash(new_password)
    with brain.database.write() as transaction:
        token = transaction.tokens.get(caller.token_id)
        transaction.accounts.replace_password_hash(account.id, password_hash)
        transaction.tokens.revoke_sessions_of(
            account.id, at=brain.now(), but_session=token.session_id if token else None
        )
        transaction.one_time_tokens.use_all_of(account.id, at=brain.now())
        audit(brain, transaction, caller, AuditAction.PASSWORD_CHANGED)
        post_password_changed(brain, transaction, account, caller.address)
    brain.outbox_alarm.set()


def ask_for_reset(brain: Brain, *, email: str, address: str) -> None:
    """Send a link to choose another password if there is such an account; whoever asks is not told.

    Raises `LimitReached` for too many tries.
    """
    count_tries(brain, (LINK, place_key("mail", address)), (MAIL, mail_key(email)))
    account = find_account(brain, email)
    with brain.database.write() as transaction:
        if account is not None and account.status is not AccountStatus.SUSPENDED:
            post_reset_link(brain, transaction, account)
            _audit(brain, transaction, account, AuditAction.PASSWORD_RESET_ASKED, address, is_owner=False)
        else:
            as_if_for_somebody(brain, transaction, n_rows=3)
    brain.outbox_alarm.set()


def reset_password(brain: Brain, *, secret: str, new_password: str, address: str) -> None:
    """Set another password with the secret of a mail, which also proves the address; every token of the account ends.

    Raises `NotAllowed` (`link_not_good`), `InvalidRequest` for a password that is none, `LimitReached`.
    """
    check_new_password(new_password)
    count_tries(brain, (LINK, place_key("reset", address)))
    with brain.database.read() as transaction:
        _owner_of(brain, transaction, secret)
    # Hashed outside of any transaction, and so looked at once more inside.
    password_hash = brain.passwords.hash(new_password)
    with brain.database.write() as transaction:
        account = _owner_of(brain, transaction, secret)
        transaction.one_time_tokens.use_all_of(account.id, at=brain.now())
        transaction.accounts.replace_password_hash(account.id, password_hash)
        transaction.tokens.revoke_all_of(account.id, at=brain.now())
        transaction.tries.clear(account_key(account.email))
        if account.status is AccountStatus.PENDING:
            transaction.accounts.set_status(account.id, AccountStatus.ACTIVE)
        _audit(brain, transaction, account, AuditAction.PASSWORD_RESET, address, is_owner=True)
        post_password_changed(brain, transaction, account, address)
    brain.outbox_alarm.set()


def wrong_old_password() -> NotSignedIn:
    """Return the refusal of a password that is to confirm something."""
    return NotSignedIn("The password is wrong.", "Give the password you sign in with.", code="wrong_credentials")


def _owner_of(brain: Brain, transaction: Transaction, secret: str) -> Account:
    token = transaction.one_time_tokens.by_hash(secret_hash(secret))
    account = transaction.accounts.get(token.account_id) if token else None
    if token is None or account is None or not token.is_good_for(Purpose.RESET, now=brain.now()):
        raise not_good(Purpose.RESET)
    if account.status is AccountStatus.SUSPENDED:
        raise not_good(Purpose.RESET)
    return account


def _audit(
    brain: Brain, transaction: Transaction, account: Account, action: AuditAction, address: str, *, is_owner: bool
) -> None:
    actor_id = account.id if is_owner else None
    transaction.accounts.audit(
        AuditEvent(account_id=account.id, at=brain.now(), action=action, actor_id=actor_id, address=address)
    )
