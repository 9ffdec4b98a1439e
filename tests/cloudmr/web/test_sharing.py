from __future__ import annotations

import re

import pytest

from bench import Bench
from cloudmr.model.people import Caller
from cloudmr.services.settle_job import settle_job
from page_readers import OpenPages, Reader, SignIn


@pytest.fixture
def job_id(bench: Bench, ada: Reader) -> str:
    """Ada's job, which succeeded; the data file it read is called meas.dat."""
    profile = ada.client.get("/api/auth/profile").json()
    owner = Caller(id=profile["user_id"], is_admin=False, token_id="")
    job = bench.running_job(owner)
    bench.succeed(job)
    return settle_job(bench.brain, job.id).id


def link_in(page: str) -> str:
    found = re.search(r'<code id="link">http://brain\.test(/shared/cmrshare_[a-z2-7]+)</code>', page)
    assert found is not None
    return found[1]


def test_a_link_shows_the_job_to_anybody_to_look_at(
    bench: Bench, ada: Reader, open_pages: OpenPages, job_id: str
) -> None:
    link = link_in(ada.send(f"/jobs/{job_id}/sharing", whom="link", days=3))
    assert link not in ada.see(f"/jobs/{job_id}/sharing")
    stranger = open_pages(bench)
    results = stranger.get(link)
    assert results.status_code == 200
    secret = link.rpartition("/")[2]
    assert f'data-job="{secret}"' in results.text
    assert job_id not in re.sub(rf"{job_id}\.zip", "", results.text)
    for page in ("/job", "/noise"):
        seen = stranger.get(f"{link}{page}").text
        assert f'href="{link}"' in seen
        assert "meas.dat" not in seen
        assert "<form" not in seen
    assert stranger.get(f"/jobs/{job_id}").url.path == "/sign-in"
    assert "Nobody sees the job" in ada.send(f"/jobs/{job_id}/sharing/end")
    assert stranger.get(link).status_code == stranger.get(f"{link}/noise").status_code == 404


def test_a_job_that_has_no_result_is_shown_as_it_stands(bench: Bench, ada: Reader, open_pages: OpenPages) -> None:
    profile = ada.client.get("/api/auth/profile").json()
    job = bench.running_job(Caller(id=profile["user_id"], is_admin=False, token_id=""))
    link = link_in(ada.send(f"/jobs/{job.id}/sharing", whom="link"))
    stranger = open_pages(bench)
    page = stranger.get(link).text
    assert "dispatched" in page
    again = re.search(r'id="job-body"[^>]* hx-get="([^"]+)" hx-trigger="every 5s"', page)
    assert again is not None, "whoever looks sees the job go on"
    bench.succeed(job)
    settle_job(bench.brain, job.id)
    ended = stranger.get(again[1]).text
    assert f'href="{link}">Look at the results' in ended
    assert "hx-trigger" not in ended


def test_a_person_finds_what_was_shared_with_them(bench: Bench, ada: Reader, sign_in: SignIn, job_id: str) -> None:
    bob = sign_in()
    refused = ada.send(f"/jobs/{job_id}/sharing", status=422, whom="person", email="nobody")
    assert "This is not an e-mail address." in refused
    assert f"Shared with {bob.email}" in ada.send(f"/jobs/{job_id}/sharing", whom="person", email=bob.email)
    assert f'href="/jobs/{job_id}"' in bob.see("/jobs")
    assert ada.email in bob.see("/jobs")
    assert "Sharing" not in bob.see(f"/jobs/{job_id}")
    bob.see(f"/jobs/{job_id}/results")
    bob.see(f"/jobs/{job_id}/sharing", status=404)
    share_id = re.search(r'name="share_id" value="(share_[0-9a-z]+)"', ada.see(f"/jobs/{job_id}/sharing"))
    assert share_id is not None
    ada.send(f"/jobs/{job_id}/sharing/end", share_id=share_id[1])
    assert job_id not in bob.see("/jobs")
    bob.see(f"/jobs/{job_id}", status=404)


def test_a_share_lasts_as_long_as_was_said_and_no_longer(
    bench: Bench, ada: Reader, open_pages: OpenPages, job_id: str
) -> None:
    assert "1 to 365 days" in ada.send(f"/jobs/{job_id}/sharing", status=422, whom="link", days=0)
    link = link_in(ada.send(f"/jobs/{job_id}/sharing", whom="link", days=1))
    bench.clock.advance(days=1)
    assert open_pages(bench).get(link).status_code == 404
