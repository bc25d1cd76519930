"""Units that follow a layer's sums: thresholds, tables and rescaling, each channel with its own constants."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from tests.sweeps import seed_for

from .bench import Bench, Simulated, Unit, needs_verilator, packed, signed, slowly, units, unpacked
from .drive import extremes

_RNG = random.Random(seed_for(11))


def _threshold(lanes: int, fold: int, bits: int, is_signed: int, levels: int, out: int, base: int) -> list[Unit]:
    """A unit with ascending thresholds between the lowest value and one that is never reached."""
    low, high = (-(1 << bits - 1), 1 << bits - 1) if is_signed else (0, 1 << bits)
    wide = bits + (1 if is_signed else 2)
    words = []
    for _ in range(fold):
        rows = [sorted(_RNG.choice((low, high, _RNG.randint(low, high))) for _ in range(levels)) for _ in range(lanes)]
        words.append(packed([value for row in rows for value in row], wide))
    parameters = {"LANES": lanes, "FOLD": fold, "INPUT_BITS": bits, "INPUT_SIGNED": is_signed, "LEVELS": levels,
                  "OUTPUT_BITS": out, "BASE": base}  # fmt: skip
    return units("edgeml_threshold", parameters, THRESHOLD_FILE=words)


def _threshold_line(
    lanes: int, fold: int, bits: int, is_signed: int, levels: int, base: int, *, zeros: int = 0, runs: int = 0
) -> list[Unit]:
    """A unit with lines that reach beyond both ends of the levels, some flat, and runs of inputs that are corrected."""
    value_bits, places = bits + (not is_signed), _RNG.randint(max(zeros, 1), bits + 3)
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if is_signed else (0, (1 << bits) - 1)
    steepest = max(2 * (levels << places) >> bits, 1)
    offset_bits = (2 * (levels + 1) << places).bit_length() + bits - zeros + 1
    words = []
    for _ in range(fold):
        fields = []
        for _ in range(lanes):
            factor = _RNG.choice((0, _RNG.randint(0, steepest), steepest))
            middle = _RNG.randint(low, high)
            fields += [factor, ((levels << places - 1) - factor * middle) >> zeros]
        words.append(sum(packed(fields[k : k + 1], (steepest.bit_length(), offset_bits)[k % 2])
                         << (k // 2) * (steepest.bit_length() + offset_bits) + (k % 2) * steepest.bit_length()
                         for k in range(2 * lanes)))  # fmt: skip
    top = steepest * (high - low + 1) + (levels + 1 << places)
    out = max((base + levels).bit_length(), 1) if base >= 0 else max(-base - 1, base + levels, 0).bit_length() + 1
    parameters: dict[str, int | str] = {
        "LANES": lanes, "FOLD": fold, "INPUT_BITS": bits, "INPUT_SIGNED": is_signed,
        "FACTOR_BITS": steepest.bit_length(), "OFFSET_BITS": offset_bits, "SUM_BITS": max(top.bit_length(), places) + 2,
        "PLACES": places, "ZEROS": zeros, "LEVELS": levels, "OUTPUT_BITS": out, "BASE": base}  # fmt: skip
    if not runs:
        return units("edgeml_threshold_line", parameters, LINE_FILE=words)
    place_bits = max((max(lanes, fold) - 1).bit_length(), 1)
    lists = []
    for k in range(runs):  # a channel each, the last ones the highest
        place, lane = divmod((lanes * fold - 1 - k) % (lanes * fold), lanes)
        first = _RNG.randint(low, high)
        last = min(high, first + _RNG.choice((0, 0, 1, 1 << bits)))
        lists.append((place, lane, first, last, _RNG.choice((-1, 1))))
    bits_of = (place_bits, place_bits, value_bits, value_bits, 2)
    corrections = [sum(packed([v], b) << sum(bits_of[:j]) for j, (v, b) in enumerate(zip(run, bits_of, strict=True)))
                   for run in lists]  # fmt: skip
    parameters |= {"CORRECTIONS": runs, "PLACE_BITS": place_bits, "CORRECTION_BITS": 2}
    return units("edgeml_threshold_line", parameters, LINE_FILE=words, CORRECTION_FILE=corrections)


def _rom(words: int, width: int, logic: int) -> list[Unit]:
    parameters = {"WORDS": words, "PLACE_BITS": (words - 1).bit_length(), "WIDTH": width, "LOGIC": logic}
    return units("edgeml_rom", parameters, FILE=[_RNG.getrandbits(width) for _ in range(words)])


def _lookup(lanes: int, bits: int, out: int) -> list[Unit]:
    table = [_RNG.getrandbits(out) for _ in range(1 << bits)]
    return units("edgeml_lookup", {"LANES": lanes, "INPUT_BITS": bits, "OUTPUT_BITS": out}, TABLE_FILE=table)


def _requantize(lanes: int, fold: int, rounding: str, bits: int, is_signed: int, more: int, right: int) -> list[Unit]:
    factor_bits = {"shift": 1, "fp32_rne": 24, "float64_away": 53}.get(rounding, 31)
    floating = rounding in ("fp32_rne", "float64_away")
    latency = 1 + (2 if rounding == "shift" else (8 if bits > factor_bits else 6) if floating else 4)
    words = []
    for _ in range(fold):
        fields = [_RNG.getrandbits(more) << factor_bits | 1 << factor_bits - 1 | _RNG.getrandbits(factor_bits)
                  for _ in range(lanes)]  # fmt: skip
        words.append(packed(fields, factor_bits + more))
    parameters = {"LANES": lanes, "FOLD": fold, "INPUT_BITS": bits, "INPUT_SIGNED": is_signed, "ROUNDING": rounding,
                  "FACTOR_BITS": factor_bits, "MORE_BITS": more, "RIGHT": right, "ZERO_POINT": -3, "LOW": -128,
                  "HIGH": 127, "OUTPUT_BITS": 8, "LATENCY": latency}  # fmt: skip
    return units("edgeml_requantize", parameters, FACTOR_FILE=words)


def _drawn() -> list[Unit]:
    """Units of other sizes, for the long sweeps."""
    some = _RNG.randint
    found: list[Unit] = []
    for _ in range(8):
        levels = some(1, 20)
        base = some(-8, 0)
        found += _threshold(some(1, 5), some(1, 9), some(1, 24), some(0, 1), levels, levels.bit_length() + 4, base)
        lanes, fold = some(1, 4), some(1, 9)
        found += _threshold_line(lanes, fold, some(2, 22), some(0, 1), some(1, 255), some(-128, 3), zeros=some(0, 3),
                                 runs=some(0, lanes * fold))  # fmt: skip
        found += _lookup(some(1, 5), some(1, 9), some(1, 16))
    for rounding in ("shift", "double_rounding", "ruy_half_up", "fp32_rne", "float64_away"):
        for _ in range(3):
            right = {"fp32_rne": some(20, 50), "float64_away": some(50, 80)}.get(rounding, some(0, 12))
            found += _requantize(some(1, 4), some(1, 6), rounding, some(2, 30), some(0, 1), some(1, 4), right)
    return found


BENCH = Bench(
    *slowly(_drawn()),
    *_threshold(1, 1, 8, 1, 3, 2, 0),
    *_threshold(3, 5, 6, 0, 1, 1, 0),
    *_threshold(2, 3, 1, 1, 2, 3, -2),
    *_threshold(2, 4, 17, 1, 15, 4, 0),
    *_threshold(1, 7, 5, 0, 7, 4, -4),
    *_threshold_line(1, 1, 8, 1, 15, 0),
    *_threshold_line(3, 5, 12, 0, 7, 0, zeros=4),
    *_threshold_line(2, 4, 17, 1, 255, -128, zeros=9),
    *_threshold_line(1, 7, 6, 1, 31, -16, runs=3),
    *_threshold_line(2, 3, 5, 0, 13, 2, zeros=1, runs=6),
    *_rom(2, 3, 1),
    *_rom(13, 70, 1),
    *_rom(32, 9, 0),
    *_lookup(1, 1, 1),
    *_lookup(3, 8, 8),
    *_lookup(2, 5, 11),
    *_requantize(1, 1, "shift", 12, 1, 3, 2),
    *_requantize(3, 5, "double_rounding", 20, 1, 2, 1),
    *_requantize(2, 3, "ruy_half_up", 16, 0, 3, 0),
    *_requantize(2, 3, "fp32_rne", 18, 1, 2, 34),
    *_requantize(1, 4, "fp32_rne", 27, 1, 1, 42),
    *_requantize(2, 2, "float64_away", 18, 1, 3, 62),
)
pytestmark = needs_verilator


def _follow(
    simulated: Simulated, answer: Callable[[int, list[int]], list[int]], *, latency: int, fold: int, clocks: int = 400
) -> None:
    """Push words at random, with resets; each comes `latency` clocks later, by its place's constants."""
    unit, rng = simulated.unit, random.Random(seed_for(12))
    lanes, bits, is_signed = unit["LANES"], unit["INPUT_BITS"], bool(dict(unit.parameters).get("INPUT_SIGNED", 0))
    waiting: list[int | None] = [None] * latency
    simulated.reset(in_push=0)
    place = 0
    for clock in range(clocks):
        resetting, push = int(rng.random() < 0.01), int(rng.random() < (1.0 if clock < 60 else 0.6))
        values = extremes(bits, is_signed, rng, lanes)
        outputs = simulated.step(rst=resetting, in_push=push, in_data=packed(values, bits))
        expected = waiting.pop(0)
        assert outputs["push"] == (expected is not None)
        assert expected is None or outputs["push_data"] == expected
        waiting.append(packed(answer(place, values), unit["OUTPUT_BITS"]) if push else None)
        place = (place + push) % fold
        if resetting:
            waiting, place = [None] * latency, 0


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_threshold"))
def test_a_threshold_unit_counts_what_is_reached_two_clocks_later(unit: Unit) -> None:
    levels, wide = unit["LEVELS"], unit["INPUT_BITS"] + (1 if unit["INPUT_SIGNED"] else 2)
    rows = [unpacked(word, wide, unit["LANES"] * levels, True) for word in unit.words("THRESHOLD_FILE")]

    def answer(place: int, values: list[int]) -> list[int]:
        return [
            unit["BASE"] + sum(value >= limit for limit in rows[place][lane * levels : (lane + 1) * levels])
            for lane, value in enumerate(values)
        ]

    _follow(BENCH.start(unit), answer, latency=2, fold=unit["FOLD"])


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_threshold_line"))
def test_a_line_counts_levels_with_the_factor_and_the_corrections_of_its_channel_four_clocks_later(unit: Unit) -> None:
    lanes, factor_bits, offset_bits = unit["LANES"], unit["FACTOR_BITS"], unit["OFFSET_BITS"]
    fields = [unpacked(word, factor_bits + offset_bits, lanes, False) for word in unit.words("LINE_FILE")]
    runs = {}
    if "CORRECTIONS" in dict(unit.parameters):
        place_bits, value_bits = unit["PLACE_BITS"], unit["INPUT_BITS"] + (not unit["INPUT_SIGNED"])
        for word in unit.words("CORRECTION_FILE"):
            channel = tuple(unpacked(word, place_bits, 2, False))
            first, last = unpacked(word >> 2 * place_bits, value_bits, 2, True)
            runs[channel] = (first, last, signed(word >> 2 * place_bits + 2 * value_bits, 2))

    def answer(place: int, values: list[int]) -> list[int]:
        results = []
        for lane, value in enumerate(values):
            factor = fields[place][lane] & (1 << factor_bits) - 1
            offset = signed(fields[place][lane] >> factor_bits, offset_bits)
            level = Fraction(value * factor + (offset << unit["ZEROS"]), 1 << unit["PLACES"]).__floor__()
            first, last, change = runs.get((place, lane), (1, 0, 0))
            level = min(max(level, 0), unit["LEVELS"]) + (change if first <= value <= last else 0)
            results.append(unit["BASE"] + level)
        return results

    _follow(BENCH.start(unit), answer, latency=4, fold=unit["FOLD"])


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_rom"))
def test_a_rom_gives_the_word_of_its_place_one_clock_later(unit: Unit) -> None:
    words, simulated, rng = unit.words("FILE"), BENCH.start(unit), random.Random(seed_for(13))
    expected = None
    for place in [*range(len(words)), *(rng.randrange(len(words)) for _ in range(100))]:
        word = simulated.step(place=place)["word"]
        assert expected in (None, word)
        expected = words[place]


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_lookup"))
def test_a_lookup_reads_its_table_one_clock_later(unit: Unit) -> None:
    table = unit.words("TABLE_FILE")
    _follow(BENCH.start(unit), lambda _, values: [table[value] for value in values], latency=1, fold=1)


