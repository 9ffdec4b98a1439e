"""What services see of the database: short transactions, each with a repository per noun.

Nothing slow happens inside one: no network, no unit, no hashing of passwords.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from cloudmr.database.accounts import Accounts
from cloudmr.database.allowances import Allowances
from cloudmr.database.chores import Chores
from cloudmr.database.data_files import DataFiles
from cloudmr.database.departures import Departures
from cloudmr.database.engine import is_trouble, patience_s, to_read, to_write
from cloudmr.database.job_overview import JobOverview
from cloudmr.database.jobs import Jobs
from cloudmr.database.notifications import Notifications
from cloudmr.database.one_time_tokens import OneTimeTokens
from cloudmr.database.outbox import Outbox
from cloudmr.database.preparations import Preparations
from cloudmr.database.regions import Regions
from cloudmr.database.shares import Shares
from cloudmr.database.tokens import Tokens
from cloudmr.database.tries import TriesCount
from cloudmr.database.unit_care import UnitCare, UnitFindings
from cloudmr.database.units import Units
from cloudmr.errors import DatabaseUnavailable

_log = logging.getLogger(__name__)
_TRY_EVERY_S = 0.1


class Transaction:
    """One transaction's view of everything that is remembered."""

    def __init__(self, connection: Connection) -> None:
        self.accounts = Accounts(connection)
        self.chores = Chores(connection)
        self.allowances = Allowances(connection)
        self.departures = Departures(connection)
        self.tokens = Tokens(connection)
        self.tries = TriesCount(connection)
        self.units = Units(connection)
        self.preparations = Preparations(connection)
        self.unit_care = UnitCare(connection)
        self.findings = UnitFindings(connection)
        self.data_files = DataFiles(connection)
        self.jobs = Jobs(connection)
        self.job_overview = JobOverview(connection)
        self.shares = Shares(connection)
        self.notifications = Notifications(connection)
        self.one_time_tokens = OneTimeTokens(connection)
        self.outbox = Outbox(connection)
        self.regions = Regions(connection)


class Database:
    """The database of one Brain, used from any thread.

    A transaction raises `DatabaseUnavailable` where the database does not answer or takes nothing. One that could not
    even begin is tried for a few seconds: nothing has happened yet, and a server that was restarted is soon back.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._reading = to_read(engine)
        self._writing = to_write(engine)
        self._patience_s = patience_s(engine)

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Open a transaction that only reads: everything in it is of one moment."""
        with self.connect_to_read() as connection:
            yield Transaction(connection)

    @contextmanager
    def connect_to_read(self) -> Iterator[Connection]:
        """Open such a transaction without the repositories, for migrations."""
        with self._open(self._reading) as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Open a transaction that may write, alone: what it reads stays true until it ends.

        It is committed at the end of the block, rolled back on an exception.
        """
        with self.connect_to_write() as connection:
            yield Transaction(connection)

    @contextmanager
    def connect_to_write(self) -> Iterator[Connection]:
        """Open such a transaction without the repositories, for migrations."""
        with self._open(self._writing) as connection:
            yield connection

    @contextmanager
    def _open(self, engine: Engine) -> Iterator[Connection]:
        try:
            with ExitStack() as stack:
                yield self._begin(stack, engine)
        except PoolTimeout as error:
            raise _unavailable(error) from error
        except DBAPIError as error:
            if is_trouble(error):
                raise _unavailable(error) from error
            raise

    def _begin(self, stack: ExitStack, engine: Engine) -> Connection:
        give_up_at_s = time.monotonic() + self._patience_s
        while True:
            try:
                return stack.enter_context(engine.begin())
            except OperationalError:
                if time.monotonic() >= give_up_at_s:
                    raise
            time.sleep(_TRY_EVERY_S)

    def is_answering(self) -> bool:
        """Tell whether the database answers."""
        try:
            with self.engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except (DBAPIError, PoolTimeout):
            return False
        return True

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


def _unavailable(error: Exception) -> DatabaseUnavailable:
    # Not told to whoever asked: the driver's words name servers, files and statements.
    # And without the statement, whose values may be somebody's.
    _log.warning("the database is not available: %s", error.orig if isinstance(error, DBAPIError) else error)
    return DatabaseUnavailable("The database of CloudMR Brain does not answer.", "Try again in a moment.")
