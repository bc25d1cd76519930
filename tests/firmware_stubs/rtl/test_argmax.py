"""The argmax unit: numpy's index beside every word, in the promised clock, whatever the shape, pauses and resets."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from tests.sweeps import seed_for

from .bench import Bench, Unit, needs_verilator, packed, slowly, units
from .drive import PAUSES, drive, extremes

_RNG = random.Random(seed_for(31))


def _drawn() -> list[Unit]:
    """Units of other sizes, for the long sweeps."""
    some = _RNG.randint
    return [
        unit
        for outputs in (_RNG.choice((1, some(2, 9), some(2, 40))) for _ in range(16))
        for unit in units("edgeml_argmax", {
            "OUTPUTS": outputs, "LANES": some(1, outputs + 2), "ELEMENT_BITS": some(1, 33), "SIGNED": some(0, 1)})
    ]  # fmt: skip


BENCH = Bench(
    *slowly(_drawn()),
    *units("edgeml_argmax", *(
        {"OUTPUTS": n, "LANES": lanes, "ELEMENT_BITS": bits, "SIGNED": is_signed}
        for n, lanes, bits, is_signed in (
            (1, 1, 8, 1), (1, 3, 4, 0), (2, 1, 1, 0), (2, 2, 1, 1), (3, 4, 8, 1), (5, 2, 3, 0), (7, 3, 16, 1),
            (10, 10, 5, 1), (9, 4, 33, 1), (16, 16, 2, 0), (20, 7, 6, 0)))),
    *units("edgeml_argmax", *(
        {"OUTPUTS": 1, "LANES": 1, "ELEMENT_BITS": bits, "SIGNED": is_signed, "BINARY": 1, "THRESHOLD": f"{threshold}"}
        for bits, is_signed, threshold in (
            (8, 1, "-32'sd3"), (8, 0, "32'sd255"), (32, 1, "32'sd2147483647"), (1, 1, "-32'sd1")))),
)  # fmt: skip
pytestmark = needs_verilator


def _cases(*, binary: bool) -> list[Any]:
    return [case for case in BENCH.cases("edgeml_argmax") if binary == ("BINARY" in dict(case.values[0].parameters))]


@pytest.mark.parametrize("pauses", PAUSES)
@pytest.mark.parametrize("unit", _cases(binary=False))
def test_words_pass_and_the_lowest_of_the_largest_stands_beside_them(unit: Unit, pauses: tuple[float, float]) -> None:
    rng, argmax = random.Random(seed_for(31)), BENCH.start(unit)
    outputs, lanes, bits, is_signed = unit["OUTPUTS"], unit["LANES"], unit["ELEMENT_BITS"], bool(unit["SIGNED"])
    beats = -(-outputs // lanes)
    high = (1 << bits - is_signed) - 1
    frames = []
    for _ in range(12):
        frame = extremes(bits, is_signed, rng, outputs)
        if rng.random() < 0.5:  # ties
            frame = [rng.choice(frame[:2]) for _ in frame]
        frames.append(frame + [rng.choice((high, high - 1)) for _ in range(beats * lanes - outputs)])
    words = [packed(frame[beat * lanes :][:lanes], bits) for frame in frames for beat in range(beats)]
    classes = [int(np.argmax(frame[: min((beat + 1) * lanes, outputs)])) for frame in frames for beat in range(beats)]
    flow = drive(argmax, words, len(words), rng=rng, pauses=pauses, resets=2)
    assert flow.words == words
    assert [beside["out_class"] for beside in flow.beside] == classes
    if pauses == (0.0, 0.0):
        latency = 0 if outputs == 1 else (lanes - 1).bit_length() + 2 + (beats > 1)
        assert flow.taken == list(range(flow.taken[0], flow.taken[0] + len(words)))
        assert flow.given == [clock + latency for clock in flow.taken]


@pytest.mark.parametrize("unit", _cases(binary=True))
def test_a_binary_class_is_one_above_the_threshold_alone(unit: Unit) -> None:
    rng, argmax = random.Random(seed_for(32)), BENCH.start(unit)
    sign, _, digits = unit["THRESHOLD"].partition("32'sd")
    threshold, bits, is_signed = int(sign + digits), unit["ELEMENT_BITS"], bool(unit["SIGNED"])
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if is_signed else (0, (1 << bits) - 1)
    values = [value for value in (threshold - 1, threshold, threshold + 1) if low <= value <= high]
    for value in values + extremes(bits, is_signed, rng, 50):
        for valid in (0, 1):
            outputs = argmax.look(in_valid=valid, in_data=value, out_ready=valid)
            assert (outputs["out_valid"], outputs["in_ready"]) == (valid, valid)
            assert outputs["out_class"] == (value > threshold)
