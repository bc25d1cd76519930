"""What a layer's neurons give, or what is read of it: each neuron for every potential in its range."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from edgeml.errors import CheckFailed
from edgeml.network import Network
from edgeml.network.layers.neurons import Neurons
from edgeml.proof.claim import OPEN, PROVED
from edgeml.proof.prove import Proof

from ...architectures.spiking_networks import Stage
from ...verilog.element import Element
from ..folded.bit_rows import rows_of
from ..folded.evaluation import Evaluation
from ..folded.facts import Fact
from ..folded.induction import Difference, compare
from ..folded.layer_claims import ChannelClaim
from ..folded.netlist import Bits, Cell
from ..spikes.neurons import WrongNeuron
from ..spikes.unit import Int64
from .charge import Charge, charge_of
from .composition import Coming, Window, current_shift, extended
from .core import Core
from .input import running_from
from .neuron_simulation import TriedNeuron
from .neurons import MOST_VALUES, fired, traced
from .windows import Given, Spikes

__all__ = ["Layer", "given_by_layer", "read_out"]

_Found = tuple[tuple[ChannelClaim, ...], tuple[Fact, ...], int]
_Giving = tuple[tuple[ChannelClaim, ...], tuple[Fact, ...], int, Given | None, Mapping[str, int]]


@dataclass(frozen=True, eq=False)
class Layer:
    """A layer whose populations, window and synapses are known.

    Parameters
    ----------
    cell : its adder graph. weights : int64 [neurons, channels] of all that comes. constant : int64 [neurons], z if all
    are silent. element : of a channel at the adder graph's input. synapses : the proof of that. tried : neurons whose
    potentials are known, for a simulation of them.
    """

    network: Network
    core: Core
    stage: Stage
    cell: Cell
    window: Window
    sources: list[Coming]
    weights: Int64
    constant: Int64
    element: Element
    synapses: Proof
    tried: dict[int, TriedNeuron] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Neurons, or outputs."""
        return len(self.constant)

    @property
    def added(self) -> Int64:
        """What the adder graph adds to each current, so that none is negative; none of `stbif`: int64 [neurons]."""
        if self.stage.neurons is not None and self.stage.neurons.encoding in ("stbif", "graded"):
            return np.zeros(self.size, np.int64)
        least = np.maximum(self.weights, 0) * self.element.low + np.minimum(self.weights, 0) * self.element.high
        return np.asarray(-least.sum(axis=1))

    def current(self, neuron: int) -> tuple[Bits, bool]:
        """(the bits of a neuron's current, whether they have a sign)."""
        out = self.cell.ports["out_data"]
        width = len(out) // self.size
        reach = self.synapses.network.ranges[self.synapses.network.nodes[-1].name]
        return out[neuron * width : (neuron + 1) * width], int(reach.low.min()) < 0

    def ends(self, neuron: int) -> tuple[int, int]:
        """Smallest and largest z when a window has come in."""
        reach = self.network.ranges[self.stage.node]
        return int(reach.low[neuron]), int(reach.high[neuron])

    def comes(self, neuron: int, charge: tuple[int, ...]) -> None:
        """That currents, so weighed, make z: what each population gives stands for its integers. CheckFailed."""
        first = 0
        for each in self.sources:
            population = each.population
            tail = charge[len(charge) - population.slots :]
            own = self.weights[neuron, first : first + population.size]
            first += population.size
            for channel, value in population.wrong(tail).items():
                if own[channel]:
                    raise CheckFailed(
                        f"{population.name}[{channel}]", f"gives spikes that stand for something else (z = {value})"
                    )

    def mark(self, cell: Cell, port: str, clock: int) -> None:
        """That a port is 1 so many clocks behind a frame, and else 0."""
        if self.core.mark(cell, port) != clock:
            raise CheckFailed(
                f"instance {cell.name}",
                f"has its {port} {self.core.mark(cell, port)} clocks behind a frame, not {clock}",
            )


def _proved(layer: Layer, neuron: int) -> None:
    """That the neuron's current, or spike, is proved."""
    name = layer.synapses.network.nodes[-1].name
    for place, evidence in layer.synapses.evidence.items():
        for claim in evidence.claims:
            own = claim.channel == neuron or place not in (name, "out_data", layer.stage.name)
            if claim.status != PROVED and own:
                raise CheckFailed("its synapses", f"are {claim.status}")


