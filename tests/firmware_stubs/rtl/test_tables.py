"""The unit that adds entries of tables: sums against Python's, pushed in the promised clock, whoever makes it wait."""

from __future__ import annotations

import random

import pytest

from tests.sweeps import seed_for

from .bench import Bench, Unit, needs_verilator, packed, slowly, units
from .drive import PAUSES, extremes, sums_of_frames

_RNG = random.Random(seed_for(61))


def _tables(
    simd: int, pe: int, sf: int, nf: int, input_bits: int, entry_bits: int, sum_bits: int, **more: int | str
) -> list[Unit]:
    """A unit with random tables, their entries' ends among them, and constants."""
    value_bits = int(more.pop("VALUE_BITS", input_bits))
    words = nf * sf << value_bits
    lanes = {
        f"TABLE_FILE_{lane:04d}": [packed(extremes(entry_bits, True, _RNG, pe), entry_bits) for _ in range(words)]
        for lane in range(simd)
    }
    constants = [packed([_RNG.getrandbits(sum_bits) for _ in range(pe)], sum_bits) for _ in range(nf)]
    parameters = {"SIMD": simd, "PE": pe, "SF": sf, "NF": nf, "INPUT_BITS": input_bits, "VALUE_BITS": value_bits,
                  "ENTRY_BITS": entry_bits, "SUM_BITS": sum_bits, "HAS_CONSTANT": 0, **more}  # fmt: skip
    return units("edgeml_tables", parameters, **lanes, CONSTANT_FILE=constants)


def _drawn() -> list[Unit]:
    """Units of other sizes, for the long sweeps."""
    some = _RNG.randint
    found: list[Unit] = []
    for _ in range(12):
        choices = {"HAS_CONSTANT": some(0, 1), "BLOCK_ROM": some(0, 1)}
        found += _tables(some(1, 9), some(1, 4), some(1, 6), some(1, 6), some(1, 7), some(1, 9), some(2, 24), **choices)
    return found


BENCH = Bench(
    *slowly(_drawn()),
    *_tables(1, 1, 1, 1, 2, 2, 8),
    *_tables(2, 3, 1, 4, 4, 2, 9, HAS_CONSTANT=1),
    *_tables(3, 2, 5, 1, 2, 1, 12, HAS_CONSTANT=1),
    *_tables(4, 1, 3, 3, 6, 4, 16, BLOCK_ROM=1),
    *_tables(5, 2, 2, 3, 9, 8, 7, VALUE_BITS=4, HAS_CONSTANT=1),
    *_tables(11, 1, 4, 2, 1, 3, 14, BUFFER_STYLE="logic"),
)
pytestmark = needs_verilator


@pytest.mark.parametrize("pauses", PAUSES)
@pytest.mark.parametrize("unit", BENCH.cases("edgeml_tables"))
def test_every_sum_of_a_frame_is_pushed_once_in_order_and_on_time(unit: Unit, pauses: tuple[float, float]) -> None:
    rng, simd, wide = random.Random(seed_for(62)), unit["SIMD"], unit["INPUT_BITS"]
    high = (1 << unit["VALUE_BITS"]) - 1
    frames = [[min(x, high) for x in extremes(wide, False, rng, simd * unit["SF"])] for _ in range(8)]
    words = [packed(frame[step * simd :][:simd], wide) for frame in frames for step in range(unit["SF"])]
    sums_of_frames(
        BENCH.start(unit), words, _expected(unit, frames), values=unit["SF"], results=unit["NF"],
        latency=3 + (simd - 1).bit_length() // 2, rng=rng, pauses=pauses,
    )  # fmt: skip


def _expected(unit: Unit, frames: list[list[int]]) -> list[int]:
    """The words of sums that the frames give."""
    simd, pe, sf, nf, total = unit["SIMD"], unit["PE"], unit["SF"], unit["NF"], unit["SUM_BITS"]
    bits, constants = unit["ENTRY_BITS"], unit.words("CONSTANT_FILE")
    memories = [unit.words(f"TABLE_FILE_{lane:04d}") for lane in range(simd)]
    expected = []
    for frame in frames:
        for fold in range(nf):
            sums = [constants[fold] >> output * total if unit["HAS_CONSTANT"] else 0 for output in range(pe)]
            for place, x in enumerate(frame):
                word = memories[place % simd][(fold * sf + place // simd << unit["VALUE_BITS"]) + x]
                for output in range(pe):
                    entry = word >> output * bits & (1 << bits) - 1
                    sums[output] += entry - (entry >> bits - 1 << bits)
            expected.append(packed(sums, total))
    return expected
