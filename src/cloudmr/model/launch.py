"""How somebody makes a computing unit in their own AWS account: the command, or a link into AWS's console."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from urllib.parse import urlencode

from cloudmr.errors import InvalidRequest
from cloudmr.model.arns import check_region

STACK_NAME = "mroptimum-mode2"
_STACK_NAME = re.compile(r"[a-z][a-z0-9-]{0,40}")
_VPC = re.compile(r"vpc-[0-9a-f]{8,17}")
_SUBNET = re.compile(r"subnet-[0-9a-f]{8,17}")


@dataclass(frozen=True, kw_only=True)
class Launch:
    """A stack to be: for which Brain, where, and under which name. Without a network, the command finds one."""

    api_url: str
    region: str
    stack_name: str = STACK_NAME
    vpc_id: str = ""
    subnet_ids: tuple[str, str] = ("", "")

    def check(self) -> None:
        """Raise `InvalidRequest` for what AWS, or the template, would refuse."""
        check_region(self.region)
        if not _STACK_NAME.fullmatch(self.stack_name):
            raise InvalidRequest(
                "This cannot be the name of a stack.",
                "Give 1 to 41 small letters, digits and hyphens that begin with a letter; buckets are named after it.",
            )
        network = (self.vpc_id, *self.subnet_ids)
        if not any(network):
            return
        if not _VPC.fullmatch(self.vpc_id) or not all(map(_SUBNET.fullmatch, self.subnet_ids)):
            raise InvalidRequest(
                "A network is a VPC and two of its subnets.",
                "Give all three, such as vpc-0a1b2c3d, subnet-0a1b2c3d and subnet-1b2c3d4e; or none: one is found.",
            )
        if self.subnet_ids[0] == self.subnet_ids[1]:
            raise InvalidRequest("Both subnets are the same.", "Give two, in different availability zones.")


def deploy_command(launch: Launch, *, token: str) -> str:
    """Return what is pasted into a terminal that has the credentials of the account."""
    exports = {"CLOUDMR_TOKEN": token}
    if launch.vpc_id:
        first, second = launch.subnet_ids
        exports |= {"VPC_ID": launch.vpc_id, "SUBNET_ID_1": first, "SUBNET_ID_2": second}
    arguments = {"--stack-name": launch.stack_name, "--region": launch.region, "--api-url": launch.api_url}
    return "\n".join(
        (
            *(f"export {name}={shlex.quote(value)}" for name, value in exports.items()),
            "cd mode2-deployment/",
            " \\\n    ".join(("./deploy-mode2.sh", *(f"{name} {shlex.quote(it)}" for name, it in arguments.items()))),
        )
    )


def launch_link(launch: Launch, *, template_url: str) -> str:
    """Return a link into the console that fills everything but the token, which is pasted: no link carries it.

    See https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-console-create-stacks-quick-create-links.html.
    """
    first, second = launch.subnet_ids
    parameters = {"CloudMRApiUrl": launch.api_url, "VpcId": launch.vpc_id, "SubnetId1": first, "SubnetId2": second}
    query = {"templateURL": template_url, "stackName": launch.stack_name}
    query |= {f"param_{name}": value for name, value in parameters.items() if value}
    console = f"https://{launch.region}.console.aws.amazon.com/cloudformation/home"
    return f"{console}?region={launch.region}#/stacks/create/review?{urlencode(query)}"
