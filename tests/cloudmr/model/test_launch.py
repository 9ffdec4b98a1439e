from __future__ import annotations

import shlex
from urllib.parse import parse_qs, urlsplit

import pytest

from cloudmr.errors import InvalidRequest
from cloudmr.model.launch import Launch, deploy_command, launch_link

API = "https://brain.example.org/Prod"
NETWORK = {"vpc_id": "vpc-0a1b2c3d", "subnet_ids": ("subnet-0a1b2c3d", "subnet-1b2c3d4e")}


def test_the_command_names_this_brain_and_keeps_the_token_out_of_its_arguments() -> None:
    text = deploy_command(Launch(api_url=API, region="eu-central-1", stack_name="lab"), token="cmr_abc")
    words = shlex.split(text.replace("\\\n", " "))
    call = words[words.index("./deploy-mode2.sh") :]
    assert call == ["./deploy-mode2.sh", "--stack-name", "lab", "--region", "eu-central-1", "--api-url", API]
    assert "CLOUDMR_TOKEN=cmr_abc" in words


def test_a_chosen_network_is_named_in_command_and_link() -> None:
    launch = Launch(api_url=API, region="us-east-1", vpc_id="vpc-0a1b2c3d", subnet_ids=("subnet-1", "subnet-2"))
    text = deploy_command(launch, token="t")
    assert "export VPC_ID=vpc-0a1b2c3d\nexport SUBNET_ID_1=subnet-1\nexport SUBNET_ID_2=subnet-2\n" in text


def test_the_link_fills_everything_but_the_token() -> None:
    launch = Launch(api_url=API, region="eu-central-1", vpc_id="vpc-1", subnet_ids=("subnet-1", "subnet-2"))
    template = "https://templates.s3.amazonaws.com/1.0/template-mode2.yaml"
    parts = urlsplit(launch_link(launch, template_url=template))
    assert (parts.scheme, parts.netloc) == ("https", "eu-central-1.console.aws.amazon.com")
    assert parts.query == "region=eu-central-1"
    page, _, query = parts.fragment.partition("?")
    assert page == "/stacks/create/review"
    assert parse_qs(query) == {
        "templateURL": [template],
        "stackName": ["mroptimum-mode2"],
        "param_CloudMRApiUrl": [API],
        "param_VpcId": ["vpc-1"],
        "param_SubnetId1": ["subnet-1"],
        "param_SubnetId2": ["subnet-2"],
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"region": "us-east"},
        {"stack_name": "Lab"},
        {"stack_name": "1lab"},
        {"stack_name": "a" * 42},
        {"stack_name": "lab; rm -rf /"},
        {"vpc_id": "vpc-0a1b2c3d"},
        {**NETWORK, "vpc_id": "0a1b2c3d"},
        {**NETWORK, "subnet_ids": ("subnet-0a1b2c3d", "subnet-0a1b2c3d")},
        {**NETWORK, "subnet_ids": ("subnet-0a1b2c3d", "")},
    ],
)
def test_what_aws_would_refuse_is_refused_before_a_token_is_made(changes: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest):
        Launch(**({"api_url": API, "region": "us-east-1"} | changes)).check()  # type: ignore[arg-type]
    Launch(api_url=API, region="us-east-1", vpc_id="vpc-0a1b2c3d", subnet_ids=NETWORK["subnet_ids"]).check()  # type: ignore[arg-type]
