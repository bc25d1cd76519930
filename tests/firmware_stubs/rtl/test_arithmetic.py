"""Sums, clips and roundings against plain Python, numpy's floats and zlib; each answer in its promised clock."""

from __future__ import annotations

import random
import zlib
from fractions import Fraction

import numpy as np
import pytest

from tests.sweeps import seed_for

from .bench import Bench, Unit, needs_verilator, packed, slowly, units, unpacked
from .drive import extremes, pipeline

_CLIPS = (
    {"INPUT_BITS": 1, "OFFSET": 0, "LOW": -1, "HIGH": 0, "OUTPUT_BITS": 1},
    {"INPUT_BITS": 8, "OFFSET": -128, "LOW": -128, "HIGH": 127, "OUTPUT_BITS": 8},
    {"INPUT_BITS": 9, "OFFSET": 65535, "LOW": 65300, "HIGH": 65700, "OUTPUT_BITS": 17},
    {"INPUT_BITS": 40, "OFFSET": 7, "LOW": 0, "HIGH": 15, "OUTPUT_BITS": 4},
)
_FIXED = [
    {"INPUT_BITS": bits, "INPUT_SIGNED": is_signed, "MULTIPLIES": multiplies, "MULTIPLIER_BITS": factor,
     "TIES_AWAY": away, "RIGHT": right, "MORE_BITS": more, "ZERO_POINT": zero, "LOW": low, "HIGH": high,
     "OUTPUT_BITS": out}
    for bits, is_signed, multiplies, factor, away, right, more, zero, low, high, out in (
        (8, 1, 0, 1, 0, 3, 1, 0, -128, 127, 8),
        (16, 1, 0, 1, 0, 0, 4, -5, -128, 127, 8),
        (12, 0, 0, 1, 0, 12, 1, 3, 0, 15, 4),
        (20, 1, 1, 31, 1, 1, 3, -100, -128, 127, 8),
        (32, 1, 1, 31, 1, 0, 2, 127, -128, 127, 8),
        (17, 0, 1, 31, 0, 2, 2, 0, 0, 255, 8),
        (10, 1, 1, 31, 0, 0, 1, 1, -8, 7, 4),
        (6, 1, 1, 24, 1, 1, 1, 0, -2, 1, 2),
    )
]  # fmt: skip
_FLOAT = [
    {"INPUT_BITS": bits, "INPUT_SIGNED": is_signed, "KEPT": kept, "TIES_EVEN": even, "RIGHT": right, "MORE_BITS": more,
     "ZERO_POINT": zero, "LOW": low, "HIGH": high, "OUTPUT_BITS": out}
    for bits, is_signed, kept, even, right, more, zero, low, high, out in (
        (16, 1, 24, 1, 24, 3, 0, -128, 127, 8),
        (32, 1, 24, 1, 40, 3, -128, -128, 127, 8),
        (25, 0, 24, 1, 26, 1, 0, 0, 255, 8),
        (18, 1, 53, 0, 60, 3, 5, -128, 127, 8),
        (9, 0, 53, 0, 54, 2, 0, 0, 3, 2),
        (8, 1, 24, 1, 1, 4, 0, -32768, 32767, 16),
    )
]  # fmt: skip
_RNG = random.Random(seed_for(1))


def _drawn() -> list[Unit]:
    """Units of other sizes, for the long sweeps."""
    some = _RNG.randint
    found: list[Unit] = []
    for _ in range(10):
        found += units("edgeml_adder_tree", {"TERMS": some(1, 70), "TERM_BITS": some(1, 20), "SUM_BITS": some(1, 30)})
        low, high = sorted((some(-65536, 65535), some(-65536, 65535)))
        bounds = {"LOW": low, "HIGH": high, "OUTPUT_BITS": 17}
        found += units("edgeml_clip", {"INPUT_BITS": some(1, 40), "OFFSET": some(-65536, 65535)} | bounds)
        found += units("edgeml_significand", {"WIDTH": some(1, 90), "KEPT": some(1, 60)})
        rest = {"INPUT_SIGNED": some(0, 1), "MORE_BITS": some(1, 5), "ZERO_POINT": some(-128, 127), "LOW": -128,
                "HIGH": 127, "OUTPUT_BITS": 8}  # fmt: skip
        rule = {"MULTIPLIES": some(0, 1), "MULTIPLIER_BITS": some(1, 31), "TIES_AWAY": some(0, 1), "RIGHT": some(0, 31)}
        found += units("edgeml_rescale_fixed", {"INPUT_BITS": some(2, 32)} | rule | rest)
        kept = _RNG.choice((24, 53))
        rule = {"KEPT": kept, "TIES_EVEN": int(kept == 24), "RIGHT": some(1, 90)}
        found += units("edgeml_rescale_float", {"INPUT_BITS": some(2, 40)} | rule | rest)
    return found


