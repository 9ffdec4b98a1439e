"""A person proves that an e-mail address is theirs, and the account with it begins."""

from __future__ import annotations

from cloudmr.database.base import Transaction
from cloudmr.errors import NotSignedIn
from cloudmr.model.audit import AuditAction, AuditEvent
from cloudmr.model.one_time import Purpose, not_good
from cloudmr.model.people import Account, AccountStatus
from cloudmr.model.tokens import secret_hash
from cloudmr.services.account_mails import post_confirmation
from cloudmr.services.brain import Brain
from cloudmr.services.silence import as_if_for_somebody, find_account
from cloudmr.services.throttling import LINK, MAIL, count_tries, mail_key, place_key


def confirm_account(brain: Brain, *, secret: str, password: str, address: str) -> None:
    """Make the account active whose confirmation this is the secret of.

    It takes the password, too: somebody else may have registered with the owner's address and a password of their own,
    and the owner would open that account to them. Raises `NotAllowed` (`link_not_good`), `NotSignedIn`
    (`wrong_credentials`), `LimitReached` for too many tries.
    """
    count_tries(brain, (LINK, place_key("confirm", address)))
    with brain.database.read() as transaction:
        account = _owner_of(brain, transaction, secret)
    if not brain.passwords.matches(account.password_hash, password):
        raise NotSignedIn(
            "This is not the password that the account was made with.",
            "Give that one, or have the password reset: that confirms the address, too.",
            code="wrong_credentials",
        )
    with brain.database.write() as transaction:
        if _owner_of(brain, transaction, secret) != account:
            raise not_good(Purpose.CONFIRM)
        transaction.one_time_tokens.use_all_of(account.id, at=brain.now())
        transaction.accounts.set_status(account.id, AccountStatus.ACTIVE)
        transaction.accounts.audit(
            AuditEvent(
                account_id=account.id,
                at=brain.now(),
                action=AuditAction.ACCOUNT_CONFIRMED,
                actor_id=account.id,
                address=address,
            )
        )


def resend_confirmation(brain: Brain, *, email: str, address: str) -> None:
    """Send the link again if there is an account that waits for it; whoever asks is not told.

    Raises `LimitReached` for too many tries.
    """
    count_tries(brain, (LINK, place_key("mail", address)), (MAIL, mail_key(email)))
    account = find_account(brain, email)
    with brain.database.write() as transaction:
        if account is not None and account.status is AccountStatus.PENDING:
            post_confirmation(brain, transaction, account)
        else:
            as_if_for_somebody(brain, transaction, n_rows=2)
    brain.outbox_alarm.set()


def _owner_of(brain: Brain, transaction: Transaction, secret: str) -> Account:
    token = transaction.one_time_tokens.by_hash(secret_hash(secret))
    account = transaction.accounts.get(token.account_id) if token else None
    if token is None or account is None or not token.is_good_for(Purpose.CONFIRM, now=brain.now()):
        raise not_good(Purpose.CONFIRM)
    if account.status is not AccountStatus.PENDING:
        raise not_good(Purpose.CONFIRM)
    return account
