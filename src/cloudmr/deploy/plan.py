"""A deployment as a value: what will be made, with which parameters, at which price. To compute one costs nothing.

`make_plan` decides from what was said, what the account looks like and what CloudMR Brain answered; `carry_out.py`
does it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from urllib.parse import urlsplit

from cloudmr.deploy.account import Bucket, Person, Stack
from cloudmr.deploy.buckets import USUAL_REGION, BucketChange, Kind, Setting, lacking
from cloudmr.deploy.network import Network, NetworkChoice
from cloudmr.deploy.options import Given
from cloudmr.deploy.policies import RIGHTS, RIGHTS_OF_MODE_1, Right
from cloudmr.deploy.situation import Step, step_of, trouble_with_name, trouble_with_stack
from cloudmr.deploy.template import Template
from cloudmr.deploy.troubles import Problem, Trouble, problem
from cloudmr.model.platforms import LAMBDA_SIZE, MachineSize, Platform
from cloudmr.model.prices import Price, price_of
from cloudmr.model.units import Mode

_GIB = 2**30
LARGEST_LAMBDA_MB = 3008
"""What every account may have without asking."""


class Origin(StrEnum):
    """Why a bucket is the one."""

    MADE = "made"
    """The stack makes it."""
    OWNS = "of the stack"
    """The stack made it earlier."""
    KEPT = "kept from an earlier stack"
    """An earlier stack of that name made it, and it stayed when that was deleted."""
    GIVEN = "yours, as given"
    """It was said."""
    SHARED = "shared by every unit of mode 1"
    """Mode 1 has names of its own; one that is not there is made before the stack."""


@dataclass(frozen=True, kw_only=True)
class SeenBucket:
    """What there is under a bucket's name: ours (with how it is kept), nobody's, or, if neither, somebody else's."""

    name: str
    is_free: bool
    own: Bucket | None = None


@dataclass(frozen=True, kw_only=True)
class BucketPlan:
    """A bucket that the unit will use, and why that one."""

    kind: Kind
    name: str
    origin: Origin


@dataclass(frozen=True, kw_only=True)
class Announced:
    """What CloudMR Brain answered to the announcement of the unit."""

    unit_id: str
    external_id: str = field(repr=False)
    brain_principal_arn: str
    image_uri: str

    @property
    def operators_account(self) -> str:
        """The account that the Brain comes from."""
        return self.brain_principal_arn.split(":")[4]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the account looks like, with its owner's eyes. `buckets` are by what they are for."""

    person: Person
    region: str
    stack: Stack | None
    network: NetworkChoice
    buckets: Mapping[Kind, SeenBucket]

    def with_network(self, network: NetworkChoice) -> Seen:
        """Return the same with another network."""
        return replace(self, network=network)


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One parameter of the stack. `value` None: as it was."""

    name: str
    value: str | None
    is_secret: bool = False

    @property
    def shown(self) -> str:
        """The value as it may be printed."""
        if self.value is None:
            return "(as it was)"
        return "(not shown)" if self.is_secret and self.value else self.value


@dataclass(frozen=True, kw_only=True)
class Example:
    """A job, and what it would cost."""

    name: str
    price: Price


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What will be done. `resources` are the template's, name -> type.

    `changes` are made to buckets before the stack is; `proposals`, for buckets that were brought along, only when told.
    """

    step: Step
    stack_name: str
    person: Person
    region: str
    mode: Mode
    network: Network
    buckets: tuple[BucketPlan, ...]
    parameters: tuple[Parameter, ...]
    resources: Mapping[str, str]
    rights: tuple[Right, ...]
    image_uri: str | None
    changes: tuple[BucketChange, ...] = ()
    proposals: tuple[BucketChange, ...] = ()
    notes: tuple[str, ...] = ()

    def with_proposals(self) -> Plan:
        """Return the plan with what was only proposed for one's own buckets."""
        return replace(self, changes=(*self.changes, *self.proposals), proposals=())

    def with_parameters(self, *more: Parameter) -> tuple[Parameter, ...]:
        """Return the parameters with others in the place of those of the same name."""
        named = {each.name: each for each in (*self.parameters, *more)}
        return tuple(named.values())


