"""What is known to stand in the way of a unit in AWS: a closed vocabulary, each with its cause and its fix.

The headings are those of the guide's "Troubleshooting". A trouble is found beforehand where it can be, and explained
afterwards by the same words where it could not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Heading(StrEnum):
    """Where the guide tells of it."""

    STACK = "Stack creation fails"
    REGISTRATION = "Registration fails"
    ROUTING = "Jobs not routing to mode 2"
    TASKS = "Fargate tasks fail to start"
    SECURITY = "Security considerations"


class Trouble(StrEnum):
    """One thing that is known to go wrong."""

    NO_WAY_OUT = "no_way_out"
    """A subnet from which nothing reaches the internet."""
    NO_NETWORK = "no_network"
    """An account without any network in the region."""
    ONE_ZONE = "one_zone"
    """A network whose subnets with a route out are all of one zone."""
    NETWORK_UNKNOWN = "network_unknown"
    """A network, subnet or security group that is not there."""
    INVALID_TOKEN = "invalid_token"  # noqa: S105 - the name of a trouble
    """A token that CloudMR Brain does not take."""
    MISSING_RIGHTS = "missing_rights"
    """The person who deploys lacks rights in the account."""
    CREDENTIALS_EXPIRED = "credentials_expired"
    """AWS credentials whose time is over."""
    CREDENTIALS_INVALID = "credentials_invalid"
    """AWS credentials that AWS does not know."""
    CREDENTIALS_MISSING = "credentials_missing"
    """No AWS credentials at all, or no such profile."""
    STACK_ROLLED_BACK = "stack_rolled_back"
    """A stack whose first creation failed: it can only be deleted."""
    STACK_STUCK = "stack_stuck"
    """A stack that only its owner can get out of the state it is in."""
    STACK_BUSY = "stack_busy"
    """A stack that somebody changes at this moment."""
    STACK_NAME_INVALID = "stack_name_invalid"
    """A name that no stack of ours can have."""
    STACK_MISSING = "stack_missing"
    """No stack of that name in the account and region."""
    BUCKET_TAKEN = "bucket_taken"
    """A bucket's name that somebody else has."""
    BUCKET_UNFIT = "bucket_unfit"
    """A bucket of one's own that is elsewhere, public or not encrypted."""
    BUCKET_NOT_EMPTY = "bucket_not_empty"
    """A bucket that is to be deleted and holds objects."""
    WRONG_ACCOUNT = "wrong_account"
    """A mode that the account contradicts."""
    REGION_WITHOUT_IMAGE = "region_without_image"
    """A region to which the Brain's image is not replicated."""
    LAMBDA_MEMORY = "lambda_memory"
    """More memory for Lambda than the account may have."""
    BRAIN_NOT_REACHED = "brain_not_reached"
    """The stack's functions got no answer from CloudMR Brain."""
    LIMIT_REACHED = "limit_reached"
    """A limit of the AWS account."""
    STATE_MACHINE_MISSING = "state_machine_missing"
    """No state machine by that name."""
    WRONG_CREDENTIALS = "wrong_credentials"
    """E-mail address and password that do not belong together."""
    ACCOUNT_NOT_ACTIVE = "account_not_active"
    """A CloudMR account that is not open."""
    ACCOUNTS_DIFFER = "accounts_differ"
    """Parts of a unit that are of different AWS accounts."""
    NOT_REGISTERED = "not_registered"
    """A stack that CloudMR Brain does not know."""
    SECURITY_GROUP_CLOSED = "security_group_closed"
    """A security group that lets nothing out."""
    IMAGE_NOT_PULLED = "image_not_pulled"
    """An image that may not be pulled, or is not there."""
    EXECUTION_ROLE = "execution_role"
    """The role that starts tasks lacks rights."""
    NO_CAPACITY = "no_capacity"
    """No Fargate machine is free."""
    PART_MISSING = "part_missing"
    """Something that the stack made is no longer there, or switched off."""
    UNIT_NOT_READY = "unit_not_ready"
    """A unit that CloudMR Brain gives no jobs."""
    PAGES_LOCKED_OUT = "pages_locked_out"
    """A data bucket to which the Brain's pages cannot upload (CORS)."""
    REPORTS_UNHEARD = "reports_unheard"
    """Ends of jobs of which CloudMR Brain could not be told."""
    TRUST_OPEN = "trust_open"
    """A role that others than CloudMR Brain could assume."""
    ROLE_WIDE = "role_wide"
    """A role that may do more than it was declared to."""
    TLS_NOT_REQUIRED = "tls_not_required"
    """A bucket that answers without TLS, too."""


