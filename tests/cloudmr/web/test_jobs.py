from __future__ import annotations

from bench import BRAIN_URL, Bench
from cloudmr.model.people import Caller
from cloudmr.services.settle_job import settle_job
from page_readers import Reader


def test_what_a_failed_job_left_is_one_click_away(bench: Bench, ada: Reader) -> None:
    profile = ada.client.get("/api/auth/profile").json()
    job = bench.running_job(Caller(id=profile["user_id"], is_admin=False, token_id=""))
    bench.fail(job, {"code": "no_noise", "message": "There is no noise.", "next_step": "Give a noise scan."})
    settle_job(bench.brain, job.id)
    page = ada.see(f"/jobs/{job.id}")
    assert "There is no noise." in page
    assert "Give a noise scan." in page
    assert f'href="/jobs/{job.id}/package"' in page
    assert "/results" not in page
    answer = ada.client.get(f"/jobs/{job.id}/package")
    assert answer.url.path.startswith("/objects/failed/")
    assert str(answer.url).startswith(BRAIN_URL)
    assert answer.content == b"PK"
    assert answer.headers["content-disposition"].startswith("attachment")
