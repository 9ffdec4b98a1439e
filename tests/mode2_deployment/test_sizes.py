"""The size of a large job, as the state machine works it out: what the template asks for, raised, and there is."""

from __future__ import annotations

import json
import re
import subprocess
from itertools import product
from typing import Any

from aws_accounts import PYTHON
from cloudmr.model.platforms import FARGATE_SIZES
from unit_template import unit_template

MIB = 2**20
OFFERED = {
    1024: set(range(2048, 8193, 1024)),
    2048: set(range(4096, 16385, 1024)),
    4096: set(range(8192, 30721, 1024)),
    8192: set(range(16384, 61441, 4096)),
    16384: set(range(32768, 122881, 8192)),
}
"""Fargate's sizes: memory in MiB by CPU units ("Task CPU and memory" in the Amazon ECS developer guide)."""
_EVALUATE = """
import json, sys
from jsonata import jsonata
for expression, given in json.load(sys.stdin):
    program = jsonata.Jsonata(expression)
    program.assign("states", given)
    print(program.evaluate(None))
"""


def test_every_job_gets_a_size_that_there_is_and_neither_less_than_it_needs_nor_than_was_asked_for() -> None:
    templates = [(cpu, memory) for cpu, memories in OFFERED.items() for memory in (min(memories), max(memories))]
    needs = [(int(size.vcpu) * 1024, size.memory_bytes // MIB) for size in FARGATE_SIZES]
    cases = list(product(templates, needs))
    sizes = _worked_out(cases)
    for (asked, needed), (cpu, memory) in zip(cases, sizes, strict=True):
        assert memory in OFFERED[cpu], (asked, needed)
        assert cpu >= max(asked[0], needed[0])
        assert memory >= max(asked[1], needed[1])


def test_a_job_that_needs_no_more_gets_what_was_asked_for() -> None:
    asked = [(cpu, min(memories)) for cpu, memories in OFFERED.items() if cpu >= 4096]
    assert _worked_out([(each, (4096, 8192)) for each in asked]) == asked


def _worked_out(cases: list[tuple[tuple[int, int], tuple[int, int]]]) -> list[tuple[int, int]]:
    states = unit_template()["Resources"]["JobStateMachine"]["Properties"]["Definition"]["States"]
    overrides = states["RunOnFargate"]["Arguments"]["Overrides"]
    asked_of: list[tuple[str, Any]] = []
    for (cpu, memory), (needed_cpu, needed_memory) in cases:
        given = {"vcpu": needed_cpu // 1024, "memory_mib": needed_memory, "disk_gib": 30}
        states_value = {"context": {"Execution": {"Input": given}}}
        for name in ("Cpu", "Memory"):
            text = overrides[name]["Fn::Sub"].replace("${Cpu}", str(cpu)).replace("${Memory}", str(memory))
            expression = re.fullmatch(r"\{%(.*)%\}", text, re.DOTALL)
            assert expression is not None
            asked_of.append((expression[1], states_value))
    said = subprocess.run(
        [PYTHON, "-c", _EVALUATE], input=json.dumps(asked_of), capture_output=True, text=True, check=True
    ).stdout.split()
    return [(int(cpu), int(memory)) for cpu, memory in zip(said[::2], said[1::2], strict=True)]
