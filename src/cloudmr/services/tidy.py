"""What nobody will ask for again is forgotten: expired tokens, old counts and messages, uploads never finished."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from cloudmr.model.data_files import DataState
from cloudmr.services.brain import Brain

UNFINISHED_UPLOADS_KEPT = timedelta(days=7)
_COUNTS_KEPT = timedelta(days=1)
_MESSAGES_KEPT = timedelta(days=30)
"""As long as anybody might post one of them again."""


def tidy(brain: Brain) -> None:
    """Forget it."""
    now = brain.now()
    with brain.database.write() as transaction:
        transaction.tokens.forget_expired(before=now)
        transaction.one_time_tokens.forget_expired(before=now)
        transaction.tries.forget(before=now - _COUNTS_KEPT)
        transaction.outbox.forget_done(before=now - _MESSAGES_KEPT)
        for unfinished in transaction.data_files.uploading_since(before=now - UNFINISHED_UPLOADS_KEPT):
            aborted = replace(unfinished, state=DataState.ABORTED, deleted_at=now, purge_after=now)
            transaction.data_files.replace(unfinished, aborted)
    brain.check_alarm.set()
