from __future__ import annotations

import typer
from typer.testing import CliRunner

from cloudmr.cli.asking import ask_for_network
from cloudmr.cli.terminal import Terminal
from cloudmr.deploy.network import NetworkChoice, SeenNetwork, Subnet, Vpc, WayOut
from cloudmr.deploy.options import Given

SEEN = SeenNetwork(
    region="us-east-1",
    vpcs=(Vpc(id="vpc-1", cidr="10.0.0.0/16"), Vpc(id="vpc-2", cidr="10.1.0.0/16", is_default=True)),
    subnets=tuple(
        Subnet(
            id=f"subnet-{number}",
            vpc_id=vpc_id,
            zone=f"us-east-1{zone}",
            n_free_addresses=100,
            way_out=WayOut.INTERNET_GATEWAY,
        )
        for number, (vpc_id, zone) in enumerate((("vpc-1", "a"), ("vpc-1", "b"), ("vpc-2", "a"), ("vpc-2", "b")))
    ),
)


def answered(typed: str) -> tuple[str, str]:
    """Return what is chosen by somebody who types this, and what they were shown."""
    app = typer.Typer()

    @app.command()
    def ask() -> None:
        said = ask_for_network(Terminal(), SEEN, NetworkChoice(), Given(values={}))
        typer.echo(" ".join(str(said.get(name)) for name in ("vpc_id", "subnet_id_1", "subnet_id_2")))

    result = CliRunner().invoke(app, input=typed)
    assert result.exception is None
    return result.stdout.splitlines()[-1], result.stderr


def test_the_network_is_chosen_by_numbers() -> None:
    assert answered("2\n2\n1\n")[0] == "vpc-2 subnet-3 subnet-2"


def test_enter_takes_what_would_have_been_chosen() -> None:
    assert answered("\n\n\n")[0] == "vpc-1 subnet-0 subnet-1"


def test_what_is_no_number_of_the_menu_is_asked_for_again() -> None:
    chosen, shown = answered("7\n0\nmine\n1\n1\n2\n")
    assert chosen == "vpc-1 subnet-0 subnet-1"
    assert shown.count("A number from 1 to 2 is needed.") == 2