def _each(layer: Layer, look: Callable[[int], None]) -> tuple[ChannelClaim, ...]:
    """A claim for each neuron."""
    claims = []
    for neuron in range(layer.size):
        try:
            _proved(layer, neuron)
            look(neuron)
            claims.append(ChannelClaim(PROVED))
        except WrongNeuron as error:
            claims.append(ChannelClaim(OPEN, str(error), {"value": error.value}))
        except CheckFailed as error:
            claims.append(ChannelClaim(OPEN, str(error)))
    return tuple(claims)


def given_by_layer(
    layer: Layer,
) -> _Giving:
    """(claims, facts, potentials, what the neurons give if all is proved, first bit of each instance in that)."""
    neurons = layer.stage.neurons
    if neurons is None:
        raise CheckFailed(layer.stage.name, "has no neurons")
    if neurons.encoding == "graded":
        return _graded(layer, neurons)
    if neurons.encoding == "stbif":
        return _tracing(layer, neurons)
    return _slotted(layer, neurons)


def _graded(layer: Layer, neurons: Neurons) -> _Giving:
    """Neurons whose thresholds the adder graph counts itself: what it gives are their levels."""
    if layer.window.slots != 1:
        raise CheckFailed(layer.stage.name, "counts thresholds of one slot of several")
    claims = _each(layer, lambda neuron: layer.comes(neuron, (1,)))
    bits, signed = layer.current(0)
    given = None
    if all(claim.status == PROVED for claim in claims):
        given = Given(layer.stage.name, layer.size, neurons.base, 1, len(bits), signed, layer.window.last, False)
    return claims, (), 0, given, {layer.cell.name: 0}


def _slotted(layer: Layer, neurons: Neurons) -> _Giving:
    """Neurons that take in a window and then fire, slot by slot."""
    core, name = layer.core, layer.stage.name
    slots = neurons.levels.bit_length() if neurons.encoding == "sar" else neurons.levels
    cells = [core.take(f"{name}_{neuron}", "edgeml_slot_neuron") for neuron in range(layer.size)]
    fact, running = running_from(core, f"{name}_slots", cells[0].ports["running"], cells[0].ports["slot"], slots)
    found: list[Spikes | None] = [None] * layer.size
    facts: dict[str, Fact] = {fact.key: fact}
    looked: list[int] = []

    def look(neuron: int) -> None:
        cell = cells[neuron]
        if (cell.ports["running"], cell.ports["slot"]) != (cells[0].ports["running"], cells[0].ports["slot"]):
            raise CheckFailed(f"instance {cell.name}", "goes by another counter")
        inside = core.inside(cell)
        charge = charge_of(inside, layer.window.slots, "charge.")
        z, held = _charged(layer, neuron, cell, charge)
        if running != layer.window.last + charge.late:
            raise CheckFailed(
                f"instance {cell.name}",
                f"fires from clock {running} on, and is charged in {layer.window.last + charge.late}",
            )
        level = np.searchsorted(neurons.thresholds[neuron], z, "right").astype(np.int64)
        standing = _standing(neurons.encoding, slots)
        layer.tried[neuron] = TriedNeuron(cell.kind, cell.parameters, z, held, level, standing)
        spikes = Spikes(z, level, fired(inside, held, slots))
        wrong = spikes.wrong(standing)
        if wrong is not None:
            raise WrongNeuron(neuron, wrong, "its spikes do not stand for its level")
        found[neuron] = spikes
        looked.append(len(z))
        fires = Fact(cell.kind, dict(cell.parameters), "fires", {"slots": slots, "window": layer.window.slots})
        facts[fires.key] = fires

    claims = _each(layer, look)
    channels = [each for each in found if each is not None]
    given = None
    if len(channels) == layer.size and all(claim.status == PROVED for claim in claims):
        given = Given(name, layer.size, neurons.base, slots, 1, False, running + 1, True, channels)
    return claims, tuple(facts.values()), sum(looked), given, {cell.name: neuron for neuron, cell in enumerate(cells)}


def _standing(encoding: str, slots: int) -> tuple[int, ...]:
    """What a spike stands for, by slot, as an encoding says it."""
    if encoding == "sar":
        return tuple(1 << slots - 1 - slot for slot in range(slots))
    return tuple(slots - slot if encoding == "ttfs" else 1 for slot in range(slots))


def _charged(layer: Layer, neuron: int, cell: Cell, charge: Charge) -> tuple[Int64, Int64]:
    """(all z of a neuron, what its potential is for each), if its window comes as its unit needs it."""
    layer.mark(cell, "first", layer.window.first)
    layer.mark(cell, "last", layer.window.last)
    if not extended(cell.ports["current"], *layer.current(neuron)):
        raise CheckFailed(f"instance {cell.name}", "takes another current")
    layer.comes(neuron, charge.weights)
    low, high = layer.ends(neuron)
    if high - low >= MOST_VALUES:
        raise CheckFailed("potentials", f"are {high - low + 1}, {MOST_VALUES} at most")
    z = np.arange(low, high + 1)
    shift = current_shift(charge.start, charge.weights, int(layer.added[neuron]), int(layer.constant[neuron]))
    return z, (z + shift) % (1 << charge.bits)


