"""What is said of a deployment: flags beat the environment, the environment beats the default."""

from __future__ import annotations

import pytest

from cloudmr.deploy.options import OPTIONS, Origin, given, option


def test_a_flag_beats_the_environment_which_beats_the_default() -> None:
    assert given({}, {}).get("region") == "us-east-1"
    assert given({}, {"REGION": "eu-west-1"}).get("region") == "eu-west-1"
    assert given({}, {"REGION": "eu-west-1", "AWS_REGION": "eu-central-1"}).get("region") == "eu-central-1"
    said = given({"region": "us-west-2"}, {"AWS_REGION": "eu-central-1"})
    assert (said.get("region"), said.origin("region")) == ("us-west-2", Origin.FLAG)


@pytest.mark.parametrize("nothing", ["", None])
def test_an_empty_text_says_nothing(nothing: str | None) -> None:
    assert given({"vpc_id": nothing}, {"VPC_ID": ""}).get("vpc_id") is None


def test_the_variables_of_the_guide_count() -> None:
    names = "AWS_PROFILE AWS_REGION REGION CLOUDMR_API_URL CLOUDMR_EMAIL CLOUDMR_PASSWORD CLOUDMR_TOKEN MODE STACK_NAME"
    names += " STATE_MACHINE_ARN VPC_ID SUBNET_ID_1 SUBNET_ID_2 SECURITY_GROUP_ID"
    assert set(names.split()) <= {variable for each in OPTIONS for variable in each.variables}


def test_the_defaults_of_the_guide_stand() -> None:
    defaults = {each.name: each.default for each in OPTIONS if each.default}
    assert defaults == {"region": "us-east-1", "stack_name": "mroptimum-mode2", "image_tag": "latest"}


def test_a_secret_is_not_shown_by_chance() -> None:
    said = given({"password": "correct horse"}, {"CLOUDMR_TOKEN": "cmr_secret"})
    assert "horse" not in repr(said)
    assert "cmr_secret" not in repr(said)


def test_the_token_is_no_flag() -> None:
    assert option("token").flag is None
    assert option("token").spelled == "CLOUDMR_TOKEN"
    assert option("vpc_id").spelled == "--vpc-id (VPC_ID)"


def test_every_option_says_what_it_is_and_what_it_is_by_itself() -> None:
    assert all(each.meaning.endswith(".") for each in OPTIONS)
    assert option("region").help.endswith("(By itself AWS_REGION, REGION, us-east-1.)")
