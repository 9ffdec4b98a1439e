from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudmr.errors import InvalidRequest
from cloudmr.model.platforms import (
    FARGATE_SIZES,
    LAMBDA_DISK_BYTES,
    LAMBDA_SIZE,
    Need,
    Platform,
    choose_platform,
    fargate_size,
)

GIB = 2**30
HERE = frozenset({Platform.LOCAL})
AWS = frozenset({Platform.LAMBDA, Platform.FARGATE})
NEEDS = st.builds(
    Need,
    memory_bytes=st.integers(min_value=0, max_value=120 * GIB),
    disk_bytes=st.integers(min_value=0, max_value=200 * GIB),
    seconds=st.floats(min_value=0, max_value=48 * 3600),
)


@given(need=NEEDS)
def test_the_machine_that_is_chosen_is_large_enough(need: Need) -> None:
    choice = choose_platform(need, AWS)
    assert choice.size is not None
    assert choice.size.memory_bytes >= need.memory_bytes
    if choice.platform is Platform.LAMBDA:
        assert need.disk_bytes <= LAMBDA_DISK_BYTES
        assert need.seconds <= 600
    assert choose_platform(need, HERE).platform is Platform.LOCAL


@pytest.mark.parametrize(
    ("need", "reason"),
    [
        (Need(memory_bytes=3 * GIB, disk_bytes=0, seconds=1), "it needs 3.0 GiB of memory, and there are 2.9 GiB"),
        (Need(memory_bytes=0, disk_bytes=5 * GIB, seconds=1), "it needs 5.0 GiB of disk, and there are 4.0 GiB"),
        (Need(memory_bytes=0, disk_bytes=0, seconds=1200), "it takes about 20 minutes, and may take 15 there"),
    ],
)
def test_why_lambda_is_too_small_is_said(need: Need, reason: str) -> None:
    choice = choose_platform(need, AWS)
    assert (choice.platform, choice.reason) == (Platform.FARGATE, f"Lambda is too small: {reason}.")
    with pytest.raises(InvalidRequest) as refused:
        choose_platform(need, AWS, wanted=Platform.LAMBDA)
    assert reason in str(refused.value)


def test_the_largest_machine_there_is() -> None:
    assert fargate_size(120 * GIB) == FARGATE_SIZES[-1]
    assert fargate_size(120 * GIB + 1) is None
    assert fargate_size(0) == FARGATE_SIZES[0]
    with pytest.raises(InvalidRequest, match="Fargate has"):
        choose_platform(Need(memory_bytes=121 * GIB, disk_bytes=0, seconds=1), AWS)


def test_sizes_grow_and_are_what_fargate_offers() -> None:
    memory = [size.memory_bytes for size in FARGATE_SIZES]
    assert memory == sorted(set(memory))
    for size in FARGATE_SIZES:
        assert 2 <= size.memory_bytes / GIB / size.vcpu <= 8
    assert LAMBDA_SIZE.memory_bytes == 3008 * 2**20