def _tracing(layer: Layer, neurons: Neurons) -> _Giving:
    """Neurons that correct themselves while currents come, and for `levels` clocks behind the last."""
    core, name = layer.core, layer.stage.name
    slots = layer.window.slots + neurons.levels - 1
    cells = [core.take(f"{name}_{neuron}", "edgeml_tracer_neuron") for neuron in range(layer.size)]
    fact, running = running_from(core, f"{name}_slots", cells[0].ports["running"], None, slots)
    if running != layer.window.first + 1:
        raise CheckFailed(f"instance {name}_slots", "does not run from the clock behind the first slot on")
    found: list[Spikes | None] = [None] * layer.size
    facts: dict[str, Fact] = {fact.key: fact}
    looked: list[int] = []

    def look(neuron: int) -> None:
        cell = cells[neuron]
        if cell.ports["running"] != cells[0].ports["running"]:
            raise CheckFailed(f"instance {cell.name}", "goes by another counter")
        layer.mark(cell, "first", layer.window.first)
        if not extended(cell.ports["current"], *layer.current(neuron)):
            raise CheckFailed(f"instance {cell.name}", "takes another current")
        layer.comes(neuron, (1,) * layer.window.slots)
        inside = core.inside(cell)
        shift = int(cell.parameters["START"]) - int(layer.constant[neuron])
        z = np.arange(layer.ends(neuron)[0], layer.ends(neuron)[1] + 1)
        if len(z) < MOST_VALUES:
            reached = np.searchsorted(neurons.thresholds[neuron], z, "right").astype(np.int64)
            current = (z - int(layer.constant[neuron])) % (1 << int(cell.parameters["BITS"]))
            layer.tried[neuron] = TriedNeuron(cell.kind, cell.parameters, z, current, reached, (1,) * slots)
        try:
            level = traced(inside, shift, neurons.levels, layer.ends(neuron), neurons.thresholds[neuron])
        except WrongNeuron as error:
            raise WrongNeuron(neuron, error.value, error.problem) from error
        low, high = layer.ends(neuron)
        found[neuron] = Spikes(np.arange(low, high + 1), level, None)
        looked.append(high - low + 1)
        traces = Fact(cell.kind, dict(cell.parameters), "traces", {"levels": neurons.levels})
        facts[traces.key] = traces

    claims = _each(layer, look)
    channels = [each for each in found if each is not None]
    given = None
    if len(channels) == layer.size and all(claim.status == PROVED for claim in claims):
        given = Given(name, layer.size, neurons.base, slots, 2, True, running + 1, True, channels)
    return (
        claims,
        tuple(facts.values()),
        sum(looked),
        given,
        {cell.name: 2 * neuron for neuron, cell in enumerate(cells)},
    )


def read_out(layer: Layer) -> _Found:
    """(claims, facts, potentials looked at) of the outputs: what is pushed is z, in as many bits as an output has."""
    core, name = layer.core, layer.stage.name
    facts: dict[str, Fact] = {}
    looked: list[int] = []
    pushed = core.results.ports["push_data"]
    width = len(pushed) // layer.size
    least = -(1 << width - 1) if min(layer.ends(neuron)[0] for neuron in range(layer.size)) < 0 else 0

    def look(neuron: int) -> None:
        cell = core.take(f"{name}_{neuron}", "edgeml_slot_potential")
        charge = charge_of(core.inside(cell), layer.window.slots)
        z, held = _charged(layer, neuron, cell, charge)
        if width * layer.size != len(pushed) or z[0] < least or z[-1] >= least + (1 << width):
            raise CheckFailed("out_data", "has no place for all outputs")
        layer.mark(core.results, "push", layer.window.last + charge.late)
        potential = cell.ports["potential"]
        given = dict(zip(potential, rows_of(held, len(potential)), strict=True))
        now = Evaluation(core.netlist, len(z), given)
        try:
            compare(now, f"output {neuron}", pushed[neuron * width : (neuron + 1) * width], z % (1 << width))
        except Difference as error:
            raise WrongNeuron(neuron, int(z[error.row]), error.problem) from error
        looked.append(len(z))
        sums = Fact(cell.kind, dict(cell.parameters), "sums", {"window": layer.window.slots})
        facts[sums.key] = sums

    return _each(layer, look), tuple(facts.values()), sum(looked)
