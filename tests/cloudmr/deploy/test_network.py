"""Which network a unit's tasks get: what has a route out, in two zones, or what stands in the way."""

from __future__ import annotations

import pytest

from cloudmr.deploy.network import (
    EgressRule,
    Route,
    RouteTable,
    SecurityGroup,
    SeenNetwork,
    Subnet,
    Vpc,
    WayOut,
    choose_network,
    way_out,
)
from cloudmr.deploy.options import Given, given
from cloudmr.deploy.troubles import Trouble

INTERNET = Route(destination="0.0.0.0/0", target="igw-1")
NAT = Route(destination="0.0.0.0/0", target="nat-1")
INSIDE = Route(destination="10.0.0.0/16", target="local")
ENDPOINTS = [f"com.amazonaws.us-east-1.{service}" for service in ("ecr.api", "ecr.dkr", "s3", "logs")]


def table(*routes: Route, main: bool = False, subnets: tuple[str, ...] = ()) -> RouteTable:
    return RouteTable(vpc_id="vpc-1", is_main=main, subnet_ids=frozenset(subnets), routes=routes)


def subnet(number: int, zone: str = "a", way: WayOut = WayOut.INTERNET_GATEWAY, *, free: int = 100) -> Subnet:
    return Subnet(id=f"subnet-{number}", vpc_id="vpc-1", zone=f"us-east-1{zone}", n_free_addresses=free, way_out=way)


def seen(*subnets: Subnet, groups: tuple[SecurityGroup, ...] = ()) -> SeenNetwork:
    vpc = Vpc(id="vpc-1", cidr="10.0.0.0/16", is_default=True)
    return SeenNetwork(region="us-east-1", vpcs=(vpc,), subnets=subnets, security_groups=groups)


def said(**flags: str) -> Given:
    return given(flags, {})


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        ([table(INSIDE, INTERNET, main=True)], WayOut.INTERNET_GATEWAY),
        ([table(INSIDE, INTERNET, main=True), table(INSIDE, NAT, subnets=("subnet-1",))], WayOut.NAT),
        ([table(INSIDE, INTERNET, main=True), table(INSIDE, subnets=("subnet-1",))], WayOut.NONE),
        ([table(INSIDE, INTERNET, subnets=("subnet-2",)), table(INSIDE, main=True)], WayOut.NONE),
        ([table(Route(destination="0.0.0.0/0", target="nat-gone", is_active=False), main=True)], WayOut.NONE),
        ([], WayOut.NONE),
    ],
)
def test_a_subnet_gets_out_by_its_own_table_else_by_the_main_one(tables: list[RouteTable], expected: WayOut) -> None:
    assert way_out("subnet-1", "vpc-1", tables) is expected


def test_endpoints_do_where_there_is_one_for_each_service_that_is_needed() -> None:
    assert way_out("subnet-1", "vpc-1", [table(INSIDE, main=True)], ENDPOINTS) is WayOut.ENDPOINTS
    assert way_out("subnet-1", "vpc-1", [table(INSIDE, main=True)], ENDPOINTS[1:]) is WayOut.NONE


def test_two_subnets_of_different_zones_are_taken_of_the_only_network() -> None:
    network = choose_network(seen(subnet(1), subnet(2), subnet(3, "b", free=7), subnet(4, "c", free=9)), said()).network
    assert network is not None
    assert [each.id for each in network.subnets] == ["subnet-1", "subnet-4"]
    assert network.assigns_public_ip
    assert "the only one" in network.reason


def test_both_reach_the_world_in_the_same_way() -> None:
    choice = choose_network(seen(subnet(1), subnet(2, "b", WayOut.NAT), subnet(3, "c", WayOut.NAT)), said())
    assert choice.network is not None
    assert [each.id for each in choice.network.subnets] == ["subnet-2", "subnet-3"]
    assert not choice.network.assigns_public_ip


def test_the_default_network_is_taken_of_several() -> None:
    there = seen(subnet(1), subnet(2, "b"))
    other = Vpc(id="vpc-0", cidr="10.9.0.0/16")
    several = SeenNetwork(region="us-east-1", vpcs=(other, *there.vpcs), subnets=there.subnets)
    network = choose_network(several, said()).network
    assert network is not None
    assert network.vpc_id == "vpc-1"
    assert "the default one" in network.reason