def make_plan(
    seen: Seen, said: Given, template: Template, *, more: Mapping[str, str], announced: Announced | None
) -> Plan | tuple[Problem, ...]:
    """Return the plan, or everything that is known to stand in its way. `more` are parameters given by their names."""
    problems = [*_of_stack(seen, said), *_of_buckets(seen, said), *seen.network.problems, *_of_parameters(more)]
    mode = decide_mode(seen.person.account_id, said.get("mode"), announced)
    if isinstance(mode, Problem):
        problems.append(mode)
    if problems or isinstance(mode, Problem):
        return tuple(problems)
    network, step = seen.network.network, step_of(seen.stack)
    assert network is not None
    assert step is not None
    buckets = tuple(_bucket_plan(seen, said, kind) for kind in Kind)
    given = {**_parameters(said, mode, network, buckets), **more}
    before = seen.stack.parameters if step is Step.UPDATE and seen.stack else {}
    if step is Step.UPDATE and announced is not None and _is_offered(before.get("ImageUri", ""), announced):
        # The stack remembers what it was announced with: only a parameter brings it the image of today.
        given = {"ImageUri": announced.image_uri, **given}
    # A token is passed when the stack is made, and makes it register itself.
    values = {**template.parameters, **before, **given, "CloudMRUserToken": "given"}
    parameters = [Parameter(name=name, value=value) for name, value in given.items() if name in template.parameters]
    if step is Step.UPDATE and seen.stack is not None:
        left = seen.stack.parameters.keys() & (template.parameters.keys() - given.keys())
        parameters += [Parameter(name=name, value=None) for name in sorted(left)]
    changes = [(bucket.origin, _change(seen, bucket, page_origin(said.need("api_url")))) for bucket in buckets]
    due = {Origin.KEPT, Origin.SHARED}
    rights = (*RIGHTS, *RIGHTS_OF_MODE_1) if mode is Mode.MODE_1 else RIGHTS
    return Plan(
        step=step,
        stack_name=said.need("stack_name"),
        person=seen.person,
        region=seen.region,
        mode=mode,
        network=network,
        buckets=buckets,
        parameters=tuple(parameters),
        resources=template.made_with(values),
        rights=tuple(right for right in rights if right.switch is None or values.get(right.switch) == "true"),
        image_uri=said.get("image_uri") or (announced.image_uri if announced else None),
        changes=tuple(change for origin, change in changes if change and origin in due),
        proposals=tuple(change for origin, change in changes if change and origin is Origin.GIVEN),
        notes=tuple(_notes(step, seen)),
    )


def unknown_parameters(more: Iterable[str], template: Template) -> tuple[str, ...]:
    """Return the parameters that the template does not take."""
    return tuple(name for name in more if name not in template.parameters)


def decide_mode(account_id: str, wanted: str | None, announced: Announced | None) -> Mode | Problem:
    """Return which mode a unit in this account is of: mode 1 in the operator's, mode 2 in everybody else's."""
    if announced is None:
        return Mode(wanted) if wanted else Mode.MODE_2
    is_operators = account_id == announced.operators_account
    mode = Mode.MODE_1 if is_operators else Mode.MODE_2
    if wanted in {None, mode.value}:
        return mode
    whose = "the operator's" if is_operators else "not the operator's"
    return problem(Trouble.WRONG_ACCOUNT, account=account_id, whose=whose, mode=mode, wanted=wanted)


def bucket_name(stack_name: str, kind: Kind, *, account_id: str, region: str) -> str:
    """Return the name that the template gives a bucket."""
    where = "" if region == USUAL_REGION else f"-{region}"
    return f"{stack_name}-{kind}-{account_id}{where}"


def page_origin(api_url: str) -> str:
    """Return the origin of the Brain's pages, as browsers name it."""
    parts = urlsplit(api_url)
    return f"{parts.scheme}://{parts.netloc}"


def example_jobs() -> tuple[Example, ...]:
    """Return what two jobs of ten minutes would cost: a small one on Lambda, and the guide's on Fargate."""
    large = MachineSize(vcpu=4, memory_bytes=8 * _GIB)
    return (
        Example(name="10 minutes on Lambda, 3008 MB", price=price_of(Platform.LAMBDA, LAMBDA_SIZE, seconds=600)),
        Example(name="10 minutes on Fargate, 4 vCPU and 8 GB", price=price_of(Platform.FARGATE, large, seconds=600)),
    )


def unfit(bucket: Bucket, region: str) -> tuple[str, ...]:
    """Return why a bucket of one's own cannot be used; empty: it can."""
    return tuple(
        why
        for why, is_so in (
            (f"it is in {bucket.region}, not in {region}", bucket.region != region),
            ("the public may be let in (no block of public access)", not bucket.blocks_public),
            ("it is not encrypted", not bucket.is_encrypted),
        )
        if is_so
    )


