"""Sending messages: written down in the transaction of what they tell of, and so neither lost nor premature."""

from __future__ import annotations

from cloudmr.database.base import Transaction
from cloudmr.model.messages import Message
from cloudmr.services.brain import Brain


def post(brain: Brain, transaction: Transaction, message: Message) -> None:
    """Have a message delivered after the transaction is committed, and tried again until that succeeds.

    A message whose dedupe key was posted before is not posted again.
    """
    transaction.outbox.add(message, at=brain.now())
