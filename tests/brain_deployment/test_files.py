"""What the Brain is deployed with says what the code reads, and what its page says."""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import Any

import yaml

from cloudmr.settings import Settings
from code_blocks import ROOT

FOLDER = ROOT / "brain-deployment"
KNOWN = {row.name for row in Settings(home=ROOT).describe()}
NOT_OURS = {"BRAIN_HOST", "POSTGRES_PASSWORD", "PGPASSWORD"}
"""Variables of Compose and of PostgreSQL's client."""


class Template(yaml.SafeLoader):
    """Reads CloudFormation's short forms as `{name: value}`."""


def _short_form(loader: Template, suffix: str, node: yaml.Node) -> dict[str, Any]:
    match node:
        case yaml.SequenceNode():
            return {suffix: loader.construct_sequence(node, deep=True)}
        case yaml.ScalarNode():
            return {suffix: loader.construct_scalar(node)}
        case _:
            raise AssertionError(suffix)


Template.add_multi_constructor("!", _short_form)


def read(name: str) -> Any:
    return yaml.load((FOLDER / name).read_text("utf-8"), Template)


def test_compose_sets_what_the_brain_reads() -> None:
    brain = read("compose.yaml")["services"]["brain"]
    assert set(brain["environment"]) <= KNOWN | NOT_OURS
    named = re.findall(r"^#?([A-Z_]+)=", (FOLDER / "example.env").read_text("utf-8"), re.MULTILINE)
    assert set(named) <= KNOWN | NOT_OURS
    assert brain["init"] is True


def test_compose_believes_its_own_proxy_and_nobody_else() -> None:
    compose = read("compose.yaml")
    [network] = [config["subnet"] for config in compose["networks"]["inside"]["ipam"]["config"]]
    assert ip_network(compose["services"]["brain"]["environment"]["CLOUDMR_TRUSTED_PROXIES"]) == ip_network(network)
    assert "ports" not in compose["services"]["brain"], "the proxy is the only way in"
    assert "ports" not in compose["services"]["database"]


def test_compose_keeps_everything_in_volumes_that_are_there() -> None:
    compose = read("compose.yaml")
    used = {
        volume.split(":")[0]
        for service in compose["services"].values()
        for volume in service["volumes"]
        if not volume.startswith(".")
    }
    assert used == set(compose["volumes"])
    image = (FOLDER / "Dockerfile").read_text("utf-8")
    assert "CLOUDMR_HOME=/var/lib/cloudmr" in image
    assert "home:/var/lib/cloudmr" in compose["services"]["brain"]["volumes"]


def container() -> dict[str, Any]:
    [found] = read("template-brain.yaml")["Resources"]["BrainTask"]["Properties"]["ContainerDefinitions"]
    assert isinstance(found, dict)
    return found


def names(entries: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what is set, with what stands behind a condition as if it held."""
    plain = [entry["If"][1] if "If" in entry else entry for entry in entries]
    return {entry["Name"]: entry.get("Value", entry.get("ValueFrom")) for entry in plain}


def test_the_stack_sets_what_the_brain_reads_and_keeps_secrets_out_of_it() -> None:
    plain, secret = names(container()["Environment"]), names(container()["Secrets"])
    assert plain.keys() | secret.keys() <= KNOWN | NOT_OURS
    assert secret.keys() == {"CLOUDMR_SECRET_KEY", "PGPASSWORD", "CLOUDMR_SMTP_URL", "CLOUDMR_METRICS_TOKEN"}
    assert plain["CLOUDMR_LOCAL_UNIT"] == "off"
    assert plain["CLOUDMR_BRAIN_PRINCIPAL_ARN"] == {"GetAtt": "BrainRole.Arn"}
    assert ":${" not in plain["DATABASE_URL"]["Sub"].partition("@")[0], "its password is a secret"


def test_the_brain_may_do_one_thing_in_aws() -> None:
    [policy] = read("template-brain.yaml")["Resources"]["BrainRole"]["Properties"]["Policies"]
    statements = policy["PolicyDocument"]["Statement"]
    assert {statement["Action"] for statement in statements} == {"sts:AssumeRole"}
    assert all(statement["Condition"] for statement in statements)
    # Otherwise no role could be seen to let the Brain in without one.
    assert "ExternalId" not in str(statements)


def test_losing_the_stack_loses_neither_database_nor_key() -> None:
    resources = read("template-brain.yaml")["Resources"]
    assert resources["Database"]["DeletionPolicy"] == "Snapshot"
    assert resources["Database"]["Properties"]["DeletionProtection"] == {"Ref": "DatabaseIsProtected"}
    assert read("template-brain.yaml")["Parameters"]["DatabaseIsProtected"]["Default"] == "true"
    for name in ("SecretKey", "DatabasePassword", "Logs"):
        assert resources[name]["DeletionPolicy"] == "RetainExceptOnCreate"


def test_every_account_pulls_the_image_and_none_pushes() -> None:
    repository = read("template-images.yaml")["Resources"]["Repository"]["Properties"]
    assert repository["ImageTagMutability"] == "IMMUTABLE"
    actions = {
        action for statement in repository["RepositoryPolicyText"]["Statement"] for action in statement["Action"]
    }
    assert actions == {"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"}


def test_images_run_as_nobody_in_particular_from_locked_packages() -> None:
    image = (FOLDER / "Dockerfile").read_text("utf-8")
    assert re.search(r"^USER [1-9]\d*$", image, re.MULTILINE)
    assert all(
        "--require-hashes" in line or "--no-deps" in line for line in image.splitlines() if "pip install" in line
    )
