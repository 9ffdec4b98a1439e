from __future__ import annotations

from pathlib import Path

import pytest

from postgres_server import postgres_server
from siege import Siege

N_JOBS = 20


@pytest.mark.slow
def test_every_job_outlives_the_processes_that_serve_it(tmp_path: Path) -> None:
    with postgres_server() as server:
        report = Siege(tmp_path, server, n_jobs=N_JOBS, n_people=4, seed=1, blow_every_s=(2, 4), limit_s=300).run()
    print(report)
    assert sum(report.blows.values()) > 0, report
    assert (report.n_jobs, report.n_lost, report.n_doubled, report.n_stuck) == (N_JOBS, 0, 0, 0), report
    assert set(report.ends) <= {"succeeded", "failed"}, report
    assert set(report.failures) <= {"killed", "unheard", "unit_silent"}, report
    before_mb, after_mb = report.calm_rss_mb
    assert after_mb < 1.1 * before_mb, report
