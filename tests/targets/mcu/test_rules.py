"""What was built and run is held against the part's memory to the byte."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgeml.profile import Profile
from edgeml.targets.mcu.cores import core
from edgeml.targets.mcu.firmware import firmware_files
from edgeml.targets.mcu.measure import Measurement
from edgeml.targets.mcu.rules import measured_rules

from .networks import random_network


@pytest.mark.parametrize(("flash", "ram", "broken"), [(700, 1100, []), (699, 1100, ["flash"]), (700, 1099, ["ram"])])
def test_a_part_must_hold_code_and_constants_and_arena_and_stack(flash: int, ram: int, broken: list[str]) -> None:
    program = firmware_files(random_network(1, (8, 6, 3), 2), core("m4"), {}).program
    layers = {stage.name: {"constant_bytes": 20, "code_bytes": 30} for stage in program.layout.stages}
    found = Measurement(700, 1000, 100, 4321, layers, {}, "a compiler", "-O2")
    part = Profile("part", "mcu", "a part", {"core": "m4", "flash_bytes": flash, "ram_bytes": ram})
    assert [rule.rule for rule in measured_rules(found, program, part) if not rule.passed] == broken
    unknown_stack = replace(found, stack=None)
    part = Profile("part", "mcu", "a part", {"core": "m4", "flash_bytes": flash, "ram_bytes": ram - 100})
    assert [rule.rule for rule in measured_rules(unknown_stack, program, part) if not rule.passed] == broken
