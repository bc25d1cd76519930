"""The encode unit: every rule in every part of an input value, its operands word by word, whoever makes it wait."""

from __future__ import annotations

import random

import pytest

from tests.sweeps import seed_for

from .bench import Bench, Unit, needs_verilator, packed, slowly, units, unpacked
from .drive import extremes

_RNG = random.Random(seed_for(31))


def _encode(
    simd: int, pe: int, beats: tuple[int, int], shapes: int, inputs: tuple[int, int], out: int, rules: str = "0123"
) -> list[Unit]:
    """A unit with slots of these rules and random operands. beats: result values per frame, and per input value."""
    nf, parts = beats
    bits, is_signed = inputs
    position_bits = max((simd - 1).bit_length(), 1)
    fields = []
    for _ in range(shapes * pe):
        place = _RNG.choice((0, bits - 1, _RNG.randint(0, 31)))
        fields.append(_RNG.randrange(simd) | int(_RNG.choice(rules)) << position_bits | place << position_bits + 2)
    width = position_bits + 7
    words = nf if shapes == 1 else -(-nf // parts)
    most = 1 << bits
    rows = [
        packed([_RNG.choice((0, most, _RNG.randint(0, most))) for _ in range(shapes * pe)], bits + 1)
        for _ in range(words)
    ]
    parameters = {"SIMD": simd, "PE": pe, "NF": nf, "PARTS": parts, "SHAPES": shapes, "INPUT_BITS": bits,
                  "INPUT_SIGNED": is_signed, "OUTPUT_BITS": out, "POSITION_BITS": position_bits,
                  "SLOTS": f"{len(fields) * width}'h{packed(fields, width):x}",
                  "HAS_OPERANDS": int("2" in rules or "3" in rules), "WORDS": words}  # fmt: skip
    return units("edgeml_encode", parameters, OPERAND_FILE=rows)


def _drawn() -> list[Unit]:
    """Units of other sizes, for the long sweeps."""
    some = _RNG.randint
    found: list[Unit] = []
    for _ in range(16):
        parts, bits = some(1, 6), some(1, 17)
        out = _RNG.choice((1, some(2, 20)))
        beats = (max((some(1, 4) - 1) * parts + some(1, parts), 1), parts)
        shapes = _RNG.choice((1, parts))
        found += _encode(some(1, 6), some(1, 6), beats, shapes, (bits, some(0, 1)), out, "0123" if out > 1 else "123")
    return found


BENCH = Bench(
    *slowly(_drawn()),
    *_encode(1, 8, (5, 1), 1, (8, 0), 1, "1"),
    *_encode(2, 4, (12, 4), 4, (8, 0), 1, "1"),
    *_encode(1, 3, (6, 1), 1, (8, 0), 1, "2"),
    *_encode(1, 2, (9, 3), 1, (6, 1), 1, "23"),
    *_encode(3, 5, (8, 3), 3, (5, 1), 5),
    *_encode(9, 4, (7, 7), 7, (8, 0), 9),
    *_encode(2, 1, (2, 2), 2, (1, 0), 1, "123"),
    *_encode(1, 3, (1, 1), 1, (1, 1), 2),
)
pytestmark = needs_verilator


def _results(unit: Unit, values: list[list[int]]) -> list[list[int]]:
    """The result values of a frame of input values, from the least number of the type on."""
    pe, shapes, parts, bits = unit["PE"], unit["SHAPES"], unit["PARTS"], unit["INPUT_BITS"]
    position_bits = unit["POSITION_BITS"]
    fields = unpacked(int(unit["SLOTS"].partition("'h")[2], 16), position_bits + 7, shapes * pe, False)
    least = -(1 << bits - 1) if unit["INPUT_SIGNED"] else 0
    found = []
    for beat in range(unit["NF"]):
        value, part = values[beat // parts], beat % parts
        row = unit.words("OPERAND_FILE")[beat if shapes == 1 else beat // parts]
        operands = unpacked(row, bits + 1, shapes * pe, False)
        result = []
        for lane in range(pe):
            slot = lane + (part * pe if shapes > 1 else 0)
            x = value[fields[slot] & (1 << position_bits) - 1]
            rule, place = fields[slot] >> position_bits & 3, fields[slot] >> position_bits + 2
            operand = operands[slot] + least
            there = place < bits and (x >> place) & 1
            result.append((x, int(there), int(x >= operand), int(x == operand))[rule])
        found.append(result)
    return found


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_encode"))
def test_results_follow_their_rules_one_clock_after_they_have_a_place(unit: Unit) -> None:
    rng, encode = random.Random(seed_for(32)), BENCH.start(unit)
    nf, parts, simd, bits = unit["NF"], unit["PARTS"], unit["SIMD"], unit["INPUT_BITS"]
    per_frame = -(-nf // parts)
    for shares in ((1.0, 1.0), (0.5, 1.0), (1.0, 0.5), (0.4, 0.6)):
        encode.reset(in_valid=0, can_reserve=0)
        beat, held, frame = 0, False, []
        expected: list[int] | None = None
        for _ in range(60 + 6 * nf):
            if beat == 0 and not held:
                frame = [extremes(bits, bool(unit["INPUT_SIGNED"]), rng, simd) for _ in range(per_frame)]
            held = held or rng.random() < shares[0]
            place, resetting = int(rng.random() < shares[1]), int(rng.random() < 0.01)
            data = packed(frame[beat // parts], bits) if held else rng.getrandbits(simd * bits)
            outputs = encode.step(rst=resetting, in_valid=int(held), in_data=data, can_reserve=place)
            assert outputs["push"] == (expected is not None)
            if expected is not None:
                assert outputs["push_data"] == packed(expected, unit["OUTPUT_BITS"])
            step = held and place
            assert outputs["reserve"] == int(step)
            last = beat % parts == parts - 1 or beat == nf - 1
            assert outputs["in_ready"] == int(place and last), "taken with the last of its results"
            expected = _results(unit, frame)[beat] if step and not resetting else None
            if step:
                beat, held = (beat + 1) % nf, held and not last
            if resetting:
                beat, held = 0, False
