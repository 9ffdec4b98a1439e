from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cloudmr.deploy.smoke import Maps, judge_sameness
from cloudmr.model.platforms import Platform

MAP = np.linspace(1, 100, 64, dtype=np.float32).reshape(8, 8)
WITH_NAN = np.where(MAP > 50, MAP, np.float32(np.nan))


def sameness(one: Maps, other: Maps) -> tuple[bool, str]:
    step = judge_sameness({Platform.LAMBDA: one, Platform.FARGATE: other})
    return step.is_right, step.seen


@pytest.mark.parametrize("values", [MAP, WITH_NAN, np.zeros((2, 2), np.float32)])
def test_equal_results_are_the_same_by_their_digests(values: NDArray[np.float32]) -> None:
    is_right, seen = sameness({1: (values,)}, {1: (values.copy(),)})
    assert is_right
    assert len({part.split()[1] for part in seen.split(", ")}) == 1


def test_processors_that_round_otherwise_give_the_same_result() -> None:
    is_right, seen = sameness({1: (MAP,)}, {1: (MAP * np.float32(1 + 1e-6),)})
    assert is_right
    assert "they differ by" in seen


@pytest.mark.parametrize(
    "other",
    [
        {1: (MAP * np.float32(1.001),)},
        {1: (MAP[:4],)},
        {1: (MAP, MAP)},
        {2: (MAP,)},
        {},
        {1: (WITH_NAN,)},
    ],
    ids=["other numbers", "other shape", "another volume", "another map", "nothing", "holes"],
)
def test_other_results_are_not_the_same(other: Maps) -> None:
    assert not sameness({1: (MAP,)}, other)[0]


def test_a_platform_that_gave_nothing_is_not_the_same() -> None:
    assert not judge_sameness({Platform.LAMBDA: {1: (MAP,)}}).is_right
