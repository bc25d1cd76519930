"""The matrix-vector unit and its row: sums against numpy's, pushed in the promised clock, whoever makes it wait."""

from __future__ import annotations

import random
from collections import deque

import numpy as np
import pytest

from tests.sweeps import seed_for

from .bench import Bench, Unit, needs_verilator, packed, slowly, units
from .drive import PAUSES, extremes, sums_of_frames

_RNG = random.Random(seed_for(21))


def _weights(bits: int, count: int) -> list[int]:
    """Weights of so many bits, among them the lowest and the highest; of one bit: −1 and +1."""
    if bits == 1:
        return [_RNG.choice((-1, 1)) for _ in range(count)]
    return extremes(bits, True, _RNG, count)


def _weight_word(weights: list[int], bits: int) -> int:
    return packed([max(weight, 0) for weight in weights] if bits == 1 else weights, bits)


def _less(bits: int, input_bits: int, weights: list[int]) -> int:
    """By how much a sum is less: −x is computed as ~x with weights of 1 bit, and of 2 if no table holds a product."""
    inverted = bits == 1 or (bits == 2 and input_bits > 4)
    return sum(weight < 0 for weight in weights) if inverted else 0


def _mvu(
    simd: int, pe: int, sf: int, nf: int, inputs: tuple[int, int], weight_bits: int, sum_bits: int, **more: int | str
) -> list[Unit]:
    """A unit with random weights and constants."""
    rows = [[_weights(weight_bits, simd) for _ in range(pe)] for _ in range(nf * sf)]
    words = [_weight_word([weight for row in word for weight in row], weight_bits) for word in rows]
    constants = [packed([_RNG.getrandbits(sum_bits) for _ in range(pe)], sum_bits) for _ in range(nf)]
    parameters = {"SIMD": simd, "PE": pe, "SF": sf, "NF": nf, "INPUT_BITS": inputs[0], "INPUT_SIGNED": inputs[1],
                  "WEIGHT_BITS": weight_bits, "SUM_BITS": sum_bits, "HAS_CONSTANT": 0, **more}  # fmt: skip
    return units("edgeml_mvu", parameters, WEIGHT_FILE=words, CONSTANT_FILE=constants)


def _drawn() -> list[Unit]:
    """Units of other sizes, for the long sweeps."""
    some = _RNG.randint
    found: list[Unit] = []
    for _ in range(12):
        bits, wide, is_signed, total = some(1, 8), some(1, 8), some(0, 1), some(2, 32)
        sizes = {"INPUT_BITS": wide, "INPUT_SIGNED": is_signed, "WEIGHT_BITS": bits, "SUM_BITS": total}
        found += units("edgeml_mvu_row", {"SIMD": some(1, 20)} | sizes)
        choices = {"HAS_CONSTANT": some(0, 1), "BLOCK_ROM": some(0, 1), "SMALL_BUFFER": some(0, 1)}
        shape = (some(1, 9), some(1, 4), some(1, 6), some(1, 6))
        found += _mvu(*shape, (wide, is_signed), bits, total, **choices)
    return found


