"""Counting tries before they are made, so that many at once are as limited as one after the other."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from ipaddress import ip_address, ip_network

from cloudmr.database.errors import AlreadyThere
from cloudmr.model.throttle import Throttle
from cloudmr.services.brain import Brain

SIGN_IN = Throttle(limit=10, window=timedelta(minutes=15))
"""For one e-mail address from one network address; a success clears the count."""
ADDRESS_SIGN_IN = Throttle(limit=100, window=timedelta(minutes=15))
"""From one network address, whatever the e-mail addresses: a whole institute may share one."""
ACCOUNT_SIGN_IN = Throttle(limit=100, window=timedelta(hours=1))
"""For one e-mail address, from wherever; a success clears the count. Guessing takes ages, and sessions go on."""
REGISTER = Throttle(limit=20, window=timedelta(hours=1))
"""From one network address."""
LINK = Throttle(limit=30, window=timedelta(hours=1))
"""Mails with links that are asked for, and links that are tried, from one network address."""
MAIL = Throttle(limit=5, window=timedelta(hours=1))
"""Mails that strangers may cause to be sent to one e-mail address."""
SHARE = Throttle(limit=50, window=timedelta(hours=1))
"""Shares that one person makes: a whole group, and no flood of mails."""
UPLOAD = Throttle(limit=300, window=timedelta(hours=1))
"""Uploads that one person begins: many studies, and no flood."""

PREPARE = Throttle(limit=30, window=timedelta(hours=1))
"""Computing units that one person announces."""


def try_key(*parts: str) -> str:
    """Return the name under which tries are counted; nobody can read out of it whose they are."""
    return hashlib.sha256("|".join(parts).encode()).hexdigest()


def place_key(what: str, address: str) -> str:
    """Return the name under which tries from a network address are counted.

    Of IPv6 that is the network of 64 bits: whoever has one address there has all of them.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return try_key(what, address)
    return try_key(what, str(found) if found.version == 4 else str(ip_network((found, 64), strict=False)))


def account_key(email: str) -> str:
    """Return the name under which tries to sign in with an e-mail address are counted."""
    return try_key("sign-in", email.strip().lower())


def mail_key(email: str) -> str:
    """Return the name under which mails to an e-mail address are counted."""
    return try_key("mail to", email.strip().lower())


def count_tries(brain: Brain, *tries: tuple[Throttle, str]) -> None:
    """Count one try under several names at once. Raise `LimitReached` if that is too many under one of them."""
    try:
        _count(brain, tries)
    except AlreadyThere:
        _count(brain, tries)


def count_try(brain: Brain, throttle: Throttle, key: str) -> None:
    """Count one try. Raise `LimitReached` if that is too many."""
    count_tries(brain, (throttle, key))


def _count(brain: Brain, tries: Sequence[tuple[Throttle, str]]) -> None:
    with brain.database.write() as transaction:
        for throttle, key in tries:
            transaction.tries.put(key, throttle.count(transaction.tries.get(key), now=brain.now()))
