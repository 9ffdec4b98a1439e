"""What the Brain writes to people about their accounts."""

from __future__ import annotations

from cloudmr.database.base import Transaction
from cloudmr.model.ids import Kind
from cloudmr.model.messages import SECRET_PLACE, Message, MessageKind, derive_one_time_secret
from cloudmr.model.one_time import LIFETIME, OneTimeToken, Purpose
from cloudmr.model.people import Account
from cloudmr.model.tokens import secret_hash
from cloudmr.services.brain import Brain
from cloudmr.services.outbox import post

CONFIRM_PAGE = "/confirm"
RESET_PAGE = "/reset-password"
"""Pages of the Brain. The secret follows in the fragment, which no browser sends and no server logs."""


def post_confirmation(brain: Brain, transaction: Transaction, account: Account) -> None:
    """Send a link that confirms the e-mail address of an account."""
    token = _new_token(brain, account, Purpose.CONFIRM)
    body = (
        f"Somebody, probably you, has made an account at CloudMR Brain with this e-mail address.\n\n"
        f"Open this link within three days, with the password you chose, to confirm it:\n\n"
        f"    {brain.public_url}{CONFIRM_PAGE}#{SECRET_PLACE}\n\n"
        f"or, on the command line:\n\n"
        f"    cloudmr confirm {SECRET_PLACE}\n\n"
        f"If it was not you, there is nothing to do: without the link the account cannot be used.\n"
    )
    _post_secret(brain, transaction, account, token, "Confirm your e-mail address for CloudMR Brain", body)


def post_already_registered(brain: Brain, transaction: Transaction, account: Account) -> None:
    """Tell the owner of an account that somebody tried to make a second one with the same address."""
    body = (
        f"Somebody, probably you, tried to make an account at CloudMR Brain ({brain.public_url})\n"
        f"with this e-mail address. There is one already: sign in, or, if you do not know its password\n"
        f"any more, have it reset on the sign-in page.\n\n"
        f"If it was not you, there is nothing to do.\n"
    )
    _post(brain, transaction, account, "You have an account at CloudMR Brain already", body)


def post_reset_link(brain: Brain, transaction: Transaction, account: Account) -> None:
    """Send a link with which another password can be chosen."""
    token = _new_token(brain, account, Purpose.RESET)
    body = (
        f"Somebody, probably you, asked for another password for your account at CloudMR Brain.\n\n"
        f"Open this link within an hour to choose it:\n\n"
        f"    {brain.public_url}{RESET_PAGE}#{SECRET_PLACE}\n\n"
        f"or, on the command line:\n\n"
        f"    cloudmr reset-password {SECRET_PLACE}\n\n"
        f"If it was not you, there is nothing to do: your password is unchanged.\n"
    )
    _post_secret(brain, transaction, account, token, "Choose another password for CloudMR Brain", body)


def post_password_changed(brain: Brain, transaction: Transaction, account: Account, address: str) -> None:
    """Tell the owner of an account that its password is another now."""
    body = (
        f"The password of your account at CloudMR Brain ({brain.public_url}) was changed at\n"
        f"{brain.now():%Y-%m-%d %H:%M} UTC, from the network address {address}.\n"
        f"Sessions that were open elsewhere have ended.\n\n"
        f"If it was not you, have the password reset on the sign-in page, and tell the operator.\n"
    )
    _post(brain, transaction, account, "Your password for CloudMR Brain was changed", body)


def _new_token(brain: Brain, account: Account, purpose: Purpose) -> OneTimeToken:
    token_id = brain.new_id(Kind.TOKEN)
    return OneTimeToken(
        id=token_id,
        account_id=account.id,
        purpose=purpose,
        secret_hash=secret_hash(derive_one_time_secret(brain.secret_key, _secret_name(purpose, token_id))),
        created_at=brain.now(),
        expires_at=brain.now() + LIFETIME[purpose],
    )


def _secret_name(purpose: Purpose, token_id: str) -> str:
    return f"{purpose}|{token_id}"


def _post_secret(
    brain: Brain, transaction: Transaction, account: Account, token: OneTimeToken, subject: str, body: str
) -> None:
    transaction.one_time_tokens.add(token)
    message = Message(
        account_id=account.id,
        kind=MessageKind.MAIL,
        target=account.email,
        subject=subject,
        body=body,
        dedupe_key=token.id,
        not_after=token.expires_at,
        secret_name=_secret_name(token.purpose, token.id),
    )
    post(brain, transaction, message)


def _post(brain: Brain, transaction: Transaction, account: Account, subject: str, body: str) -> None:
    message = Message(
        account_id=account.id,
        kind=MessageKind.MAIL,
        target=account.email,
        subject=subject,
        body=body,
        dedupe_key=brain.new_id(Kind.TOKEN),
    )
    post(brain, transaction, message)