def shared_bucket_name(kind: Kind, region: str) -> str:
    """Return the name that the guides give a bucket of mode 1."""
    return f"cloudmr-{kind}-cloudmrhub-brain-{region}"


def _of_stack(seen: Seen, said: Given) -> Iterable[Problem]:
    if found := trouble_with_name(said.need("stack_name"), [bucket.name for bucket in seen.buckets.values()]):
        yield found
    if seen.stack is not None and (found := trouble_with_stack(seen.stack, seen.region)):
        yield found


def _of_buckets(seen: Seen, said: Given) -> Iterable[Problem]:
    for kind, bucket in seen.buckets.items():
        is_given = said.get(f"{kind}_bucket") is not None
        if bucket.own is None:
            if is_given:
                whose = "nobody has it" if bucket.is_free else "it is not of this account"
                yield problem(Trouble.BUCKET_UNFIT, bucket=bucket.name, kind=kind, why=whose)
            elif not bucket.is_free:
                yield problem(Trouble.BUCKET_TAKEN, bucket=bucket.name, kind=kind)
        elif why := unfit(bucket.own, seen.region):
            yield problem(Trouble.BUCKET_UNFIT, bucket=bucket.name, kind=kind, why="; ".join(why))


def _of_parameters(more: Mapping[str, str]) -> Iterable[Problem]:
    memory = more.get("SmallJobMemory")
    if memory is not None and memory.isdecimal() and int(memory) > 10240:
        yield problem(Trouble.LAMBDA_MEMORY, said=f"SmallJobMemory={memory}")


def _bucket_plan(seen: Seen, said: Given, kind: Kind) -> BucketPlan:
    bucket = seen.buckets[kind]
    if said.get(f"{kind}_bucket"):
        return BucketPlan(kind=kind, name=bucket.name, origin=Origin.GIVEN)
    if step_of(seen.stack) is Step.UPDATE:
        return BucketPlan(kind=kind, name=bucket.name, origin=Origin.OWNS)
    if bucket.name == shared_bucket_name(kind, seen.region):
        return BucketPlan(kind=kind, name=bucket.name, origin=Origin.SHARED)
    origin = Origin.KEPT if bucket.own is not None else Origin.MADE
    return BucketPlan(kind=kind, name=bucket.name, origin=origin)


def _change(seen: Seen, bucket: BucketPlan, origin: str) -> BucketChange | None:
    """Return what a bucket that the template does not make lacks, None where it lacks nothing."""
    if bucket.origin in {Origin.MADE, Origin.OWNS}:
        return None
    own = seen.buckets[bucket.kind].own
    everything = (Setting.EXISTENCE, *([Setting.CORS] if bucket.kind.methods else []), Setting.TLS)
    settings = lacking(own, bucket.kind, origin) if own else everything
    return BucketChange(name=bucket.name, kind=bucket.kind, settings=settings, origin=origin) if settings else None


def _parameters(said: Given, mode: Mode, network: Network, buckets: Sequence[BucketPlan]) -> dict[str, str]:
    first, second = network.subnets
    values = {
        "CloudMRApiUrl": said.need("api_url"),
        "Mode": mode.value,
        "VpcId": network.vpc_id,
        "SubnetId1": first.id,
        "SubnetId2": second.id,
        "AssignPublicIp": "ENABLED" if network.assigns_public_ip else "DISABLED",
        "ImageTag": said.need("image_tag"),
        "SecurityGroupId": network.security_group_id or "",
    }
    if image_uri := said.get("image_uri"):
        values["ImageUri"] = image_uri
    for bucket in buckets:
        if bucket.origin in {Origin.KEPT, Origin.GIVEN, Origin.SHARED}:
            values[bucket.kind.parameter] = bucket.name
    return values


def _is_offered(image_uri: str, announced: Announced) -> bool:
    """Tell whether a stack has the image that CloudMR Brain offers, of whatever day, and none of its owner's."""
    return not image_uri or _repository(image_uri) == _repository(announced.image_uri)


def _repository(image_uri: str) -> str:
    host, _, name = image_uri.partition("/")
    return f"{host}/{name.partition('@')[0].partition(':')[0]}"


def _notes(step: Step, seen: Seen) -> Iterable[str]:
    if step is Step.REPLACE and seen.stack is not None:
        yield f"What the failed creation left ({seen.stack.status}) is deleted first; there is nothing in it."
    if any(bucket.own is not None for bucket in seen.buckets.values()) and step is not Step.UPDATE:
        yield "Buckets that an earlier stack left are used again, with what is in them."
