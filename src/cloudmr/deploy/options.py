"""What can be said of a deployment: one table of flags, variables and defaults, for help, guide and tests.

A flag beats the environment, the environment beats the default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, kw_only=True)
class Option:
    """One thing that can be said: its flag, its variables from the first that counts, its default, its meaning."""

    name: str
    flag: str | None
    variables: tuple[str, ...] = ()
    default: str | None = None
    meaning: str
    is_secret: bool = False

    @property
    def spelled(self) -> str:
        """How to give it: `--api-url (CLOUDMR_API_URL)`."""
        variables = ", ".join(self.variables)
        if self.flag is None:
            return variables
        return f"{self.flag} ({variables})" if variables else self.flag

    @property
    def help(self) -> str:
        """What `--help` says of it."""
        origins = [*self.variables, *([self.default] if self.default else [])]
        return f"{self.meaning} (By itself {', '.join(origins)}.)" if origins else self.meaning


OPTIONS = (
    Option(
        name="profile",
        flag="--profile",
        variables=("AWS_PROFILE",),
        meaning="Profile of the AWS CLI whose account it is.",
    ),
    Option(
        name="region",
        flag="--region",
        variables=("AWS_REGION", "REGION"),
        default="us-east-1",
        meaning="AWS region.",
    ),
    Option(
        name="api_url",
        flag="--api-url",
        variables=("CLOUDMR_API_URL",),
        meaning="Address of CloudMR Brain; asked for on a terminal.",
    ),
    Option(
        name="email", flag="--email", variables=("CLOUDMR_EMAIL",), meaning="E-mail address of your CloudMR account."
    ),
    Option(
        name="password",
        flag="--password",
        variables=("CLOUDMR_PASSWORD",),
        meaning="Its password. Not advised as a flag: others on this machine can see it.",
        is_secret=True,
    ),
    Option(
        name="token",
        flag=None,
        variables=("CLOUDMR_TOKEN",),
        meaning="A token from your profile, in place of e-mail address and password.",
        is_secret=True,
    ),
    Option(name="token_file", flag="--token-file", meaning="A file with such a token; `-` reads it."),
    Option(
        name="mode", flag="--mode", variables=("MODE",), meaning="mode_1 or mode_2; by itself what the account says."
    ),
    Option(
        name="stack_name",
        flag="--stack-name",
        variables=("STACK_NAME",),
        default="mroptimum-mode2",
        meaning="Name of the CloudFormation stack.",
    ),
    Option(
        name="state_machine_arn",
        flag="--state-machine-arn",
        variables=("STATE_MACHINE_ARN",),
        meaning="State machine to register; by itself that of the stack.",
    ),
    Option(
        name="vpc_id", flag="--vpc-id", variables=("VPC_ID",), meaning="Network; by itself the only or the default one."
    ),
    Option(
        name="subnet_id_1",
        flag="--subnet-id-1",
        variables=("SUBNET_ID_1",),
        meaning="First subnet; by itself one with a route out.",
    ),
    Option(
        name="subnet_id_2",
        flag="--subnet-id-2",
        variables=("SUBNET_ID_2",),
        meaning="Second subnet; by itself one of another zone.",
    ),
    Option(
        name="security_group_id",
        flag="--security-group-id",
        variables=("SECURITY_GROUP_ID",),
        meaning="Security group; by itself one is made that lets things out only.",
    ),
    Option(
        name="data_bucket",
        flag="--data-bucket",
        meaning="A bucket of yours for data; by itself <stack>-data-<account>.",
    ),
    Option(
        name="results_bucket",
        flag="--results-bucket",
        meaning="A bucket of yours for results; by itself <stack>-results-<account>.",
    ),
    Option(
        name="failed_bucket",
        flag="--failed-bucket",
        meaning="A bucket of yours for failure packages; by itself <stack>-failed-<account>.",
    ),
    Option(
        name="image_tag",
        flag="--image-tag",
        variables=("IMAGE_TAG",),
        default="latest",
        meaning="Which image of the Brain's.",
    ),
    Option(
        name="image_uri",
        flag="--image-uri",
        variables=("IMAGE_URI",),
        meaning="An image of yours in your ECR; by itself the Brain's.",
    ),
)
"""Everything that can be said, in the order in which help and guide have it."""

YES = Option(name="yes", flag="--yes", meaning="Do not ask.")
"""Needed where something is deleted and nobody can be asked."""

_BY_NAME = {option.name: option for option in OPTIONS}


def option(name: str) -> Option:
    """Return the option of this name."""
    return _BY_NAME[name]


class Origin(StrEnum):
    """Where a value comes from."""

    FLAG = "flag"
    """It stands on the command line."""
    ENVIRONMENT = "environment"
    """A variable has it."""
    DEFAULT = "default"
    """Nobody said anything else."""
    ANSWER = "answer"
    """A person typed it."""
    STACK = "stack"
    """The stack that is there has it."""


@dataclass(frozen=True, kw_only=True)
class Value:
    """What was said, and where."""

    text: str = field(repr=False)
    origin: Origin


@dataclass(frozen=True, kw_only=True)
class Given:
    """Everything that was said, by the names of the options."""

    values: Mapping[str, Value]

    def get(self, name: str) -> str | None:
        """Return what was said of one thing, None: nothing."""
        assert name in _BY_NAME, name
        value = self.values.get(name)
        return value.text if value else None

    def need(self, name: str) -> str:
        """Return what was said of a thing that has a default, or that was asked for."""
        value = self.get(name)
        assert value is not None, name
        return value

    def origin(self, name: str) -> Origin | None:
        """Return where it was said, None: nowhere."""
        value = self.values.get(name)
        return value.origin if value else None

    def answered(self, name: str, text: str) -> Given:
        """Return the same with what a person typed."""
        return Given(values={**self.values, name: Value(text=text, origin=Origin.ANSWER)})

    def from_stack(self, name: str, text: str) -> Given:
        """Return the same with what the stack that is there is made with."""
        return Given(values={**self.values, name: Value(text=text, origin=Origin.STACK)})


def given(flags: Mapping[str, str | None], environment: Mapping[str, str]) -> Given:
    """Return what was said. An empty text says nothing: that is how a shell passes on what was not given."""
    values = {}
    for each in OPTIONS:
        value = _value(each, flags, environment)
        if value is not None:
            values[each.name] = value
    return Given(values=values)


def _value(each: Option, flags: Mapping[str, str | None], environment: Mapping[str, str]) -> Value | None:
    if flag := flags.get(each.name):
        return Value(text=flag, origin=Origin.FLAG)
    for variable in each.variables:
        if text := environment.get(variable):
            return Value(text=text, origin=Origin.ENVIRONMENT)
    return Value(text=each.default, origin=Origin.DEFAULT) if each.default else None
