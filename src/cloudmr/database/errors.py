"""What a transaction may tell its caller, in words that are not the database's."""

from __future__ import annotations


class AlreadyThere(Exception):
    """Something that may exist only once exists already; the transaction is to be given up."""
