"""Asking a person for what a deployment needs and was not told. Only on a terminal; nobody else is ever asked."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from cloudmr.cli.terminal import Terminal
from cloudmr.deploy.network import NetworkChoice, SeenNetwork, described, described_subnet, usable_subnets
from cloudmr.deploy.options import Given


def is_somebody_there() -> bool:
    """Tell whether a person sits at a terminal, who can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask_for_brain(said: Given) -> Given:
    """Ask for the Brain's address."""
    return said.answered("api_url", typer.prompt("Address of CloudMR Brain (https://…)", err=True))


def ask_for_token(said: Given) -> Given:
    """Ask for a token."""
    text: str = typer.prompt("CloudMR user token (from your profile; not shown)", hide_input=True, err=True)
    return said.answered("token", text.strip())


def ask_for_network(terminal: Terminal, seen: SeenNetwork, choice: NetworkChoice, said: Given) -> Given:
    """Ask for the network and two subnets where they were not given; Enter takes what would have been chosen."""
    chosen = choice.network
    if said.get("vpc_id") is None and said.get("subnet_id_1") is None and seen.vpcs:
        ids = [vpc.id for vpc in seen.vpcs]
        usual = ids.index(chosen.vpc_id) if chosen else 0
        at = _menu(terminal, "VPC", [described(vpc) for vpc in seen.vpcs], usual)
        said = said.answered("vpc_id", ids[at])
    vpc_id = said.get("vpc_id")
    if vpc_id is None or said.get("subnet_id_1") is not None:
        return said
    usable = usable_subnets(seen, vpc_id)
    if len(usable) < 2:
        return said
    ids = [subnet.id for subnet in usable]
    usual_ids = [subnet.id for subnet in chosen.subnets] if chosen and chosen.vpc_id == vpc_id else ids[:2]
    for name, what, usual_id in zip(("subnet_id_1", "subnet_id_2"), ("First", "Second"), usual_ids, strict=True):
        at = _menu(terminal, f"{what} subnet", [described_subnet(subnet) for subnet in usable], ids.index(usual_id))
        said = said.answered(name, ids[at])
    return said


def _menu(terminal: Terminal, what: str, lines: Sequence[str], usual: int) -> int:
    terminal.note("\n".join([f"{what}:", *(f"  {number}. {line}" for number, line in enumerate(lines, start=1))]))
    while True:
        number: int = typer.prompt(f"{what} number", default=usual + 1, type=int, err=True)
        if 1 <= number <= len(lines):
            return number - 1
        terminal.note(f"A number from 1 to {len(lines)} is needed.")