def _rescaled(rule: str, value: int, factor: int, shift: int) -> int:
    """value · factor · 2^−shift as the rule rounds it (the factor is none of `shift`'s)."""
    half = Fraction(1, 2)
    if rule == "shift":
        return (Fraction(value, 1 << shift) + half).__floor__()
    if rule in ("double_rounding", "ruy_half_up"):
        exact = Fraction((value * factor + 2**30) >> 31, 1 << shift)
        if rule == "ruy_half_up":
            return (exact + half).__floor__()
    elif rule == "fp32_rne":
        return int(np.rint(np.float32(value) * np.float32(factor) * np.float32(2.0**-shift)))
    else:
        exact = Fraction(float(value) * float(factor)) / (1 << shift)
    magnitude = (abs(exact) + half).__floor__()
    return magnitude if exact >= 0 else -magnitude


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_requantize"))
def test_requantizing_follows_its_rule_with_the_factor_of_its_channel(unit: Unit) -> None:
    factor_bits, more = unit["FACTOR_BITS"], unit["MORE_BITS"]
    rows = [unpacked(word, factor_bits + more, unit["LANES"], False) for word in unit.words("FACTOR_FILE")]

    def answer(place: int, values: list[int]) -> list[int]:
        results = []
        for field, value in zip(rows[place], values, strict=True):
            factor, shift = field & (1 << factor_bits) - 1, unit["RIGHT"] + (field >> factor_bits)
            results.append(min(max(_rescaled(unit["ROUNDING"], value, factor, shift) - 3, -128), 127))
        return results

    _follow(BENCH.start(unit), answer, latency=unit["LATENCY"], fold=unit["FOLD"])
