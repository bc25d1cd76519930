"""What refutes claims of an event-driven core that are not proved: what Icarus gives of a unit, or of the core.

A unit is given frames of events with pauses and resets; what the events that it gives add up to, by channel, is held
against what the network says of the integers that those it took stand for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from edgeml.errors import EdgemlError
from edgeml.proof.claim import OPEN, PROVED, REFUTED

from ...design import Built
from ...tools.programs import icarus
from ..folded.layer_claims import ChannelClaim
from ..folded.refuted import Core, Wrong, said_of, wrong_of_core
from ..folded.simulation import MISSING, Section, core_subject, simulated
from .design_proof import DesignProof, Tried, UnitClaims
from .unit import Int64

__all__ = ["core_of", "refuted", "wrong_of_unit"]

_FRAMES, _STEPS, _MOST_CLOCKS, _MOST_VALUES = 24, 400, 60_000, 20_000


def core_of(built: Built) -> Core:
    """What a simulation of the core needs to know."""
    interface, clocks = built.layout.architecture.interface(built.layout.plan), built.layout.clocks.latency
    taken = (interface.input_lanes, interface.input_element.bits)
    return Core(built.core, taken, (interface.output_lanes, interface.output_element.bits), clocks)


def refuted(proof: DesignProof, files: Mapping[str, bytes], built: Built) -> DesignProof:
    """The proof with what was refuted of it, each by what Icarus gives of these files."""
    if all(claim.status == PROVED for claim in proof.claims):
        return proof
    if icarus() is None:
        proof.output = tuple(replace(claim, detail=f"{claim.detail} ({MISSING})") for claim in proof.output)
        return proof
    for name, unit in proof.units.items():
        if name in proof.tried and any(claim.status == OPEN for claim in unit.claims):
            proof.units[name] = _unit_refuted(unit, proof.tried[name], files)
    try:
        wrong = wrong_of_core(proof.network, files, core_of(built))
    except EdgemlError:
        return proof
    output = list(proof.output)
    for each in reversed(wrong):
        output[each.channel] = ChannelClaim(REFUTED, f"confirmed: {said_of(each, 'the core')}")
    proof.output = tuple(output)
    if wrong and proof.wiring.status == OPEN:
        said = f"{proof.wiring.detail}; confirmed: {said_of(wrong[0], 'the core')}"
        proof.wiring = replace(proof.wiring, status=REFUTED, detail=said)
    return proof


def _unit_refuted(unit: UnitClaims, tried: Tried, files: Mapping[str, bytes]) -> UnitClaims:
    values = {
        n: int(c.example["value"]) for n, c in enumerate(unit.claims) if c.status == OPEN and "value" in c.example
    }
    try:
        wrong = wrong_of_unit(tried, values, files)
    except EdgemlError:
        return unit
    claims = list(unit.claims)
    for each in reversed(wrong):
        if claims[each.channel].status == OPEN:
            said = f"{claims[each.channel].detail}; confirmed: {said_of(each, 'its unit')}"
            claims[each.channel] = replace(claims[each.channel], status=REFUTED, detail=said)
    return replace(unit, claims=tuple(claims))


def wrong_of_unit(tried: Tried, values: Mapping[int, int], files: Mapping[str, bytes]) -> list[Wrong]:
    """What a unit gives wrongly by itself. values : by neuron, a z that is to be come to."""
    given, events = tried.parameters, tried.events
    frames = _frames(tried, values)
    words = [_words(tried, frame) for frame in frames]
    beats = max(len(each) for each in words)
    channel_bits, amount_bits = events.bits
    end = 1 << (channel_bits + amount_bits)
    packed = [word for each in words for word in [*([0] * (beats - len(each))), *each, end]]
    fires = "ENCODING" in given
    width = int(given["OUT_CHANNEL_BITS"]) + int(given["OUT_AMOUNT_BITS"]) + 1 if fires else 0
    width = width or int(given["PE"]) * int(given["MEMBRANE_BITS"])
    takes = 1 + channel_bits + amount_bits
    steps = 3 * int(given["WORDS"]) * (int(given["LEVELS"]) + 2 if fires else 2)
    clocks = min(3 * len(packed) * int(given["WORDS"]) + len(frames) * steps + 400, _MOST_CLOCKS)
    wrapped = {
        **files,
        "counterexample_unit.v": _wrapper("edgeml_spiking" if fires else "edgeml_spiking_readout", given, takes, width),
    }
    sections = simulated(wrapped, core_subject("counterexample_unit", beats + 1, (takes, width)), packed, clocks, 1)
    return [wrong for section in sections for wrong in _differences(tried, section, beats + 1)]


def _wrapper(module: str, parameters: Mapping[str, int | str], takes: int, gives: int) -> bytes:
    """A module without parameters around a unit."""
    said = ", ".join(f'.{k}("{v}")' if isinstance(v, str) else f".{k}({v})" for k, v in parameters.items())
    ports = ("in_valid", "in_ready", "in_data", "out_valid", "out_ready", "out_data")
    joined = ", ".join(f".{port}({port})" for port in ("clk", "rst", *ports))
    return f"""`default_nettype none
module counterexample_unit (
    input wire clk, input wire rst, input wire in_valid, output wire in_ready, input wire [{takes - 1}:0] in_data,
    output wire out_valid, input wire out_ready, output wire [{gives - 1}:0] out_data
);
    {module} #({said}) unit ({joined});
endmodule
`default_nettype wire
""".encode()


def _frames(tried: Tried, values: Mapping[int, int]) -> list[Int64]:
    """What the amounts of each channel add up to, frame by frame: the ends, random ones, and those toward a value."""
    rng = np.random.default_rng(4)
    low = np.array([channel.low for channel in tried.events.channels], np.int64)
    high = np.array([channel.high for channel in tried.events.channels], np.int64)
    toward = []
    for neuron, value in list(values.items())[:_FRAMES]:
        toward.append(_toward(tried, neuron, value, (low, high), rng))
    weights = tried.weights
    ends = [np.where(weights[:, n] * sign > 0, high, low) for n in range(weights.shape[1]) for sign in (1, -1)][
        :_FRAMES
    ]
    frames = [*toward, np.zeros_like(low), *ends, *(rng.integers(low, high + 1) for _ in range(_FRAMES))]
    size = max(int(np.abs(np.maximum(high, -low)).sum()), 1)
    return frames[: max(_MOST_VALUES // size, 2)]


def _toward(tried: Tried, neuron: int, value: int, ends: tuple[Int64, Int64], rng: np.random.Generator) -> Int64:
    """Sums for which a neuron's z is a value, or near it: channel by channel, as far as each goes."""
    low, high = ends
    weight, base = tried.weights[:, neuron], np.array([channel.base for channel in tried.events.channels], np.int64)
    constant = int(tried.stage.wiring.constant[neuron]) + int(weight @ base)
    best = rng.integers(low, high + 1)
    for _ in range(_STEPS):
        here = rng.integers(low, high + 1)
        for channel in rng.permutation(np.flatnonzero(weight)):
            left = value - constant - int(weight @ here)
            if not left:
                return here
            step = int(left / weight[channel])
            here[channel] = np.clip(here[channel] + step, low[channel], high[channel])
        if abs(value - constant - int(weight @ here)) < abs(value - constant - int(weight @ best)):
            best = here
    return best


