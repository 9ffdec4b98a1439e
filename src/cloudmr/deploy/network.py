"""The network that a unit's tasks run in: what there is in the account, what of it will do, and why.

What runs there fetches its image and talks to CloudMR Brain, so each subnet needs a route out. Nothing comes in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from cloudmr.deploy.options import Given
from cloudmr.deploy.troubles import Problem, Trouble, problem

_EVERYWHERE = "0.0.0.0/0"
_HTTPS = 443
_NEEDED_ENDPOINTS = ("ecr.api", "ecr.dkr", "s3", "logs")


class WayOut(StrEnum):
    """How a subnet reaches the rest of the world."""

    INTERNET_GATEWAY = "internet gateway"
    """Straight, for what has a public address."""
    NAT = "NAT"
    """Through something that has a public address in its place."""
    ENDPOINTS = "endpoints"
    """AWS's services only, by endpoints in the network; CloudMR Brain must be reachable there, too."""
    NONE = "none"
    """Not at all."""


@dataclass(frozen=True, kw_only=True)
class Vpc:
    """A network."""

    id: str
    cidr: str
    is_default: bool = False
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Subnet:
    """A part of a network, in one zone."""

    id: str
    vpc_id: str
    zone: str
    n_free_addresses: int
    way_out: WayOut
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Route:
    """Where what goes to `destination` is sent; a `target` that is gone leaves a route that is not active."""

    destination: str
    target: str
    is_active: bool = True


@dataclass(frozen=True, kw_only=True)
class RouteTable:
    """Routes of the subnets it names, or, if it is the main one, of all that no table names."""

    vpc_id: str
    is_main: bool
    subnet_ids: frozenset[str]
    routes: tuple[Route, ...]


@dataclass(frozen=True, kw_only=True)
class SecurityGroup:
    """What may go out of a thing, by the rules of one group."""

    id: str
    vpc_id: str
    rules: tuple[EgressRule, ...]

    @property
    def lets_https_out(self) -> bool:
        """Whether it lets something call everybody by https."""
        return any(rule.lets_https_out for rule in self.rules)


@dataclass(frozen=True, kw_only=True)
class EgressRule:
    """One rule for what goes out; protocol `-1` is every one, ports None all of them."""

    protocol: str
    from_port: int | None
    to_port: int | None
    cidr: str

    @property
    def lets_https_out(self) -> bool:
        """Whether it lets something call everybody by https."""
        if self.cidr != _EVERYWHERE or self.protocol not in {"-1", "tcp", "6"}:
            return False
        if self.protocol == "-1" or self.from_port is None or self.to_port is None:
            return True
        return self.from_port <= _HTTPS <= self.to_port