def test_of_several_without_a_default_one_has_to_be_said() -> None:
    vpcs = (Vpc(id="vpc-1", cidr="10.0.0.0/16", name="lab"), Vpc(id="vpc-2", cidr="10.1.0.0/16"))
    choice = choose_network(SeenNetwork(region="us-east-1", vpcs=vpcs, subnets=()), said())
    assert choice.missing == ("vpc_id", "subnet_id_1", "subnet_id_2")
    assert choice.candidates == ("vpc-1 10.0.0.0/16 lab", "vpc-2 10.1.0.0/16")


def test_what_is_given_is_taken() -> None:
    there = seen(subnet(1), subnet(2, "b"), subnet(3, "a"))
    network = choose_network(there, said(subnet_id_1="subnet-1", subnet_id_2="subnet-3")).network
    assert network is not None
    assert [each.id for each in network.subnets] == ["subnet-1", "subnet-3"]
    one = choose_network(there, said(subnet_id_1="subnet-3")).network
    assert one is not None
    assert [each.id for each in one.subnets] == ["subnet-3", "subnet-2"]


def test_a_subnet_without_a_route_out_is_refused_beforehand() -> None:
    there = seen(subnet(1), subnet(2, "b", WayOut.NONE))
    [problem] = choose_network(there, said(subnet_id_1="subnet-1", subnet_id_2="subnet-2")).problems
    assert problem.trouble is Trouble.NO_WAY_OUT
    assert "subnet-2" in problem.message


def test_a_network_without_any_way_out_is_refused_beforehand() -> None:
    [problem] = choose_network(seen(subnet(1, way=WayOut.NONE), subnet(2, "b", WayOut.NONE)), said()).problems
    assert problem.trouble is Trouble.NO_WAY_OUT
    assert "vpc-1" in problem.message


def test_one_zone_is_too_few() -> None:
    [problem] = choose_network(seen(subnet(1), subnet(2)), said()).problems
    assert problem.trouble is Trouble.ONE_ZONE


@pytest.mark.parametrize("flags", [{"vpc_id": "vpc-9"}, {"subnet_id_1": "subnet-9"}, {"security_group_id": "sg-9"}])
def test_what_is_not_there_is_named(flags: dict[str, str]) -> None:
    [problem] = choose_network(seen(subnet(1), subnet(2, "b")), said(**flags)).problems
    assert problem.trouble is Trouble.NETWORK_UNKNOWN
    assert next(iter(flags.values())) in problem.message


def test_an_account_without_a_network_is_told_how_to_make_one() -> None:
    [problem] = choose_network(SeenNetwork(region="us-east-1", vpcs=(), subnets=()), said()).problems
    assert "aws ec2 create-default-vpc --region us-east-1" in problem.fix


@pytest.mark.parametrize(
    ("rule", "is_open"),
    [
        (EgressRule(protocol="-1", from_port=None, to_port=None, cidr="0.0.0.0/0"), True),
        (EgressRule(protocol="tcp", from_port=443, to_port=443, cidr="0.0.0.0/0"), True),
        (EgressRule(protocol="tcp", from_port=0, to_port=65535, cidr="0.0.0.0/0"), True),
        (EgressRule(protocol="tcp", from_port=80, to_port=80, cidr="0.0.0.0/0"), False),
        (EgressRule(protocol="udp", from_port=443, to_port=443, cidr="0.0.0.0/0"), False),
        (EgressRule(protocol="-1", from_port=None, to_port=None, cidr="10.0.0.0/8"), False),
    ],
)
def test_a_security_group_without_a_way_out_is_refused_beforehand(rule: EgressRule, is_open: bool) -> None:
    group = SecurityGroup(id="sg-1", vpc_id="vpc-1", rules=(rule,))
    choice = choose_network(seen(subnet(1), subnet(2, "b"), groups=(group,)), said(security_group_id="sg-1"))
    assert [each.trouble for each in choice.problems] == ([] if is_open else [Trouble.SECURITY_GROUP_CLOSED])
