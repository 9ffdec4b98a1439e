"""Counting tries before they are made, so that many at once are as limited as one after the other."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from cloudmr.database.errors import AlreadyThere
from cloudmr.model.throttle import Throttle
from cloudmr.services.brain import Brain

SIGN_IN = Throttle(limit=10, window=timedelta(minutes=15))
"""For one e-mail address from one network address; a success clears the count."""
REGISTER = Throttle(limit=20, window=timedelta(hours=1))
"""From one network address."""
SHARE = Throttle(limit=50, window=timedelta(hours=1))
"""Shares that one person makes: a whole group, and no flood of mails."""
UPLOAD = Throttle(limit=300, window=timedelta(hours=1))
"""Uploads that one person begins: many studies, and no flood."""


def try_key(*parts: str) -> str:
    """Return the name under which tries are counted; nobody can read out of it whose they are."""
    return hashlib.sha256("|".join(parts).encode()).hexdigest()


def count_try(brain: Brain, throttle: Throttle, key: str) -> None:
    """Count one try. Raise `LimitReached` if that is too many."""
    try:
        _count(brain, throttle, key)
    except AlreadyThere:
        _count(brain, throttle, key)


def _count(brain: Brain, throttle: Throttle, key: str) -> None:
    with brain.database.write() as transaction:
        transaction.tries.put(key, throttle.count(transaction.tries.get(key), now=brain.now()))
