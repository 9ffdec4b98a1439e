from __future__ import annotations

import pytest
from sqlalchemy.exc import DBAPIError

from cloudmr.database.base import Database
from cloudmr.database.engine import make_engine
from cloudmr.database.timing import time_statements
from databases import NewDatabase


def test_statements_are_timed_and_those_that_fail_are_not(new_database: NewDatabase) -> None:
    told: list[float] = []
    engine = make_engine(new_database())
    time_statements(engine, told.append)
    database = Database(engine)
    with database.read() as transaction:
        transaction.units.open_to("user_1")
    assert len(told) >= 1
    assert all(0 <= seconds < 60 for seconds in told)
    with pytest.raises(DBAPIError), engine.connect() as connection:
        connection.exec_driver_sql("SELECT nothing FROM nowhere")
    with database.write() as transaction:
        transaction.units.open_to("user_1")
    database.close()
