"""EC2: the default network leads out, as AWS makes it."""

from __future__ import annotations

from ministack.services import ec2

_init = ec2._init_defaults


def install() -> None:
    """Put the addition in place."""
    ec2._init_defaults = _init_with_way_out


def _init_with_way_out() -> None:
    _init()
    routes = ec2._route_tables[ec2._DEFAULT_RTB_ID]["Routes"]
    if all(route["DestinationCidrBlock"] != "0.0.0.0/0" for route in routes):
        way_out = {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": ec2._DEFAULT_IGW_ID}
        routes.append({**way_out, "State": "active", "Origin": "CreateRoute"})
