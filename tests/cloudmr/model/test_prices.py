from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest

from cloudmr.model.platforms import LAMBDA_SIZE, MachineSize, Platform
from cloudmr.model.prices import FARGATE_LEAST_S, PriceSet, in_dollars, price_book, price_of

EXAMPLE = MachineSize(vcpu=4, memory_bytes=8 * 2**30)
"""The guides' example: 4 vCPU and 8 GB, for ten minutes."""


def digits(dollars: Decimal, places: str) -> str:
    return str(dollars.quantize(Decimal(places), rounding=ROUND_HALF_UP))


def test_the_guides_table_of_a_job_is_reproduced_to_its_digits() -> None:
    price = price_of(Platform.FARGATE, EXAMPLE, seconds=600, output_bytes=100_000_000, price_set=PriceSet.GUIDE)
    dollars = {line.item: line.dollars for line in price.lines}
    assert digits(dollars["Fargate vCPU"], "0.001") == "0.027"
    assert digits(dollars["Fargate memory"], "0.001") == "0.005"
    assert digits(dollars["S3 storage"], "0.001") == "0.002"
    assert digits(dollars["Step Functions"], "0.01") == "0.00"
    assert Decimal("0.03") <= price.dollars <= Decimal("0.05")
    # (4 × $0.04 + 8 × $0.004) × (10/60) = ~$0.03, and a hundred such jobs ~$4 with $0.04 each at most
    assert digits(dollars["Fargate vCPU"] + dollars["Fargate memory"], "0.01") == "0.03"


def test_what_the_guides_call_included_has_its_price_here() -> None:
    [line, *_] = price_of(Platform.LAMBDA, LAMBDA_SIZE, seconds=600).lines
    assert (line.item, digits(line.dollars, "0.0001")) == ("Lambda", "0.0294")


def test_list_prices_of_the_same_job() -> None:
    price = price_of(Platform.FARGATE, EXAMPLE, seconds=600)
    assert digits(sum((line.dollars for line in price.lines[:2]), Decimal(0)), "0.00001") == "0.03291"
    assert [line.microdollars for line in price.lines[:2]] == [26_987, 5_927]


def test_fargate_counts_a_minute_at_least() -> None:
    shortest = price_of(Platform.FARGATE, EXAMPLE, seconds=1)
    assert shortest == price_of(Platform.FARGATE, EXAMPLE, seconds=FARGATE_LEAST_S)
    assert price_of(Platform.FARGATE, EXAMPLE, seconds=61).dollars > shortest.dollars


def test_a_machine_of_ones_own_costs_nothing_and_says_what_that_leaves_out() -> None:
    price = price_of(Platform.LOCAL, None, seconds=3600, input_bytes=10**12)
    assert price.microdollars == 0
    assert price.left_out


@pytest.mark.parametrize("price_set", PriceSet)
def test_the_sum_is_rounded_once(price_set: PriceSet) -> None:
    price = price_of(
        Platform.FARGATE, EXAMPLE, seconds=123.4, input_bytes=3, output_bytes=7, n_output_files=9, price_set=price_set
    )
    assert abs(price.microdollars - sum(line.microdollars for line in price.lines)) <= len(price.lines) / 2


def test_the_book_says_its_date_and_what_it_leaves_out() -> None:
    book = price_book()
    assert book.dated.startswith("2026-")
    assert {"data sent out of AWS", "public IPv4 addresses"} <= set(book.left_out)


@pytest.mark.parametrize(
    ("microdollars", "text"),
    [
        (0, "$0.00"),
        (32_913, "$0.0329"),
        (99, "less than $0.0001"),
        (12_345_678, "$12.35"),
        (999_960, "$1.00"),
        (-2_000, "$0.00"),
        (-40_000, "-$0.04"),
    ],
)
def test_amounts_are_read_in_dollars(microdollars: int, text: str) -> None:
    assert in_dollars(microdollars) == text
