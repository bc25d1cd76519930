"""The proof of an event-driven core: how its units are joined, and unit after unit what they give."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

import numpy as np

from edgeml.errors import CheckFailed
from edgeml.network import Network
from edgeml.proof.claim import NOT_TRIED, OPEN, OUT_OF_TIME, PROVED

from ...architectures.spiking_networks import Stage, spiking_network
from ..folded.facts import Fact
from ..folded.layer_claims import ChannelClaim
from ..folded.netlist import Cell, Modules, Netlist
from ..folded.wiring import Stream, Wiring
from .control import prove_control, states_of
from .giving import prove_giving
from .membranes import prove_membranes, prove_weights
from .neurons import Potentials, WrongNeuron, prove_lane
from .readout import prove_readout, readout_states
from .streams import Events, check_encoder, entry_events, events_behind, potentials_of, weights_of
from .unit import Int64, Unit, signed

__all__ = ["DesignProof", "Tried", "UnitClaims", "prove_design"]


@dataclass(frozen=True, eq=False)
class UnitClaims:
    """What was found of a unit: a claim for each of its neurons, or outputs.

    Parameters
    ----------
    name : of its stage. facts : what holds of its module. looked_at : potentials. seconds : processor time.
    """

    name: str
    claims: tuple[ChannelClaim, ...]
    facts: tuple[Fact, ...] = ()
    looked_at: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, eq=False)
class Tried:
    """What a unit should do: with events of these channels, by weights [channels, neurons]."""

    parameters: Mapping[str, int | str]
    events: Events
    weights: Int64
    stage: Stage


@dataclass(eq=False)
class DesignProof:
    """What was found of a core.

    Parameters
    ----------
    wiring : how units are joined. units : by their stage's name, first to last. encoder : its parameters.
    output : by channel: composed from all others. tried : what units should do, for simulations of them.
    """

    network: Network
    wiring: ChannelClaim = field(default_factory=lambda: ChannelClaim(OPEN))
    units: dict[str, UnitClaims] = field(default_factory=dict)
    encoder: Mapping[str, int | str] = field(default_factory=dict)
    output: tuple[ChannelClaim, ...] = ()
    tried: dict[str, Tried] = field(default_factory=dict)

    @property
    def claims(self) -> list[ChannelClaim]:
        """All that the outputs follow from."""
        return [self.wiring, *(claim for unit in self.units.values() for claim in unit.claims)]


def prove_design(
    network: Network,
    modules: Modules,
    core: str,
    announce: Callable[[str], None] = lambda place: None,
    *,
    seconds: float = 1800.0,
) -> DesignProof:
    """Prove each unit of a core, or say why not. `seconds` : processor time; what is left then is out of time."""
    proof = DesignProof(network)
    until = time.process_time() + seconds
    spikes = spiking_network(network)
    cells: list[Cell] = []
    try:
        top = Netlist(modules, core, keep={modules.own_name(name) for name in modules.content})
        cells = _chain(top, [stage.name for stage in spikes.stages])
        proof.encoder = dict(cells[0].parameters)
        check_encoder(network, spikes, cells[0], top.ports["in_data"])
        proof.wiring = ChannelClaim(PROVED)
    except CheckFailed as error:
        proof.wiring = ChannelClaim(OPEN, str(error))
    events: Events | None = entry_events(spikes, cells[0]) if proof.wiring.status == PROVED else None
    for number, stage in enumerate(spikes.stages):
        size = len(stage.wiring.constant)
        if time.process_time() > until:
            proof.units[stage.name] = _given_up(stage.name, size, OUT_OF_TIME, "")
            continue
        if events is None:
            proof.units[stage.name] = _given_up(stage.name, size, OPEN, "what it takes is not known")
            continue
        announce(f"proving {stage.name}")
        begun = time.process_time()
        unit = Unit(Netlist(modules, cells[number + 1].module), cells[number + 1].parameters)
        taken = events
        claims, events = _unit(network, stage, unit, events)
        with suppress(CheckFailed):
            proof.tried[stage.name] = Tried(unit.parameters, taken, weights_of(unit, stage, taken), stage)
        proof.units[stage.name] = replace(claims, seconds=round(time.process_time() - begun, 3))
    whole = all(claim.status == PROVED for claim in proof.claims)
    composed = ChannelClaim(PROVED) if whole else ChannelClaim(OPEN, "not all that it follows from is proved")
    proof.output = (composed,) * network.output_size
    return proof


def _given_up(name: str, size: int, status: str, why: str) -> UnitClaims:
    return UnitClaims(name, (ChannelClaim(status, why),) * size)


def _chain(top: Netlist, names: list[str]) -> list[Cell]:
    """The instances from input to output, each taking what the one before gives. CheckFailed for another wiring."""
    wiring = Wiring(top)
    kinds = ["edgeml_spike_encoder", *["edgeml_spiking"] * (len(names) - 1), "edgeml_spiking_readout"]
    cells = [wiring.cell(f"{name}_unit", kind) for name, kind in zip(["input", *names], kinds, strict=True)]
    if len(wiring.cells) != len(cells):
        raise CheckFailed("core", "holds other instances than its units")
    ports = top.ports
    stream = Stream(ports["in_valid"], ports["in_ready"], ports["in_data"])
    for cell in cells:
        for part, bits in (("valid", stream.valid), ("ready", stream.ready), ("data", stream.data)):
            if _joined(top, cell.ports[f"in_{part}"]) != _joined(top, bits):
                raise CheckFailed(f"instance {cell.name}", f"does not take the {part} of the one before")
        stream = wiring.stream(cell, "out")
    for part, bits in (("valid", stream.valid), ("ready", stream.ready), ("data", stream.data)):
        if _joined(top, ports[f"out_{part}"]) != _joined(top, bits):
            raise CheckFailed("the output", f"does not give the {part} of the last unit")
    return cells


def _joined(top: Netlist, bits: tuple[int, ...]) -> tuple[int, ...]:
    found = []
    for bit in bits:
        while bit in top.driver and top.driver[bit][0].kind == "$pos":
            cell, _, place = top.driver[bit]
            bit = cell.ports["A"][place]
        found.append(bit)
    return tuple(found)


def _unit(network: Network, stage: Stage, unit: Unit, events: Events) -> tuple[UnitClaims, Events | None]:
    """The claims of a unit, and the events behind it (None for the readout, or where they are not known)."""
    size = len(stage.wiring.constant)
    try:
        facts = _facts(unit)
        weights = weights_of(unit, stage, events)
        padded = np.zeros((weights.shape[0], unit.words * unit.lanes), np.int64)
        padded[:, :size] = weights
        prove_weights(unit, padded.reshape(len(weights), unit.words, unit.lanes))
        starts = _starts(unit)
        if unit.fires and (starts[size:] != -1).any():
            raise CheckFailed("starts", "of places behind the last neuron are not −1")
        behind = events_behind(unit, stage, events) if unit.fires else None
        potentials = potentials_of(network, stage, events, starts[:size])
    except CheckFailed as error:
        return _given_up(stage.name, size, OPEN, str(error)), None
    if stage.neurons is None:
        return UnitClaims(stage.name, _read_out(unit, potentials), facts), None
    claims: list[ChannelClaim] = [ChannelClaim(PROVED)] * size
    looked_at = 0
    for lane in range(unit.lanes):
        try:
            looked_at += prove_lane(unit, lane, potentials)
        except CheckFailed as error:
            known = isinstance(error, WrongNeuron) and error.neuron >= 0
            for neuron in [error.neuron] if isinstance(error, WrongNeuron) and known else range(lane, size, unit.lanes):
                example = {"value": error.value} if isinstance(error, WrongNeuron) else {}
                claims[neuron] = ChannelClaim(OPEN, str(error), example)
            if known:  # the first that is wrong; nothing is known of the others of its lane
                others = [n for n in range(lane, size, unit.lanes) if claims[n].status == PROVED]
                for neuron in others:
                    claims[neuron] = ChannelClaim(NOT_TRIED, "another neuron of its lane is wrong")
    return UnitClaims(stage.name, tuple(claims), facts, looked_at), behind


def _facts(unit: Unit) -> tuple[Fact, ...]:
    """What holds of the module, whatever its memories hold. Raises CheckFailed."""
    module = "edgeml_spiking" if unit.fires else "edgeml_spiking_readout"
    given = dict(unit.parameters)
    states = states_of(unit) if unit.fires else readout_states(unit)
    control = prove_control(unit) if unit.fires else prove_readout(unit)
    facts = [Fact(module, given, "control", control), Fact(module, given, "membranes", prove_membranes(unit, states))]
    if unit.fires:
        facts.append(Fact(module, given, "giving", prove_giving(unit, states)))
    return tuple(facts)


def _starts(unit: Unit) -> np.ndarray:
    """What each membrane starts with [words · lanes], as the memory says."""
    bits, memory = unit.number("MEMBRANE_BITS"), unit.memory("neurons.starts")
    if any(word is None for word in memory.content):
        raise CheckFailed("starts", "are not all there")
    fields = [(word or 0) >> (lane * bits) & ((1 << bits) - 1) for word in memory.content for lane in range(unit.lanes)]
    return signed(np.array(fields, np.int64), bits)


def _read_out(unit: Unit, potentials: Potentials) -> tuple[ChannelClaim, ...]:
    """Membranes are the outputs: they start with what no event stands for, and have room for the whole range."""
    bits = unit.number("MEMBRANE_BITS")
    found = []
    for low, high, shift in zip(potentials.low, potentials.high, potentials.shift, strict=True):
        if shift:
            found.append(ChannelClaim(OPEN, f"starts {int(shift)} too high"))
        elif low < -(1 << bits - 1) or high >= 1 << bits - 1:
            found.append(ChannelClaim(OPEN, f"{int(low)} … {int(high)} has no place in {bits} bits of a membrane"))
        else:
            found.append(ChannelClaim(PROVED))
    return tuple(found)
