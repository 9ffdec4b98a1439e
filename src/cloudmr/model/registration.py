"""A computing unit in somebody's AWS account: announced (prepared), then registered. What is accepted is decided here.

The number of the account is proven in the end by the role: it lets itself be assumed with the ExternalId that only this
unit got, and with no other. Until that is seen the unit is unverified and gets nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cloudmr.errors import Conflict, InvalidRequest, NotAllowed
from cloudmr.model.arns import Arn, account_in_bucket_name, check_account_id, check_bucket_name, check_region
from cloudmr.model.instants import require_utc
from cloudmr.model.units import APP_NAME, ComputingUnit, Mode, Provider

EXTERNAL_ID_BYTES = 24
MAX_ALIAS_LENGTH = 255
_IMAGE_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True, kw_only=True)
class Operator:
    """What this Brain is in AWS: whose account it runs in, as which principal it comes, and where its images are.

    `image_repository` may carry a digest (`…/mroptimum@sha256:…`), which is then what the tag `latest` means;
    `image_regions` are those it is replicated to. None: this Brain was not set up to reach AWS accounts. `template_url`
    is where the template of a release lies in S3, for links into AWS's console.
    """

    account_id: str | None = None
    principal_arn: str | None = None
    image_repository: str | None = None
    image_regions: tuple[str, ...] = ("us-east-1",)
    template_url: str | None = None

    def image_uri(self, region: str, tag: str) -> str:
        """Return the image for a region. Raise `Conflict` (`region_without_image`) with the regions that have it."""
        if not _IMAGE_TAG.fullmatch(tag):
            raise InvalidRequest("imageTag is not a tag of an image.", "Give one such as latest.")
        if self.image_repository is None:
            raise not_set_up("CLOUDMR_IMAGE_REPOSITORY")
        if region not in self.image_regions:
            raise Conflict(
                f"There is no image for units in {region}.",
                f"Deploy in one of {', '.join(self.image_regions)}, or give an image of your own (ImageUri).",
                code="region_without_image",
            )
        name, _, digest = self.image_repository.partition("@")
        name = re.sub(r"\.ecr\.[a-z0-9-]+\.", f".ecr.{region}.", name)
        return f"{name}@{digest}" if digest and tag == "latest" else f"{name}:{tag}"


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """A unit to be: announced for an account and a region, with the ExternalId that its role will ask for."""

    unit_id: str
    owner_id: str
    aws_account_id: str
    region: str
    external_id: str = field(repr=False)
    image_uri: str
    created_at: datetime
    registered_at: datetime | None = None

    def __post_init__(self) -> None:
        require_utc(self)


@dataclass(frozen=True, kw_only=True)
class Registration:
    """What a unit says of itself, under the names of the guides. None and empty mean: not given."""

    unit_id: str | None = None
    app_name: str = APP_NAME
    mode: Mode | None = None
    provider: Provider | None = None
    aws_account_id: str
    region: str
    state_machine_arn: str
    cross_account_role_arn: str
    data_bucket: str
    results_bucket: str
    failed_bucket: str
    alias: str | None = None
    is_default: bool = False

    def check(self) -> None:
        """Raise `InvalidRequest` for what is no such name, `Conflict` (`accounts_differ`) for parts of two accounts."""
        if self.app_name != APP_NAME:
            raise InvalidRequest("There is no such application.", f"Register units for {APP_NAME}.")
        account, region = check_account_id(self.aws_account_id), check_region(self.region)
        machine, role = Arn.of_state_machine(self.state_machine_arn), Arn.of_role(self.cross_account_role_arn)
        accounts = {"stateMachineArn": machine.account, "crossAccountRoleArn": role.account}
        for name, bucket in self._buckets.items():
            check_bucket_name(bucket, name)
            if (named := account_in_bucket_name(bucket)) is not None:
                accounts[name] = named
        strange = [name for name, of_account in accounts.items() if of_account != account]
        if strange:
            raise Conflict(
                f"{' and '.join(strange)} belong{'' if len(strange) > 1 else 's'} to another account than {account}.",
                "Register what the outputs of one stack name; role, state machine and buckets are of one account.",
                code="accounts_differ",
            )
        if machine.region != region:
            raise Conflict(
                f"The state machine is in {machine.region}, not in {region}.",
                "Register the unit in the region of its stack.",
                code="regions_differ",
            )

    @property
    def buckets(self) -> frozenset[str]:
        """The names of its buckets."""
        return frozenset(self._buckets.values())

    @property
    def _buckets(self) -> dict[str, str]:
        return {
            "dataBucket": self.data_bucket,
            "resultsBucket": self.results_bucket,
            "failedBucket": self.failed_bucket,
        }


def decide_mode(registration: Registration, operator: Operator, *, is_admin: bool) -> Mode:
    """Return which mode a unit is of: mode 1 in the operator's account, mode 2 in everybody else's.

    Raises `Conflict` (`mode_contradicts`) for a mode or provider that says otherwise, `NotAllowed` (`admin_needed`).
    """
    is_operators = registration.aws_account_id == operator.account_id
    mode = Mode.MODE_1 if is_operators else Mode.MODE_2
    provider = provider_of(mode)
    if registration.mode not in {None, mode} or registration.provider not in {None, provider}:
        whose = "the operator's account" if is_operators else "an account that is not the operator's"
        raise Conflict(
            f"A unit in {whose} is of {mode}, with the provider {provider}.",
            "Leave mode and provider out, or deploy in the other account.",
            code="mode_contradicts",
        )
    if mode is Mode.MODE_1 and not is_admin:
        raise NotAllowed(
            "Only an administrator registers a unit of mode 1.",
            "Sign in as one, or deploy in an account of your own (mode 2).",
            code="admin_needed",
        )
    return mode


def provider_of(mode: Mode) -> Provider:
    """Return whose a unit of this mode is."""
    return Provider.CLOUDMRHUB if mode is Mode.MODE_1 else Provider.USER


def refuse_what_is_others(registration: Registration, units: Sequence[ComputingUnit], *, owner_id: str | None) -> None:
    """Raise `Conflict` for a machine, role or bucket of a unit of somebody else's that was proven to be theirs.

    A unit that never ran a job for the Brain proves nothing: otherwise anybody could keep others from registering what
    is theirs by registering it first.
    """
    for unit in units:
        if unit.owner_id == owner_id or unit.snr_verified_at is None:
            continue
        taken = {unit.state_machine_arn, unit.cross_account_role_arn, unit.data_bucket, unit.results_bucket}
        wanted = {registration.state_machine_arn, registration.cross_account_role_arn} | registration.buckets
        if wanted & (taken | {unit.failed_bucket}):
            raise Conflict(
                "This state machine, role or bucket belongs to a computing unit of somebody else's.",
                "Register a stack of your own; every unit has its own buckets and its own role.",
                code="unit_of_another",
            )


def is_same(unit: ComputingUnit, registration: Registration) -> bool:
    """Tell whether a unit is already what a registration says, so that there is nothing to do."""
    return (
        unit.state_machine_arn == registration.state_machine_arn
        and unit.cross_account_role_arn == registration.cross_account_role_arn
        and (unit.data_bucket, unit.results_bucket, unit.failed_bucket)
        == (registration.data_bucket, registration.results_bucket, registration.failed_bucket)
    )


def clean_alias(text: str) -> str:
    """Return what to call a unit. Raise `InvalidRequest` for a name that cannot be shown, or is too long."""
    alias = "".join(character for character in text if character.isprintable()).strip()
    if not alias or len(alias) > MAX_ALIAS_LENGTH:
        raise InvalidRequest(
            f"The name of a unit has 1 to {MAX_ALIAS_LENGTH} printable characters.", "Choose another one."
        )
    return alias


def not_set_up(setting: str) -> Conflict:
    """Return the error of a Brain that was not set up to reach AWS accounts."""
    return Conflict(
        "This CloudMR Brain was not set up to reach AWS accounts.",
        f"Its operator sets {setting}; docs/operate-brain.md says how. Until then use the shared unit (mode 1).",
        code="aws_not_set_up",
    )