def _words(tried: Tried, frame: Int64) -> list[int]:
    """Events that add up to a frame's sums, one of each channel after the other, as large as their bits allow."""
    _, amount_bits = tried.events.bits
    most, words = (1 << amount_bits - 1) - 1, []
    left = frame.copy()
    while left.any():
        for channel in np.flatnonzero(left).tolist():
            amount = int(np.clip(left[channel], -most - 1, max(most, 1)))
            words.append(channel << amount_bits | (amount & ((1 << amount_bits) - 1)))
            left[channel] -= amount
    return words


def _taken(tried: Tried, words: Sequence[int]) -> Int64:
    """What the amounts of a frame's events add up to, by channel."""
    _, amount_bits = tried.events.bits
    found = np.zeros(len(tried.events.channels), np.int64)
    for word in words:
        amount = word & ((1 << amount_bits) - 1)
        found[word >> amount_bits & ((1 << tried.events.bits[0]) - 1)] += amount - (
            amount >> amount_bits - 1 << amount_bits
        )
    return found


def _differences(tried: Tried, section: Section, beats: int) -> list[Wrong]:
    """Frames of which a unit gave something else."""
    frames = [_taken(tried, section.taken[k : k + beats - 1]) for k in range(0, len(section.taken) - beats + 1, beats)]
    given = _given_frames(tried, section)
    found = []
    for frame, came in zip(frames, given, strict=False):
        wanted = _wanted(tried, frame)
        if isinstance(came, str):
            found.append(Wrong(0, int(wanted[0]), came, tuple(frame.tolist())))
            break
        for channel in np.flatnonzero(came[: len(wanted)] != wanted).tolist():
            neuron = channel if channel < tried.weights.shape[1] else 0
            found.append(Wrong(neuron, int(wanted[channel]), int(came[channel]), tuple(frame.tolist())))
        if came[len(wanted) :].any():
            found.append(Wrong(0, 0, "events of channels that are not there", tuple(frame.tolist())))
    if len(given) > len(frames) + 1:
        found.append(Wrong(0, 0, "more frames than it took", ()))
    return found


