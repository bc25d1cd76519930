"""Modules that pass values on: nothing is lost, doubled or reordered, and offers stand until they are taken."""

from __future__ import annotations

import itertools
import random
from collections import deque

import pytest

from tests.sweeps import seed_for

from .bench import Bench, Unit, needs_verilator, packed, slowly, units
from .drive import PAUSES, chunks, drive, extremes

_RNG = random.Random(seed_for(1))


def _drawn() -> list[Unit]:
    """Units of other sizes, for the long sweeps."""
    some = _RNG.randint
    found: list[Unit] = []
    for _ in range(8):
        size = {"WIDTH": some(1, 80), "DEPTH": some(1, 40)}
        found += units("edgeml_fifo", size, size | {"LATE": 1}, size | {"LATE": 1, "BYPASS": 1})
        found += units("edgeml_stream_fifo", size)
        ratio = {"WIDTH": some(1, 20), "RATIO": some(2, 9)}
        found += units("edgeml_upsizer", ratio | {"IN_BEATS": some(1, 20)})
        found += units("edgeml_downsizer", ratio | {"OUT_BEATS": some(1, 20)})
        found += units("edgeml_fork", {"TAKERS": some(1, 9)})
        found += units("edgeml_delay", {"WIDTH": some(1, 80), "CLOCKS": some(1, 30)})
        a, b = some(1, 20), some(1, 20)
        signs = {"A_SIGNED": some(0, 1), "B_SIGNED": some(0, 1)}
        sizes = {"LANES": some(1, 5), "A_BITS": a, "B_BITS": b, "OUTPUT_BITS": max(a, b) + some(1, 2)}
        found += units("edgeml_add", sizes | signs)
        found += units("edgeml_multiply", sizes | signs | {"OUTPUT_BITS": a + b})
    return found