BENCH = Bench(
    *slowly(_drawn()),
    *units("edgeml_mvu_row", *(
        {"SIMD": n, "INPUT_BITS": i, "INPUT_SIGNED": s, "WEIGHT_BITS": w, "SUM_BITS": b}
        for n, i, s, w, b in (
            (1, 1, 0, 1, 2), (3, 2, 0, 2, 8), (4, 4, 1, 2, 10), (5, 8, 1, 1, 16), (2, 5, 0, 2, 9), (7, 8, 1, 2, 14),
            (3, 3, 1, 3, 12), (6, 8, 0, 8, 24), (9, 8, 1, 4, 7), (2, 1, 1, 5, 32)))),
    *_mvu(1, 1, 1, 1, (2, 0), 2, 8),
    *_mvu(2, 3, 1, 4, (4, 1), 2, 9, HAS_CONSTANT=1),
    *_mvu(3, 2, 5, 1, (2, 0), 1, 12, HAS_CONSTANT=1),
    *_mvu(4, 1, 3, 3, (8, 1), 2, 16, BLOCK_ROM=1),
    *_mvu(5, 2, 2, 3, (3, 0), 4, 14, HAS_CONSTANT=1, SMALL_BUFFER=1),
    *_mvu(8, 1, 4, 2, (8, 1), 8, 24, HAS_CONSTANT=1, BUFFER_STYLE="block"),
    *_mvu(17, 2, 1, 2, (1, 0), 1, 10),
)  # fmt: skip
pytestmark = needs_verilator


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_mvu_row"))
def test_a_row_accumulates_its_products(unit: Unit) -> None:
    rng, row = random.Random(seed_for(22)), BENCH.start(unit)
    simd, bits, wide, total = unit["SIMD"], unit["WEIGHT_BITS"], unit["INPUT_BITS"], unit["SUM_BITS"]
    row.reset(add=0, first=0)
    delay = (simd - 1).bit_length() // 2
    sums: deque[int] = deque([0] * delay)
    sum_, cleared = 0, delay
    for _ in range(400):
        weights, x = _weights(bits, simd), extremes(wide, bool(unit["INPUT_SIGNED"]), rng, simd)
        add, first, resetting = int(rng.random() < 0.7), int(rng.random() < 0.2), int(rng.random() < 0.01)
        start = rng.getrandbits(total)
        sums.append(int(np.dot(weights, x)) - _less(bits, wide, weights))
        now = sums.popleft()
        add = add if not cleared else 0  # what was on its way at a reset is not to be added
        outputs = row.step(rst=resetting, weights=_weight_word(weights, bits), inputs=packed(x, wide), add=add,
                           first=first, start=start)  # fmt: skip
        assert outputs["sum"] == sum_
        if add:
            sum_ = ((start if first else sum_) + now) % (1 << total)
        cleared = max(cleared - 1, 0)
        if resetting:
            sum_, cleared = 0, delay


@pytest.mark.parametrize("pauses", PAUSES)
@pytest.mark.parametrize("unit", BENCH.cases("edgeml_mvu"))
def test_every_sum_of_a_frame_is_pushed_once_in_order_and_on_time(unit: Unit, pauses: tuple[float, float]) -> None:
    rng, simd, wide = random.Random(seed_for(23)), unit["SIMD"], unit["INPUT_BITS"]
    frames = [extremes(wide, bool(unit["INPUT_SIGNED"]), rng, simd * unit["SF"]) for _ in range(8)]
    words = [packed(frame[step * simd :][:simd], wide) for frame in frames for step in range(unit["SF"])]
    sums_of_frames(
        BENCH.start(unit), words, _expected(unit, frames), values=unit["SF"], results=unit["NF"],
        latency=2 + (simd - 1).bit_length() // 2, rng=rng, pauses=pauses,
    )  # fmt: skip


def _expected(unit: Unit, frames: list[list[int]]) -> list[int]:
    """The words of sums that the frames give."""
    simd, pe, sf, nf = unit["SIMD"], unit["PE"], unit["SF"], unit["NF"]
    bits, wide, total = unit["WEIGHT_BITS"], unit["INPUT_BITS"], unit["SUM_BITS"]
    memory, constants = unit.words("WEIGHT_FILE"), unit.words("CONSTANT_FILE")
    expected = []
    for frame in frames:
        for fold in range(nf):
            sums = []
            for lane in range(pe):
                weights = []
                for step in range(sf):
                    fields = memory[fold * sf + step] >> lane * simd * bits
                    weights += [fields >> place * bits & (1 << bits) - 1 for place in range(simd)]
                if bits == 1:
                    weights = [2 * weight - 1 for weight in weights]
                else:
                    weights = [weight - (weight >> bits - 1 << bits) for weight in weights]
                constant = constants[fold] >> lane * total if unit["HAS_CONSTANT"] else 0
                sums.append(constant + int(np.dot(weights, frame)) - _less(bits, wide, weights))
            expected.append(packed(sums, total))
    return expected