BENCH = Bench(
    *slowly(_drawn()),
    *units("edgeml_pair_sum", *({"BITS": bits} for bits in (1, 2, 7, 33))),
    *units("edgeml_crc32"),
    *units("edgeml_adder_tree", *({"TERMS": n, "TERM_BITS": t, "SUM_BITS": s} for n, t, s in (
        (1, 4, 4), (1, 5, 9), (2, 1, 2), (3, 4, 6), (4, 4, 4), (5, 3, 12), (8, 8, 11), (9, 6, 3), (17, 9, 14),
        (33, 2, 8)))),
    *units("edgeml_clip", *_CLIPS),
    *units("edgeml_significand", *({"WIDTH": w, "KEPT": k} for w, k in (
        (10, 4), (5, 4), (8, 1), (4, 4), (3, 9), (48, 24), (57, 24), (64, 53), (86, 53)))),
    *units("edgeml_rescale_fixed", *_FIXED),
    *units("edgeml_rescale_float", *_FLOAT),
)  # fmt: skip
pytestmark = needs_verilator


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_pair_sum"))
def test_a_pair_sum_wraps(unit: Unit) -> None:
    rng, adder, bits = random.Random(seed_for(1)), BENCH.start(unit), unit["BITS"]
    for left, right in zip(extremes(bits, False, rng, 200), extremes(bits, False, rng, 200), strict=True):
        assert adder.look(left=left, right=right)["sum"] == (left + right) % (1 << bits)


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_crc32"))
def test_the_crc_of_bytes_is_zlibs(unit: Unit) -> None:
    rng, crc = random.Random(seed_for(2)), BENCH.start(unit)
    for _ in range(60):
        content, state = rng.randbytes(rng.randint(1, 12)), 0xFFFFFFFF
        for byte in content:
            state = crc.look(state=state, data=byte)["next"]
        assert state ^ 0xFFFFFFFF == zlib.crc32(content)


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_adder_tree"))
def test_an_adder_tree_gives_the_sum_so_many_clocks_later(unit: Unit) -> None:
    rng, tree = random.Random(seed_for(3)), BENCH.start(unit)
    terms, bits, total = unit["TERMS"], unit["TERM_BITS"], unit["SUM_BITS"]

    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    numbers = [[low] * terms, [high] * terms, [-1] * terms, *(extremes(bits, True, rng, terms) for _ in range(300))]
    inputs = [{"terms": packed(row, bits)} for row in numbers]

    def answer(given: dict[str, int]) -> int:
        return sum(unpacked(given["terms"], bits, terms, True)) % (1 << total)

    pipeline(tree, inputs, answer, latency=(terms - 1).bit_length() // 2, output="sum")


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_clip"))
def test_a_clip_holds_what_is_beyond_its_ends(unit: Unit) -> None:
    rng, clip, bits = random.Random(seed_for(4)), BENCH.start(unit), unit["INPUT_BITS"]
    ends = [unit[end] - unit["OFFSET"] + near for end in ("LOW", "HIGH") for near in (-1, 0, 1)]
    numbers = extremes(bits, True, rng, 200) + [number for number in ends if -(1 << bits - 1) <= number < 1 << bits - 1]

    def answer(given: dict[str, int]) -> int:
        value = min(max(given["value"] + unit["OFFSET"], unit["LOW"]), unit["HIGH"])
        return value % (1 << unit["OUTPUT_BITS"])

    pipeline(clip, [{"value": number} for number in numbers], answer, latency=1, output="result")


def _to_bits_kept(value: int, kept: int) -> int:
    """`value` rounded to its `kept` highest bits, ties to even."""
    places = max(value.bit_length() - kept, 0)
    return round(Fraction(value, 1 << places)) << places  # Python rounds ties to even


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_significand"))
def test_a_significand_is_rounded_as_the_format_rounds_it(unit: Unit) -> None:
    rng, rounding, width, kept = random.Random(seed_for(5)), BENCH.start(unit), unit["WIDTH"], unit["KEPT"]
    values = list(range(1 << width)) if width <= 10 else extremes(width, False, rng, 400)
    for _ in range(200 if width > max(10, kept) else 0):  # ties, and what lies just beside them
        places = rng.randint(1, width - kept)
        odd = rng.getrandbits(kept) | 1 << kept - 1
        values.append(((odd << places) + (1 << places - 1) + rng.randint(-1, 1)) % (1 << width))
    inputs = [{"value": value} for value in values]

    def answer(given: dict[str, int]) -> int:
        return _to_bits_kept(given["value"], kept)

    pipeline(rounding, inputs, answer, latency=2, output="rounded")
    if kept == 53:
        assert all(_to_bits_kept(value, kept) == int(float(value)) for value in values)
    if kept == 24 and width <= 53:
        assert all(_to_bits_kept(value, kept) == int(np.float32(value)) for value in values)


def _rounded(value: Fraction, ties: str) -> int:
    """The nearest integer; ties `up`, `away` from zero or to `even`."""
    if ties == "even":
        return round(value)
    if ties == "up":
        return (value + Fraction(1, 2)).__floor__()
    magnitude = (abs(value) + Fraction(1, 2)).__floor__()
    return magnitude if value >= 0 else -magnitude


def _clipped(unit: Unit, value: int) -> int:
    return min(max(value + unit["ZERO_POINT"], unit["LOW"]), unit["HIGH"]) % (1 << unit["OUTPUT_BITS"])


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_rescale_fixed"))
def test_fixed_point_rescaling_rounds_by_its_rule(unit: Unit) -> None:
    rng, rescale = random.Random(seed_for(6)), BENCH.start(unit)
    values = extremes(unit["INPUT_BITS"], bool(unit["INPUT_SIGNED"]), rng, 500)
    factors = [rng.choice((0, 1, 1 << unit["MULTIPLIER_BITS"] - 1, (1 << unit["MULTIPLIER_BITS"]) - 1,
                           rng.getrandbits(unit["MULTIPLIER_BITS"]))) for _ in values]  # fmt: skip
    inputs = [
        {"value": value, "multiplier": factor, "more": rng.randrange(1 << unit["MORE_BITS"])}
        for value, factor in zip(values, factors, strict=True)
    ]

    def answer(given: dict[str, int]) -> int:
        high = given["value"]
        if unit["MULTIPLIES"]:
            high = (high * given["multiplier"] + 2**30) >> 31
        exact = Fraction(high, 1 << unit["RIGHT"] + given["more"])
        return _clipped(unit, _rounded(exact, "away" if unit["TIES_AWAY"] else "up"))

    pipeline(rescale, inputs, answer, latency=4 if unit["MULTIPLIES"] else 2, output="result")


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_rescale_float"))
def test_floating_point_rescaling_is_what_the_processor_computes(unit: Unit) -> None:
    rng, rescale, kept = random.Random(seed_for(7)), BENCH.start(unit), unit["KEPT"]
    values = extremes(unit["INPUT_BITS"], bool(unit["INPUT_SIGNED"]), rng, 500)
    inputs = []
    for value in values:
        factor = 1 << kept - 1 | rng.choice((0, (1 << kept) - 1, rng.getrandbits(kept), 1 << rng.randrange(kept)))
        inputs.append({"value": value, "factor": factor, "more": rng.randrange(1 << unit["MORE_BITS"])})

    def answer(given: dict[str, int]) -> int:
        if kept == 24:
            product = Fraction(float(np.float32(given["value"]) * np.float32(given["factor"])))
        else:
            product = Fraction(float(given["value"]) * float(given["factor"]))
        exact = product / (1 << unit["RIGHT"] + given["more"])
        return _clipped(unit, _rounded(exact, "even" if unit["TIES_EVEN"] else "away"))

    latency = 8 if unit["INPUT_BITS"] > kept else 6
    pipeline(rescale, inputs, answer, latency=latency, output="result")