@dataclass(frozen=True, kw_only=True)
class SeenNetwork:
    """Every network of an account in a region."""

    region: str
    vpcs: tuple[Vpc, ...]
    subnets: tuple[Subnet, ...]
    security_groups: tuple[SecurityGroup, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Network:
    """What the unit's tasks will run in, and why; `security_group_id` None: one is made."""

    vpc_id: str
    subnets: tuple[Subnet, Subnet]
    security_group_id: str | None
    reason: str

    @property
    def assigns_public_ip(self) -> bool:
        """Whether tasks need an address of their own to get out."""
        return any(subnet.way_out is WayOut.INTERNET_GATEWAY for subnet in self.subnets)


@dataclass(frozen=True, kw_only=True)
class NetworkChoice:
    """The network if there is one that will do; else what stands in the way, or has to be said (with candidates)."""

    network: Network | None = None
    problems: tuple[Problem, ...] = ()
    missing: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()


def way_out(subnet_id: str, vpc_id: str, tables: Sequence[RouteTable], endpoints: Iterable[str] = ()) -> WayOut:
    """Return how a subnet reaches the world: by its own route table, else by the main one of its network.

    `endpoints` are the services that have one in the network, such as `com.amazonaws.us-east-1.ecr.api`.
    """
    own = [table for table in tables if subnet_id in table.subnet_ids]
    table = next(iter(own), None) or next((t for t in tables if t.is_main and t.vpc_id == vpc_id), None)
    for route in table.routes if table else ():
        if route.destination == _EVERYWHERE and route.is_active:
            return WayOut.INTERNET_GATEWAY if route.target.startswith("igw-") else WayOut.NAT
    services = tuple(endpoints)
    if all(any(service.endswith(f".{needed}") for service in services) for needed in _NEEDED_ENDPOINTS):
        return WayOut.ENDPOINTS
    return WayOut.NONE


def choose_network(seen: SeenNetwork, said: Given) -> NetworkChoice:
    """Return the network that was given, else the only or the default one and two subnets of it in different zones."""
    vpc_id, vpc_reason = said.get("vpc_id"), "as given"
    subnet_ids = [name for name in (said.get("subnet_id_1"), said.get("subnet_id_2")) if name]
    if vpc_id is None and subnet_ids:
        vpc_id = next((subnet.vpc_id for subnet in seen.subnets if subnet.id == subnet_ids[0]), None)
        vpc_reason = f"that of {subnet_ids[0]}"
        if vpc_id is None:
            return NetworkChoice(problems=(problem(Trouble.NETWORK_UNKNOWN, what=subnet_ids[0]),))
    if vpc_id is None:
        vpc, vpc_reason = _usual_vpc(seen)
        if vpc is None:
            return _no_usual_vpc(seen)
        vpc_id = vpc.id
    if vpc_id not in {vpc.id for vpc in seen.vpcs}:
        return NetworkChoice(problems=(problem(Trouble.NETWORK_UNKNOWN, what=vpc_id),))
    return _within(seen, vpc_id, vpc_reason, subnet_ids, said.get("security_group_id"))


def _within(
    seen: SeenNetwork, vpc_id: str, vpc_reason: str, subnet_ids: Sequence[str], security_group_id: str | None
) -> NetworkChoice:
    problems = [*_of_group(seen, vpc_id, security_group_id)]
    there = {subnet.id: subnet for subnet in seen.subnets if subnet.vpc_id == vpc_id}
    wanted = []
    for subnet_id in subnet_ids:
        if subnet_id not in there:
            problems.append(problem(Trouble.NETWORK_UNKNOWN, what=f"{subnet_id} in {vpc_id}"))
        elif there[subnet_id].way_out is WayOut.NONE:
            problems.append(problem(Trouble.NO_WAY_OUT, what=subnet_id))
        else:
            wanted.append(there[subnet_id])
    if len(wanted) == len(subnet_ids) < 2:
        pair = _pair(wanted, there.values())
        if pair is None:
            problems.append(_no_pair(vpc_id, there.values()))
        else:
            wanted = list(pair)
    if problems:
        return NetworkChoice(problems=tuple(problems))
    subnet_reason = "subnets as given" if len(subnet_ids) == 2 else "two subnets of different zones with a route out"
    network = Network(
        vpc_id=vpc_id,
        subnets=(wanted[0], wanted[1]),
        security_group_id=security_group_id,
        reason=f"network {vpc_reason}, {subnet_reason}",
    )
    return NetworkChoice(network=network)


def _usual_vpc(seen: SeenNetwork) -> tuple[Vpc | None, str]:
    if len(seen.vpcs) == 1:
        return seen.vpcs[0], "the only one"
    return next((vpc for vpc in seen.vpcs if vpc.is_default), None), "the default one"


def _no_usual_vpc(seen: SeenNetwork) -> NetworkChoice:
    if not seen.vpcs:
        return NetworkChoice(problems=(problem(Trouble.NO_NETWORK, what=seen.region),))
    missing = ("vpc_id", "subnet_id_1", "subnet_id_2")
    return NetworkChoice(missing=missing, candidates=tuple(described(vpc) for vpc in seen.vpcs))


def described(vpc: Vpc) -> str:
    """Return a network in words, its id first."""
    return " ".join(filter(None, (vpc.id, vpc.cidr, vpc.name, "(default)" if vpc.is_default else "")))


def described_subnet(subnet: Subnet) -> str:
    """Return a subnet in words, its id first."""
    words = (subnet.id, subnet.zone, f"out by {subnet.way_out}", subnet.name)
    return " ".join(filter(None, words))


def usable_subnets(seen: SeenNetwork, vpc_id: str) -> tuple[Subnet, ...]:
    """Return the subnets of a network that have a route out, the best first."""
    there = (subnet for subnet in seen.subnets if subnet.vpc_id == vpc_id and subnet.way_out is not WayOut.NONE)
    return tuple(sorted(there, key=_preference))


def _preference(subnet: Subnet) -> tuple[int, int, str]:
    return list(WayOut).index(subnet.way_out), -subnet.n_free_addresses, subnet.id


def _pair(wanted: Sequence[Subnet], there: Iterable[Subnet]) -> tuple[Subnet, Subnet] | None:
    """Return two subnets of different zones that reach the world in the same way, `wanted` the first of them."""
    usable = sorted((subnet for subnet in there if subnet.way_out is not WayOut.NONE), key=_preference)
    for first in wanted or usable:
        for second in usable:
            if second.zone != first.zone and second.way_out is first.way_out:
                return first, second
    return None


def _no_pair(vpc_id: str, there: Iterable[Subnet]) -> Problem:
    if any(subnet.way_out is not WayOut.NONE for subnet in there):
        return problem(Trouble.ONE_ZONE, what=vpc_id)
    return problem(Trouble.NO_WAY_OUT, what=f"Every subnet of {vpc_id}")


def _of_group(seen: SeenNetwork, vpc_id: str, group_id: str | None) -> Iterable[Problem]:
    if group_id is None:
        return
    group = next((group for group in seen.security_groups if group.id == group_id), None)
    if group is None or group.vpc_id != vpc_id:
        yield problem(Trouble.NETWORK_UNKNOWN, what=f"{group_id} in {vpc_id}")
    elif not group.lets_https_out:
        yield problem(Trouble.SECURITY_GROUP_CLOSED, what=group_id)
