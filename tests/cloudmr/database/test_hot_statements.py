from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Select

from bench import NOON
from cloudmr.database.base import Database
from cloudmr.database.engine import make_engine
from cloudmr.database.jobs import _GLANCES, _IN_LINE, _N_OF_OWNER, _UNITS_WITH_QUEUE, _USE_OF_UNIT
from cloudmr.database.migrate import migrate
from cloudmr.model.units import Mode
from databases import database_file


@pytest.mark.parametrize("statement", [_USE_OF_UNIT, _IN_LINE, _GLANCES, _UNITS_WITH_QUEUE, _N_OF_OWNER])
def test_what_is_asked_all_the_time_never_goes_through_all_jobs_there_ever_were(
    tmp_path: Path, statement: Select[Any]
) -> None:
    values = {"unit_id": "u", "owner_id": "o", "job_ids": ["j"], "owner_ids": ["o"], "since": NOON, "mode": Mode.MODE_1}
    with closing(Database(make_engine(database_file(tmp_path)))) as database:
        migrate(database)
        dialect = database.engine.dialect
        wanted = statement.compile(dialect=dialect).params.keys() & values.keys()
        asked = statement.params({name: values[name] for name in wanted})
        text = str(asked.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
        with database.connect_to_read() as connection:
            steps = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}")]
    of_jobs = [step for step in steps if " jobs" in step]
    assert of_jobs
    for step in of_jobs:
        # By state, by id, since a moment, or the latest of one person.
        assert step.startswith("SEARCH"), step
        assert any(
            by in step for by in ("state=?", "(id=?)", "created_at>?", "dispatched_at (unit_id=? AND owner_id=?)")
        )
