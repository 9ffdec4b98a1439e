from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bench import Bench
from cloudmr.model.people import Caller
from cloudmr.model.units import ComputingUnit
from cloudmr.services.register_unit import register_unit
from code_blocks import ROOT
from page_visits import nobodys_client, visits
from units import OPERATOR, PUBLIC_URL, prepared, registration

TEMPLATE = "/units/template-mode2.yaml"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path, is_watched=False)
    yield bench
    bench.close()


@pytest.fixture
def ada(bench: Bench) -> Caller:
    return bench.person()


def adas_unit(bench: Bench, ada: Caller) -> ComputingUnit:
    bench.brain = replace(bench.brain, operator=OPERATOR, public_url=PUBLIC_URL)
    return register_unit(bench.brain, ada, registration(prepared(bench, ada).unit_id)).unit


def test_a_brain_that_cannot_reach_aws_says_all_that_its_operator_has_to_do(bench: Bench, ada: Caller) -> None:
    page = visits(bench, ada).get("/units/new").text
    for said in ("CLOUDMR_PUBLIC_URL", "CLOUDMR_BRAIN_PRINCIPAL_ARN", "CLOUDMR_IMAGE_REPOSITORY", "aws_not_set_up"):
        assert said in page
    assert "Make a token" not in page
    assert visits(bench, ada).post("/units/new", region="us-east-1").status_code == 422


def test_what_cannot_be_launched_makes_no_token(bench: Bench, ada: Caller) -> None:
    bench.brain = replace(bench.brain, operator=OPERATOR, public_url=PUBLIC_URL)
    answer = visits(bench, ada).post("/units/new", region="us-east-1", stack_name="My Lab")
    assert answer.status_code == 422
    assert "cannot be the name of a stack" in answer.text
    assert "cmr_" not in answer.text


def test_a_link_is_offered_where_a_template_was_published(bench: Bench, ada: Caller) -> None:
    bench.brain = replace(bench.brain, operator=OPERATOR, public_url=PUBLIC_URL)
    without = visits(bench, ada).post("/units/new", region="us-east-1").text
    assert "console.aws.amazon.com" not in without
    assert "./deploy-mode2.sh" in without
    assert f'href="{TEMPLATE}"' in without
    operator = replace(OPERATOR, template_url="https://t.s3.amazonaws.com/template-mode2.yaml")
    bench.brain = replace(bench.brain, operator=operator)
    page = visits(bench, ada).post("/units/new", region="us-east-1").text
    assert "https://us-east-1.console.aws.amazon.com/cloudformation/home?region=us-east-1#/stacks/create" in page


def test_the_template_is_for_everybody_to_read(bench: Bench) -> None:
    found = nobodys_client(bench).get(TEMPLATE)
    assert found.content == (ROOT / "mode2-deployment" / "template-mode2.yaml").read_bytes()
    assert found.headers["Content-Disposition"] == 'attachment; filename="template-mode2.yaml"'


def test_nobody_sees_or_touches_the_unit_of_somebody_else(bench: Bench, ada: Caller) -> None:
    unit = adas_unit(bench, ada)
    stranger = visits(bench, bench.person())
    for path in ("", "/checks", "/permissions"):
        answer = stranger.get(f"/units/{unit.id}{path}")
        assert unit.alias not in answer.text
        assert "not_found" in answer.text
    for action in ("check", "default", "rename", "remove"):
        assert stranger.post(f"/units/{unit.id}/{action}", alias="mine").status_code == 404
    assert visits(bench, ada).get(f"/units/{unit.id}").status_code == 200


def test_the_shared_unit_is_shown_to_everybody_and_managed_by_administrators(bench: Bench, ada: Caller) -> None:
    shared = bench.local_unit
    page = visits(bench, ada).get(f"/units/{shared.id}")
    assert page.status_code == 200
    assert "Administrators of this CloudMR Brain" in page.text
    assert "Look now" not in page.text
    assert visits(bench, ada).post(f"/units/{shared.id}/check").status_code == 403
    assert visits(bench, ada).get(f"/units/{shared.id}/checks").status_code == 403
    with bench.brain.database.write() as transaction:
        transaction.accounts.make_admin(ada.id)
    page = visits(bench, ada).get(f"/units/{shared.id}")
    assert "Look now" in page.text


def test_a_unit_is_renamed_chosen_and_removed(bench: Bench, ada: Caller) -> None:
    unit = adas_unit(bench, ada)
    browser = visits(bench, ada)
    assert browser.post(f"/units/{unit.id}/rename", alias="scanner <room>").status_code == 303
    assert browser.post(f"/units/{unit.id}/rename", alias="").status_code == 409
    assert browser.post(f"/units/{unit.id}/default").status_code == 303
    page = browser.get(f"/units/{unit.id}").text
    assert "scanner &lt;room&gt;" in page
    assert "your default" in page
    assert browser.post(f"/units/{bench.local_unit.id}/default").status_code == 303
    assert "your default" not in browser.get(f"/units/{unit.id}").text
    job = bench.running_job(ada)
    assert job.unit_id == bench.local_unit.id
    assert browser.post(f"/units/{unit.id}/remove").headers["Location"] == "/units?removed=1"
    assert "scanner" not in browser.get("/units").text


def test_pages_that_change_something_want_the_token_of_their_session(bench: Bench, ada: Caller) -> None:
    unit = adas_unit(bench, ada)
    browser = visits(bench, ada)
    assert browser.post(f"/units/{unit.id}/remove", csrf_token="0" * 64).status_code == 403
    assert browser.post("/units/new", csrf_token="", region="us-east-1").status_code == 403