def _wanted(tried: Tried, frame: Int64) -> Int64:
    """What a unit must give for a frame's sums: levels of its neurons and what it passes on, or its membranes."""
    base = np.array([channel.base for channel in tried.events.channels], np.int64)
    z = tried.stage.wiring.constant + (frame + base) @ tried.weights
    neurons = tried.stage.neurons
    if neurons is None:
        return np.asarray(z, np.int64)
    levels = np.array([np.searchsorted(row, value, "right") for row, value in zip(neurons.thresholds, z, strict=True)])
    first, behind = int(tried.parameters["RELAY_FROM"]), int(tried.parameters["RELAY_TO"])
    return np.concatenate([levels.astype(np.int64), frame[first:behind]])


def _given_frames(tried: Tried, section: Section) -> list[Int64 | str]:
    """By frame what a unit gave, by channel; text where bits are undefined."""
    given = tried.parameters
    found: list[Int64 | str] = []
    if "ENCODING" not in given:
        pe, bits, size = int(given["PE"]), int(given["MEMBRANE_BITS"]), tried.weights.shape[1]
        words = int(given["WORDS"])
        for start in range(0, len(section.given) - words + 1, words):
            part = section.given[start : start + words]
            if text := next((word for word in part if isinstance(word, str)), ""):
                return [*found, text]
            fields = [int(word) >> lane * bits & ((1 << bits) - 1) for word in part for lane in range(pe)][:size]
            found.append(np.array([each - (each >> bits - 1 << bits) for each in fields], np.int64))
        return found
    channel_bits, amount_bits = int(given["OUT_CHANNEL_BITS"]), int(given["OUT_AMOUNT_BITS"])
    sums = np.zeros(1 << channel_bits, np.int64)
    for word in section.given:
        if isinstance(word, str):
            return [*found, word]
        if word >> channel_bits + amount_bits:
            found.append(sums)
            sums = np.zeros(1 << channel_bits, np.int64)
            continue
        amount = word & ((1 << amount_bits) - 1)
        sums[word >> amount_bits & ((1 << channel_bits) - 1)] += amount - (amount >> amount_bits - 1 << amount_bits)
    return found
