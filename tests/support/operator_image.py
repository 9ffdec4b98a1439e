"""The operator's repository in ECR as its template makes it, with an image that units can be given by digest."""

from __future__ import annotations

import json
from functools import cache

from aws_accounts import CHECKOUT, OPERATOR, REPOSITORY, Accounts, worker_image
from aws_stacks import ended

_TEMPLATE = CHECKOUT / "brain-deployment" / "template-images.yaml"
_STACK = "cloudmr-images"
_NAME = REPOSITORY.partition("/")[2]
_TAG = "of-this-checkout"
_KIND = "application/vnd.docker.distribution.manifest.v2+json"


@cache
def offered_image(accounts: Accounts) -> str:
    """Return the image's address, `…/mroptimum@sha256:…`; whoever pulls it runs this checkout's worker."""
    template = _TEMPLATE.read_text("utf-8")
    accounts.session(OPERATOR).client("cloudformation").create_stack(StackName=_STACK, TemplateBody=template)
    assert ended(accounts, _STACK, account=OPERATOR).status == "CREATE_COMPLETE"
    uri = f"{REPOSITORY}@{_put(accounts, OPERATOR)}"
    accounts.put_image(uri, worker_image())
    return uri


def let_pull(accounts: Accounts, account: str) -> None:
    """Let an account see the image: the emulator answers whoever asks for another's from a repository of their own."""
    accounts.session(account).client("ecr").create_repository(repositoryName=_NAME)
    _put(accounts, account)


def _put(accounts: Accounts, account: str) -> str:
    manifest = {"schemaVersion": 2, "mediaType": _KIND, "config": {"digest": f"sha256:{'0' * 64}"}, "layers": []}
    client = accounts.session(account).client("ecr")
    image = client.put_image(repositoryName=_NAME, imageManifest=json.dumps(manifest), imageTag=_TAG)["image"]
    return image["imageId"]["imageDigest"]
