"""A person gets an account."""

from __future__ import annotations

from cloudmr.database.errors import AlreadyThere
from cloudmr.errors import Conflict
from cloudmr.model.audit import AuditAction, AuditEvent
from cloudmr.model.ids import Kind
from cloudmr.model.people import Account, AccountStatus, check_new_password, normal_email
from cloudmr.services.brain import Brain
from cloudmr.services.throttling import REGISTER, count_try, try_key


def register_account(brain: Brain, *, email: str, password: str, address: str, is_admin: bool = False) -> Account:
    """Make an account and return it. Without a mail server there is nothing to confirm: it is active at once.

    Raises `InvalidRequest` for what is no e-mail address or no password, `Conflict` (`account_exists`) where the
    address has an account, `LimitReached` for too many tries from one network address.
    """
    email = normal_email(email)
    check_new_password(password)
    count_try(brain, REGISTER, try_key("register", address))
    account = Account(
        id=brain.new_id(Kind.USER),
        email=email,
        password_hash=brain.passwords.hash(password),
        status=AccountStatus.ACTIVE,
        is_admin=is_admin,
        created_at=brain.now(),
    )
    event = AuditEvent(
        account_id=account.id, at=account.created_at, action=AuditAction.ACCOUNT_CREATED, address=address
    )
    try:
        with brain.database.write() as transaction:
            transaction.accounts.add(account)
            transaction.accounts.audit(event)
    except AlreadyThere:
        raise Conflict(
            "There is an account with this e-mail address.", "Sign in, or use another address.", code="account_exists"
        ) from None
    return account