BENCH = Bench(
    *slowly(_drawn()),
    *units("edgeml_fifo", *({"WIDTH": w, "DEPTH": d} for w, d in ((1, 1), (8, 2), (33, 3), (64, 5), (7, 8)))),
    *units("edgeml_fifo", *({"WIDTH": w, "DEPTH": d, "LATE": 1} for w, d in ((1, 1), (33, 3), (7, 8)))),
    *units("edgeml_fifo", *({"WIDTH": w, "DEPTH": d, "LATE": late, "BYPASS": 1} for w, d, late in (
        (1, 1, 0), (33, 3, 1), (7, 8, 1)))),
    *units("edgeml_stream_fifo", *({"WIDTH": w, "DEPTH": d} for w, d in ((1, 1), (8, 2), (33, 3), (70, 5), (7, 8)))),
    *units("edgeml_fork", *({"TAKERS": takers} for takers in (1, 2, 3, 5))),
    *units("edgeml_pass", *({"WIDTH": width} for width in (1, 8, 65))),
    *units("edgeml_delay", *({"WIDTH": w, "CLOCKS": c} for w, c in ((1, 1), (8, 2), (33, 5)))),
    *units("edgeml_upsizer", *({"WIDTH": w, "RATIO": r, "IN_BEATS": b} for w, r, b in (
        (1, 2, 4), (8, 2, 1), (5, 3, 7), (8, 4, 8), (33, 5, 12), (2, 7, 3)))),
    *units("edgeml_downsizer", *({"WIDTH": w, "RATIO": r, "OUT_BEATS": b} for w, r, b in (
        (1, 2, 4), (8, 2, 1), (5, 3, 7), (8, 4, 8), (33, 5, 12), (2, 7, 3)))),
    *units("edgeml_add", *({"LANES": n, "A_BITS": a, "A_SIGNED": sa, "B_BITS": b, "B_SIGNED": sb, "OUTPUT_BITS": o}
                           for n, a, sa, b, sb, o in (
        (1, 1, 0, 1, 0, 2), (3, 2, 0, 4, 1, 6), (2, 8, 1, 8, 1, 9), (1, 5, 1, 3, 0, 7), (4, 16, 1, 9, 0, 18)))),
    *units("edgeml_multiply", *({"LANES": n, "A_BITS": a, "A_SIGNED": sa, "B_BITS": b, "B_SIGNED": sb, "OUTPUT_BITS": o}
                                for n, a, sa, b, sb, o in (
        (1, 1, 0, 1, 0, 1), (3, 2, 0, 4, 1, 6), (2, 8, 1, 8, 1, 16), (1, 5, 1, 3, 0, 8), (4, 8, 1, 8, 0, 16)))),
)  # fmt: skip
pytestmark = needs_verilator


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_fifo"))
def test_the_fifo_gives_places_that_were_free_and_values_in_order(unit: Unit) -> None:
    rng, fifo, depth = random.Random(seed_for(1)), BENCH.start(unit), unit["DEPTH"]
    is_late, bypass = (dict(unit.parameters).get(name, 0) for name in ("LATE", "BYPASS"))
    for shares in ((0.5, 0.5, 0.5), (0.9, 0.9, 0.2), (0.9, 0.3, 0.9), (1.0, 1.0, 1.0)):
        fifo.reset(reserve=0, push=0, ready=0)
        kept: deque[int] = deque()
        promised = late = 0  # reserved and not pushed; taken, and free a clock later
        for _ in range(300):
            free = promised + len(kept) + late < depth
            reserve = int(free and rng.random() < shares[0])
            push = int(promised > 0 and rng.random() < shares[1])
            ready, data = int(rng.random() < shares[2]), rng.getrandbits(unit["WIDTH"])
            outputs = fifo.step(rst=0, reserve=reserve, push=push, push_data=data, ready=ready)
            assert outputs["can_reserve"] == free
            if push and bypass:
                kept.append(data)
            assert outputs["valid"] == bool(kept)
            if kept:
                assert outputs["data"] == kept[0]
            late = int(bool(kept) and ready and is_late)
            if kept and ready:
                kept.popleft()
            if push and not bypass:
                kept.append(data)
            promised += reserve - push
            if rng.random() < 0.01:
                fifo.reset(reserve=reserve, push=push, ready=ready)
                kept.clear()
                promised = late = 0


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_stream_fifo"))
def test_the_stream_fifo_is_a_queue_clock_by_clock(unit: Unit) -> None:
    rng, fifo = random.Random(seed_for(2)), BENCH.start(unit)
    for pauses in PAUSES:
        fifo.reset(in_valid=0, out_ready=0)
        kept: deque[int] = deque()
        for _ in range(300):
            valid, ready = int(rng.random() >= pauses[0]), int(rng.random() >= pauses[1])
            data = rng.getrandbits(unit["WIDTH"])
            outputs = fifo.step(in_valid=valid, in_data=data, out_ready=ready)
            assert outputs["in_ready"] == (len(kept) < unit["DEPTH"])
            assert outputs["out_valid"] == bool(kept)
            if kept:
                assert outputs["out_data"] == (kept.popleft() if ready else kept[0])
            if valid and outputs["in_ready"]:
                kept.append(data)
            if rng.random() < 0.01:
                fifo.reset(in_valid=1, out_ready=1)
                kept.clear()


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_fork"))
def test_the_fork_gives_each_value_to_each_taker_once(unit: Unit) -> None:
    rng, fork, everyone = random.Random(seed_for(3)), BENCH.start(unit), range(unit["TAKERS"])
    for share in (0.2, 0.5, 1.0):
        fork.reset(in_valid=0, out_ready=0)
        served: set[int] = set()
        offering = False
        for _ in range(400):
            offering = offering or rng.random() < 0.7
            ready = {taker for taker in everyone if rng.random() < share}
            outputs = fork.step(in_valid=int(offering), out_ready=sum(1 << taker for taker in ready))
            offered = {taker for taker in everyone if outputs["out_valid"] >> taker & 1}
            assert offered == (set(everyone) - served if offering else set())
            if offering:
                served |= ready
                assert outputs["in_ready"] == (served == set(everyone))
                if outputs["in_ready"]:
                    served, offering = set(), False
            if rng.random() < 0.02:
                fork.reset(in_valid=int(offering))
                served, offering = set(), False


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_pass"))
def test_a_pass_takes_a_value_when_there_is_a_place_for_it(unit: Unit) -> None:
    rng, entry = random.Random(seed_for(4)), BENCH.start(unit)
    for _ in range(50):
        valid, place, data = rng.randint(0, 1), rng.randint(0, 1), rng.getrandbits(unit["WIDTH"])
        outputs = entry.look(in_valid=valid, can_reserve=place, in_data=data)
        taken = valid & place
        assert outputs == {"in_ready": place, "reserve": taken, "push": taken, "push_data": data}


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_delay"))
def test_a_delay_gives_what_came_so_many_clocks_before(unit: Unit) -> None:
    rng, delay = random.Random(seed_for(5)), BENCH.start(unit)
    came = [rng.getrandbits(unit["WIDTH"]) for _ in range(200)]
    gave = [delay.step(in_data=value)["out_data"] for value in came]
    assert gave[unit["CLOCKS"] :] == came[: -unit["CLOCKS"]]