@dataclass(frozen=True, kw_only=True)
class Words:
    """How a trouble is told: under which heading, what happened, what to do."""

    heading: Heading
    message: str
    fix: str


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A trouble that was met."""

    trouble: Trouble
    message: str
    fix: str

    @property
    def code(self) -> str:
        """The code that every surface shows."""
        return self.trouble.value

    def as_json(self) -> dict[str, str]:
        """Return the three fields that every surface prints."""
        return {"code": self.code, "message": self.message, "next_step": self.fix}


def problem(trouble: Trouble, **details: object) -> Problem:
    """Return a trouble with its details in words."""
    words = WORDS[trouble]
    return Problem(trouble=trouble, message=words.message.format(**details), fix=words.fix.format(**details))


_STACK, _TASKS = Heading.STACK, Heading.TASKS
WORDS: Mapping[Trouble, Words] = {
    Trouble.NO_WAY_OUT: Words(
        heading=_STACK,
        message="{what} has no route out: what runs there reaches neither its image nor CloudMR Brain.",
        fix="Choose subnets with a route to an internet or NAT gateway (--subnet-id-1, --subnet-id-2), or add one.",
    ),
    Trouble.NO_NETWORK: Words(
        heading=_STACK,
        message="The account has no network (VPC) in {what}.",
        fix="Make the default one: aws ec2 create-default-vpc --region {what}",
    ),
    Trouble.ONE_ZONE: Words(
        heading=_STACK,
        message="{what} has subnets with a route out in one zone only.",
        fix="Add one in a second zone, or name two subnets yourself (--subnet-id-1, --subnet-id-2).",
    ),
    Trouble.NETWORK_UNKNOWN: Words(
        heading=_STACK,
        message="There is no {what} in this account and region.",
        fix="Leave it out to have one chosen, or give one that `aws ec2 describe-subnets` lists in this region.",
    ),
    Trouble.INVALID_TOKEN: Words(
        heading=_STACK,
        message="CloudMR Brain does not take the token: {said}",
        fix="Make another in your profile, or by `cloudmr token create deploy --scope unit:register`: it is good for "
        "an hour and for one registration.",
    ),
    Trouble.MISSING_RIGHTS: Words(
        heading=_STACK,
        message="These credentials may not do what this needs: {said}",
        fix="Have an administrator of the account attach mode2-deployment/deployer-policy.json to you, or use another "
        "profile (--profile).",
    ),
    Trouble.CREDENTIALS_EXPIRED: Words(
        heading=_STACK,
        message="The AWS credentials have expired.",
        fix="Get new ones (`aws sso login`, or `aws configure` with a new key), and run the command again.",
    ),
    Trouble.CREDENTIALS_INVALID: Words(
        heading=_STACK,
        message="AWS does not know these credentials: {said}",
        fix="Check the profile (--profile) and its keys: `aws sts get-caller-identity` must answer.",
    ),
    Trouble.CREDENTIALS_MISSING: Words(
        heading=_STACK,
        message="There are no AWS credentials: {said}",
        fix="Set them up with `aws configure`, and name their profile with --profile if it is not the default.",
    ),
    Trouble.STACK_ROLLED_BACK: Words(
        heading=_STACK,
        message="The stack {stack} is what a failed creation left ({status}); it can only be deleted.",
        fix="Delete it, and deploy again: aws cloudformation delete-stack --stack-name {stack} --region {region}",
    ),
    Trouble.STACK_STUCK: Words(
        heading=_STACK,
        message="The stack {stack} is {status}; nothing can be changed until that is mended.",
        fix="Look at its events (`cloudmr unit logs --events`), mend what they name, then run: "
        "aws cloudformation {command} --stack-name {stack} --region {region}",
    ),
    Trouble.STACK_BUSY: Words(
        heading=_STACK,
        message="The stack {stack} is being changed at this moment ({status}).",
        fix="Wait until that has ended, and run the command again.",
    ),
    Trouble.STACK_NAME_INVALID: Words(
        heading=_STACK,
        message="{stack} is no name for a stack: its buckets are called after it.",
        fix="Choose small letters, digits and hyphens, a letter first, {most} at most (--stack-name).",
    ),
    Trouble.STACK_MISSING: Words(
        heading=Heading.REGISTRATION,
        message="There is no stack {stack} in {region} of the account {account}.",
        fix="Check --stack-name, --region and --profile, or make it with `cloudmr unit deploy`.",
    ),
    Trouble.BUCKET_TAKEN: Words(
        heading=_STACK,
        message="The bucket name {bucket} is taken, by somebody else's account.",
        fix="Choose another --stack-name, or give a bucket of yours (--{kind}-bucket).",
    ),
    Trouble.BUCKET_UNFIT: Words(
        heading=_STACK,
        message="The bucket {bucket} cannot be used: {why}.",
        fix="Mend that, or give another bucket (--{kind}-bucket); without one it is made as it should be.",
    ),
    Trouble.BUCKET_NOT_EMPTY: Words(
        heading=_STACK,
        message="The bucket {bucket} holds objects, and CloudFormation deletes none that does.",
        fix="Empty it, or have it done with `cloudmr unit remove --delete-data`.",
    ),
    Trouble.WRONG_ACCOUNT: Words(
        heading=_STACK,
        message="The account {account} is {whose}: a unit there is of {mode}, not of {wanted}.",
        fix="Leave MODE out, or use the credentials of the other account (--profile).",
    ),
    Trouble.REGION_WITHOUT_IMAGE: Words(
        heading=_STACK,
        message="There is no image for units in this region: {said}",
        fix="Deploy in one of the regions that have it (--region), or give an image of your own (--image-uri).",
    ),
    Trouble.LAMBDA_MEMORY: Words(
        heading=_STACK,
        message="Lambda gives this account 3008 MB at most: {said}",
        fix="Leave SmallJobMemory at 3008, or ask AWS Support for more. Larger jobs run on Fargate anyway.",
    ),
    Trouble.BRAIN_NOT_REACHED: Words(
        heading=_STACK,
        message="The stack's function got no answer from CloudMR Brain: {said}",
        fix="The address (--api-url) must be reachable from the internet by https; try it from another network.",
    ),
    Trouble.LIMIT_REACHED: Words(
        heading=_STACK,
        message="A limit of the AWS account is reached: {said}",
        fix="Have it raised (Service Quotas in the AWS console), or remove what is no longer needed.",
    ),
    Trouble.STATE_MACHINE_MISSING: Words(
        heading=Heading.REGISTRATION,
        message="There is no state machine {what}.",
        fix="Take the one that the stack names (leave STATE_MACHINE_ARN out); `cloudmr unit check` looks for the rest.",
    ),
    Trouble.WRONG_CREDENTIALS: Words(
        heading=Heading.REGISTRATION,
        message="CloudMR Brain does not know this e-mail address with this password.",
        fix="Check CLOUDMR_EMAIL and CLOUDMR_PASSWORD; `cloudmr login` must work with them.",
    ),
    Trouble.ACCOUNT_NOT_ACTIVE: Words(
        heading=Heading.REGISTRATION,
        message="This CloudMR account is not open: {said}",
        fix="Confirm it by the link of the mail that it got, or write to the operator of CloudMR Brain.",
    ),
    Trouble.ACCOUNTS_DIFFER: Words(
        heading=Heading.ROUTING,
        message="{what} is of the AWS account {found}, not of {account}.",
        fix="Register the stack again with the credentials of its own account: `cloudmr unit register --profile …`.",
    ),
    Trouble.NOT_REGISTERED: Words(
        heading=Heading.ROUTING,
        message="CloudMR Brain knows no unit {unit} of yours.",
        fix="Register the stack: `cloudmr unit register`.",
    ),
    Trouble.SECURITY_GROUP_CLOSED: Words(
        heading=_TASKS,
        message="The security group {what} lets no https out: tasks reach neither their image nor CloudMR Brain.",
        fix="Add an outbound rule for TCP 443 to 0.0.0.0/0, or leave SECURITY_GROUP_ID out to have a group made.",
    ),
    Trouble.IMAGE_NOT_PULLED: Words(
        heading=_TASKS,
        message="The image cannot be pulled: {said}",
        fix="If it is yours, let the unit's account pull it (ECR repository policy); if CloudMR Brain's, write to "
        "its operator. Without a way out of the subnet it fails in the same way.",
    ),
    Trouble.EXECUTION_ROLE: Words(
        heading=_TASKS,
        message="The role that starts tasks may not do what it must: {said}",
        fix="Give it back what the template grants, or `cloudmr unit remove` and deploy anew; buckets stay. An update "
        "changes nothing back that was changed by hand.",
    ),
    Trouble.NO_CAPACITY: Words(
        heading=_TASKS,
        message="Fargate has no machine free: {said}",
        fix="A job is tried for some minutes, and waits for the next try. If it lasts, ask AWS for a higher quota "
        "(Fargate vCPU), run fewer at once, or choose subnets of other zones.",
    ),
    Trouble.PART_MISSING: Words(
        heading=_TASKS,
        message="{what} of the stack is {how}.",
        fix="`cloudmr unit remove`, and deploy anew; buckets stay.",
    ),
    Trouble.UNIT_NOT_READY: Words(
        heading=Heading.ROUTING,
        message="CloudMR Brain gives this unit no jobs: it is {status}. {why}",
        fix="Mend what is named here; `cloudmr unit check {unit} --known-answer` has it looked at and proven anew.",
    ),
    Trouble.PAGES_LOCKED_OUT: Words(
        heading=Heading.ROUTING,
        message="Pages at {origin} cannot upload to the bucket {bucket} (CORS).",
        fix="Run `cloudmr unit deploy` again, for a bucket of your own with --change-buckets. What was changed by "
        "hand in a bucket of the stack is put back by hand.",
    ),
    Trouble.REPORTS_UNHEARD: Words(
        heading=Heading.ROUTING,
        message="CloudMR Brain could not be told of the end of {n} jobs.",
        fix="Nothing is lost, it asks by itself. See why with `cloudmr unit logs`; its address may have changed.",
    ),
    Trouble.TRUST_OPEN: Words(
        heading=Heading.SECURITY,
        message="The role {role} can be assumed by others than CloudMR Brain: {why}.",
        fix="Delete the role at once, then `cloudmr unit remove` and deploy anew; buckets stay.",
    ),
    Trouble.ROLE_WIDE: Words(
        heading=Heading.SECURITY,
        message="The role {role} may do more than was declared: {what}.",
        fix="Take that away in the IAM console; nothing else takes it away.",
    ),
    Trouble.TLS_NOT_REQUIRED: Words(
        heading=Heading.SECURITY,
        message="The bucket {bucket} answers without TLS, too.",
        fix="Run `cloudmr unit deploy` again, for a bucket of your own with --change-buckets. What was changed by "
        "hand in a bucket of the stack is put back by hand.",
    ),
}
