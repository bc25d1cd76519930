"""The clocks of a unit that sums: the times that matter alone give what a clock after the other gives."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.targets.fpga.architectures.folded.clocks import ValueClocks, spaced
from edgeml.targets.fpga.architectures.folded.folding import Folding
from edgeml.targets.fpga.architectures.folded.plan import make_plan
from edgeml.targets.fpga.architectures.folded.sums_unit import SumsUnit

from ...designs import plain_network

_FRAMES = 3


def _clock_after_clock(unit: SumsUnit, valid: ValueClocks, room: ValueClocks) -> tuple[ValueClocks, ValueClocks]:
    """When values are taken and results reserved, by an entry for every clock that the unit works in."""
    wait = np.zeros((_FRAMES, unit.beats, unit.input_beats), np.int64)
    wait[:, 0] = valid.reshape(_FRAMES, -1)
    wait[:, :, -1] = np.maximum(wait[:, :, -1], room.reshape(_FRAMES, -1))
    begun = spaced(wait.ravel()).reshape(wait.shape)
    return begun[:, 0].ravel(), begun[:, :, -1].ravel()


@pytest.mark.parametrize("pe", [1, 3, 12])
@pytest.mark.parametrize("simd", [1, 4, 20])
def test_the_clocks_that_wait_are_enough(pe: int, simd: int) -> None:
    unit = make_plan(plain_network(20, 12), {"fc0": Folding(pe, simd)}).chains[0].head
    assert isinstance(unit, SumsUnit)
    rng = np.random.default_rng(pe * 100 + simd)
    for longest in (1, 30, 1000):
        valid = np.sort(rng.integers(0, longest, _FRAMES * unit.input_beats))
        room = np.sort(rng.integers(0, longest, _FRAMES * unit.beats))
        (taken,), reserved = unit.schedule([valid], room, _FRAMES)
        expected = _clock_after_clock(unit, valid, room)
        np.testing.assert_array_equal(taken, expected[0])
        np.testing.assert_array_equal(reserved, expected[1])
