"""What services see of the database: short transactions, each with a repository per noun.

Nothing slow happens inside one: no network, no unit, no hashing of passwords.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from cloudmr.database.accounts import Accounts
from cloudmr.database.allowances import Allowances
from cloudmr.database.data_files import DataFiles
from cloudmr.database.engine import WRITES
from cloudmr.database.jobs import Jobs
from cloudmr.database.outbox import Outbox
from cloudmr.database.preparations import Preparations
from cloudmr.database.regions import Regions
from cloudmr.database.tokens import Tokens
from cloudmr.database.tries import TriesCount
from cloudmr.database.unit_care import UnitCare, UnitFindings
from cloudmr.database.units import Units


class Transaction:
    """One transaction's view of everything that is remembered."""

    def __init__(self, connection: Connection) -> None:
        self.accounts = Accounts(connection)
        self.allowances = Allowances(connection)
        self.tokens = Tokens(connection)
        self.tries = TriesCount(connection)
        self.units = Units(connection)
        self.preparations = Preparations(connection)
        self.unit_care = UnitCare(connection)
        self.findings = UnitFindings(connection)
        self.data_files = DataFiles(connection)
        self.jobs = Jobs(connection)
        self.outbox = Outbox(connection)
        self.regions = Regions(connection)


class Database:
    """The database of one Brain, used from any thread."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writing = engine.execution_options(**{WRITES: True})

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Open a transaction that only reads: everything in it is of one moment."""
        with self.engine.begin() as connection:
            yield Transaction(connection)

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Open a transaction that may write; it is committed at the end of the block, rolled back on an exception."""
        with self.connect_to_write() as connection:
            yield Transaction(connection)

    def connect_to_write(self) -> AbstractContextManager[Connection]:
        """Open such a transaction without the repositories, for migrations."""
        return self._writing.begin()

    def is_answering(self) -> bool:
        """Tell whether the database answers."""
        try:
            with self.engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except DBAPIError:
            return False
        return True

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()
