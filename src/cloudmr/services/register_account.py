"""A person gets an account."""

from __future__ import annotations

from cloudmr.database.base import Transaction
from cloudmr.errors import Conflict
from cloudmr.model.audit import AuditAction, AuditEvent
from cloudmr.model.ids import Kind
from cloudmr.model.people import Account, AccountStatus, check_new_password, normal_email
from cloudmr.services.account_mails import post_already_registered, post_confirmation
from cloudmr.services.brain import Brain
from cloudmr.services.silence import as_if_for_somebody
from cloudmr.services.throttling import MAIL, REGISTER, count_tries, mail_key, place_key


def register_account(brain: Brain, *, email: str, password: str, address: str) -> Account:
    """Make an account and return it.

    With a mail server it is pending until its owner opens the link in a mail, and whoever registers an address that has
    an account is answered the same: its owner is told by mail. Without, it is active at once.

    Raises `InvalidRequest` for what is no e-mail address or no password, `Conflict` (`account_exists`) where the
    address has an account and there are no mails, `LimitReached` for too many tries.
    """
    email = normal_email(email)
    check_new_password(password)
    tries = [(REGISTER, place_key("register", address))]
    if brain.confirms_addresses:
        tries.append((MAIL, mail_key(email)))
    count_tries(brain, *tries)
    account = new_account(
        brain,
        email=email,
        password=password,
        status=AccountStatus.PENDING if brain.confirms_addresses else AccountStatus.ACTIVE,
    )
    with brain.database.write() as transaction:
        known = transaction.accounts.by_email(email)
        if known is None:
            _keep(brain, transaction, account, address)
        elif not brain.confirms_addresses:
            raise Conflict(
                "There is an account with this e-mail address.",
                "Sign in, or use another address.",
                code="account_exists",
            )
        else:
            _tell_owner(brain, transaction, known, account.password_hash)
    brain.outbox_alarm.set()
    return account


def new_account(brain: Brain, *, email: str, password: str, status: AccountStatus, is_admin: bool = False) -> Account:
    """Return an account that is not kept yet; its password is hashed here, which takes a while."""
    return Account(
        id=brain.new_id(Kind.USER),
        email=email,
        password_hash=brain.passwords.hash(password),
        status=status,
        is_admin=is_admin,
        created_at=brain.now(),
    )


def _keep(brain: Brain, transaction: Transaction, account: Account, address: str) -> None:
    transaction.accounts.add(account)
    transaction.accounts.audit(
        AuditEvent(
            account_id=account.id,
            at=account.created_at,
            action=AuditAction.ACCOUNT_CREATED,
            actor_id=account.id,
            address=address,
        )
    )
    if brain.confirms_addresses:
        post_confirmation(brain, transaction, account)


def _tell_owner(brain: Brain, transaction: Transaction, known: Account, password_hash: str) -> None:
    """Write to whoever has the address, with as many statements as a new account takes."""
    if known.status is AccountStatus.PENDING:
        # Whoever was first may not be the owner. Opening the link takes the password, so the last one counts.
        transaction.accounts.replace_password_hash(known.id, password_hash)
        transaction.one_time_tokens.use_all_of(known.id, at=brain.now())
        post_confirmation(brain, transaction, known)
    else:
        post_already_registered(brain, transaction, known)
        as_if_for_somebody(brain, transaction, n_rows=3)
