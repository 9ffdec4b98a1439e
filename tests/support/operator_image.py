"""The operator's repository in ECR as its template makes it, with an image that units can be given by digest."""

from __future__ import annotations

import json
from functools import cache

from aws_accounts import CHECKOUT, OPERATOR, REPOSITORY, USER, Accounts, worker_image
from aws_stacks import ended

_TEMPLATE = CHECKOUT / "brain-deployment" / "template-images.yaml"
_STACK = "cloudmr-images"
_TAG = "of-this-checkout"
_KIND = "application/vnd.docker.distribution.manifest.v2+json"


@cache
def offered_image(accounts: Accounts) -> str:
    """Return the image's address, `…/mroptimum@sha256:…`; whoever pulls it runs this checkout's worker."""
    operator = accounts.session(OPERATOR)
    template = _TEMPLATE.read_text("utf-8")
    operator.client("cloudformation").create_stack(StackName=_STACK, TemplateBody=template)
    assert ended(accounts, _STACK, account=OPERATOR).status == "CREATE_COMPLETE"
    manifest = {"schemaVersion": 2, "mediaType": _KIND, "config": {"digest": f"sha256:{'0' * 64}"}, "layers": []}
    name, text = REPOSITORY.partition("/")[2], json.dumps(manifest)
    image = operator.client("ecr").put_image(repositoryName=name, imageManifest=text, imageTag=_TAG)["image"]
    # Whoever asks for somebody else's image is answered by the emulator from a repository of their own.
    own = accounts.session(USER).client("ecr")
    own.create_repository(repositoryName=name)
    own.put_image(repositoryName=name, imageManifest=text, imageTag=_TAG)
    uri = f"{REPOSITORY}@{image['imageId']['imageDigest']}"
    accounts.put_image(uri, worker_image())
    return uri
