"""What a job costs whoever pays for its computing unit, from the one dated file of prices. Nothing is looked up.

Amounts are Decimal until the end, and then whole micro-dollars. `guide` are the rounded prices of the guides' table,
`list` those that estimates use.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from functools import cache
from importlib import resources

from cloudmr.model.platforms import MachineSize, Platform

_GB = 10**9
_GIB = 2**30
FARGATE_LEAST_S = 60
"""Fargate counts by the second, and a minute at least."""
_PRICED_REGION = "us-east-1"
_TRANSITIONS = 4
"""Steps of the unit's state machine in one job: choose, run, report, end."""


class PriceSet(StrEnum):
    """Whose prices."""

    GUIDE = "guide"
    """Those of the guides' table, rounded."""
    LIST = "list"
    """AWS's own."""


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Prices in dollars."""

    source: str
    fargate_vcpu_hour: Decimal
    fargate_gb_hour: Decimal
    lambda_gb_second: Decimal
    lambda_million_requests: Decimal
    step_functions_thousand_transitions: Decimal
    s3_gb_month: Decimal
    s3_thousand_puts: Decimal
    s3_thousand_gets: Decimal


@dataclass(frozen=True, kw_only=True)
class PriceBook:
    """All of the file: when the prices were looked up, both sets, and what they leave out."""

    dated: str
    sets: dict[PriceSet, Rates]
    left_out: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PriceLine:
    """One thing that costs something: what, how much of it in words, and dollars."""

    item: str
    quantity: str
    dollars: Decimal

    @property
    def microdollars(self) -> int:
        """The amount as it is kept."""
        return in_microdollars(self.dollars)


@dataclass(frozen=True, kw_only=True)
class Price:
    """The price of a job. `left_out` names what is not in it."""

    lines: tuple[PriceLine, ...]
    price_set: PriceSet
    dated: str
    left_out: tuple[str, ...]

    @property
    def dollars(self) -> Decimal:
        """The sum."""
        return sum((line.dollars for line in self.lines), Decimal(0))

    @property
    def microdollars(self) -> int:
        """The sum as it is kept; rounded once."""
        return in_microdollars(self.dollars)


@cache
def price_book() -> PriceBook:
    """Return the prices that this release knows."""
    raw = json.loads(resources.files(__package__).joinpath("prices.json").read_text(encoding="utf-8"))
    sets = {
        PriceSet(name): Rates(
            source=values["source"], **{key: Decimal(value) for key, value in values.items() if key != "source"}
        )
        for name, values in raw["sets"].items()
    }
    return PriceBook(dated=raw["dated"], sets=sets, left_out=tuple(raw["left_out"]))


def price_of(
    platform: Platform,
    size: MachineSize | None,
    *,
    seconds: float,
    input_bytes: int = 0,
    output_bytes: int = 0,
    n_output_files: int = 0,
    region: str | None = None,
    price_set: PriceSet = PriceSet.LIST,
    book: PriceBook | None = None,
) -> Price:
    """Return the price of a job of `seconds` at work, its data and results kept for a month.

    On the unit's own machine nothing is charged by anybody: there are no lines. Prices are those of us-east-1; for
    another region that is among what they leave out.
    """
    book = book or price_book()
    rates = book.sets[price_set]
    if platform is Platform.LOCAL or size is None:
        return Price(
            lines=(),
            price_set=price_set,
            dated=book.dated,
            left_out=("the machine itself, which is there anyway",),
        )
    lines = [
        *_compute(platform, size, Decimal(str(seconds)), rates),
        _transitions(rates),
        _storage(input_bytes + output_bytes, rates),
    ]
    if n_output_files:
        lines.append(_requests(n_output_files, rates))
    elsewhere = () if region in {None, _PRICED_REGION} else (f"how far {region} differs from {_PRICED_REGION}",)
    return Price(lines=tuple(lines), price_set=price_set, dated=book.dated, left_out=(*elsewhere, *book.left_out))


def in_microdollars(dollars: Decimal) -> int:
    """Return an amount in whole micro-dollars."""
    return int((dollars * 1_000_000).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def in_dollars(microdollars: int) -> str:
    """Return an amount as people read it: to the hundredth of a cent, from a dollar on to the cent."""
    dollars = Decimal(microdollars) / 1_000_000
    if 0 < dollars < Decimal("0.0001"):
        return "less than $0.0001"
    precise = dollars.quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP)
    amount = precise if 0 < precise < 1 else dollars.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    return f"{'-' if amount < 0 else ''}${abs(amount)}"


def _compute(platform: Platform, size: MachineSize, seconds: Decimal, rates: Rates) -> Iterable[PriceLine]:
    memory_gb = Decimal(size.memory_bytes) / _GIB
    if platform is Platform.LAMBDA:
        yield PriceLine(
            item="Lambda",
            quantity=f"{memory_gb:.2f} GB for {seconds:.0f} s",
            dollars=memory_gb * seconds * rates.lambda_gb_second + rates.lambda_million_requests / 1_000_000,
        )
        return
    hours = max(seconds, Decimal(FARGATE_LEAST_S)) / 3600
    vcpu = Decimal(str(size.vcpu))
    yield PriceLine(
        item="Fargate vCPU",
        quantity=f"{vcpu:g} vCPU for {hours * 3600:.0f} s",
        dollars=vcpu * rates.fargate_vcpu_hour * hours,
    )
    yield PriceLine(
        item="Fargate memory",
        quantity=f"{memory_gb:g} GB for {hours * 3600:.0f} s",
        dollars=memory_gb * rates.fargate_gb_hour * hours,
    )


def _transitions(rates: Rates) -> PriceLine:
    return PriceLine(
        item="Step Functions",
        quantity=f"{_TRANSITIONS} transitions",
        dollars=_TRANSITIONS * rates.step_functions_thousand_transitions / 1000,
    )


def _storage(n_bytes: int, rates: Rates) -> PriceLine:
    gb = Decimal(n_bytes) / _GB
    return PriceLine(item="S3 storage", quantity=f"{gb:.3f} GB for a month", dollars=gb * rates.s3_gb_month)


def _requests(n_output_files: int, rates: Rates) -> PriceLine:
    dollars = n_output_files * (rates.s3_thousand_puts + rates.s3_thousand_gets) / 1000
    return PriceLine(item="S3 requests", quantity=f"{n_output_files} files written and read", dollars=dollars)
