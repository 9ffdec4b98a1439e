from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from bench import Bench
from benches import MakeBench
from cloudmr.errors import Conflict
from cloudmr.model.ids import Kind
from cloudmr.model.units import ComputingUnit
from cloudmr.services.provide_local_unit import provide_local_unit


def test_brains_that_start_together_have_one_unit(make_bench: MakeBench) -> None:
    first = make_bench(is_watched=False)
    second = make_bench(is_watched=False, database_url=first.database_url)
    n_starts = 8
    together = threading.Barrier(n_starts)

    def start(number: int) -> ComputingUnit:
        together.wait()
        return provide_local_unit((first, second)[number % 2].brain)

    with ThreadPoolExecutor(n_starts) as threads:
        units = [future.result() for future in [threads.submit(start, number) for number in range(n_starts)]]
    assert {unit.id for unit in units} == {first.local_unit.id}


def test_the_unit_of_a_home_is_known_again(bench: Bench) -> None:
    assert provide_local_unit(bench.brain, unit_id=bench.local_unit.id) == bench.local_unit


def test_a_brain_with_another_home_is_refused(bench: Bench) -> None:
    with pytest.raises(Conflict, match="another home") as refused:
        provide_local_unit(bench.brain, unit_id=bench.brain.new_id(Kind.UNIT))
    assert refused.value.instance_code == "unit_of_another_home"
    assert "CLOUDMR_LOCAL_UNIT=off" in refused.value.next_step