def _widened(frames: list[list[int]], ratio: int, width: int) -> list[int]:
    """The wide words of frames of narrow ones."""
    return [packed(part, width) for frame in frames for part in chunks(frame, ratio)]


@pytest.mark.parametrize("pauses", PAUSES)
@pytest.mark.parametrize("unit", BENCH.cases("edgeml_upsizer"))
def test_an_upsizer_packs_each_frame_from_its_lowest_bits(unit: Unit, pauses: tuple[float, float]) -> None:
    rng, upsizer = random.Random(seed_for(6)), BENCH.start(unit)
    frames = [[rng.getrandbits(unit["WIDTH"]) for _ in range(unit["IN_BEATS"])] for _ in range(12)]
    words = [word for frame in frames for word in frame]
    wide = _widened(frames, unit["RATIO"], unit["WIDTH"])
    flow = drive(upsizer, words, len(wide), rng=rng, pauses=pauses, resets=3)
    assert flow.words == wide
    if pauses == (0.0, 0.0):  # a value every clock, and each wide one in the clock after its last part
        assert flow.taken == list(range(flow.taken[0], flow.taken[0] + len(words)))
        parts = [len(part) for frame in frames for part in chunks(frame, unit["RATIO"])]
        assert flow.given == [flow.taken[end - 1] + 1 for end in itertools.accumulate(parts)]


@pytest.mark.parametrize("pauses", PAUSES)
@pytest.mark.parametrize("unit", BENCH.cases("edgeml_downsizer"))
def test_a_downsizer_gives_the_parts_of_a_frame_and_drops_what_pads_it(unit: Unit, pauses: tuple[float, float]) -> None:
    rng, downsizer = random.Random(seed_for(7)), BENCH.start(unit)
    width, ratio = unit["WIDTH"], unit["RATIO"]
    frames = [[rng.getrandbits(width) for _ in range(unit["OUT_BEATS"])] for _ in range(12)]
    padded = [frame + [rng.getrandbits(width) for _ in range(-len(frame) % ratio)] for frame in frames]
    narrow = [word for frame in frames for word in frame]
    flow = drive(downsizer, _widened(padded, ratio, width), len(narrow), rng=rng, pauses=pauses, resets=3)
    assert flow.words == narrow
    if pauses == (0.0, 0.0):
        assert flow.given == list(range(flow.given[0], flow.given[0] + len(narrow)))
        assert flow.taken[0] == flow.given[min(ratio, unit["OUT_BEATS"]) - 1]


@pytest.mark.parametrize("unit", [*BENCH.cases("edgeml_add"), *BENCH.cases("edgeml_multiply")])
def test_sums_and_products_are_pushed_in_the_clock_after_both_terms_were_taken(unit: Unit) -> None:
    rng, add, lanes = random.Random(seed_for(8)), BENCH.start(unit), unit["LANES"]
    add.reset(a_valid=0, b_valid=0, can_reserve=0)
    expected: list[int] | None = None
    bits = unit["OUTPUT_BITS"]
    for _ in range(500):
        terms = {name: extremes(unit[f"{name}_BITS"], bool(unit[f"{name}_SIGNED"]), rng, lanes) for name in "AB"}
        words = {f"{name.lower()}_data": packed(values, unit[f"{name}_BITS"]) for name, values in terms.items()}
        a, b, place = (int(rng.random() < 0.7) for _ in range(3))
        resetting = int(rng.random() < 0.02)
        outputs = add.step(rst=resetting, a_valid=a, b_valid=b, can_reserve=place, **words)
        taken = a & b & place
        assert (outputs["a_ready"], outputs["b_ready"], outputs["reserve"]) == (taken, taken, taken)
        assert outputs["push"] == (expected is not None)
        if expected is not None:
            assert outputs["push_data"] == packed(expected, bits)
        combine = int.__mul__ if unit.module == "edgeml_multiply" else int.__add__
        found = [combine(x, y) for x, y in zip(terms["A"], terms["B"], strict=True)]
        expected = found if taken and not resetting else None
