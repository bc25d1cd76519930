"""A spiking network unrolled: every population's window of slots, in clocks counted from the one that takes a frame.

Layers follow each other by slots: what a population gives in a slot has come to the next one's potentials a fixed
number of clocks later. Windows that reach a layer from several populations end together: what comes earlier waits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError, NetworkError
from edgeml.network import Network
from edgeml.network.layers.input_spikes import InputSpikes
from edgeml.network.layers.neurons import Neurons
from edgeml.network.spiking.currents import Wiring, wiring

from ...verilog.text import Element, type_of
from ..unrolled.build import Logic
from ..unrolled.emit import pipeline_latency
from .currents import slot_logic

__all__ = ["Population", "Reached", "UnrolledLayer", "UnrolledSpikes", "make_unrolled_spikes"]

Int64 = npt.NDArray[np.int64]

SUMMED, DOUBLED, FLOWING = 0, 1, 2
"""How potentials take in a window: RULE of `edgeml_slot_potential`."""


@dataclass(frozen=True)
class Population:
    """What gives spikes or values.

    Parameters
    ----------
    name : of its node. signal : name of the bus. channels : how many. element : type of one channel in one slot.
    encoding : of its spikes; `values` where the integers themselves are given, in one slot.
    begin : clock of its first slot. slots : length of its window. base : what silence stands for.
    levels : largest number that a channel's spikes stand for.
    """

    name: str
    signal: str
    channels: int
    element: Element
    encoding: str
    begin: int
    slots: int
    base: int
    levels: int

    @property
    def end(self) -> int:
        """Clock of its last slot."""
        return self.begin + self.slots - 1

    @property
    def total(self) -> tuple[int, int]:
        """Smallest and largest sum of a channel's spikes, in any number of slots."""
        if self.encoding == "values":
            return min(self.element.low, 0), max(self.element.high, 0)
        return 0, self.levels


@dataclass(frozen=True)
class Reached:
    """A population as it reaches a layer: `delay` clocks after it was given."""

    population: Population
    delay: int


@dataclass(frozen=True, eq=False)
class UnrolledLayer:
    """Synapses, and the neurons or the readout behind them.

    Parameters
    ----------
    name : of its node. sources : what reaches it. element : type of a channel of its synapses' input.
    logic : adder graphs of one slot. latency : clocks in them. rule : how potentials take in currents.
    window : slots that come in. first : clock in which the current of the first has passed the adder graphs.
    bits, starts : int64 [neurons] of the potentials, which are held above their smallest value.
    thresholds : int64 [neurons, levels] of the same potentials; None for a readout, and for `graded` neurons, whose
        logic has them already.
    lows, spans : int64 [neurons], the potential that 0 stands for, and how far above it potentials reach.
    neurons : the layer of neurons; None for a readout.
    """

    name: str
    sources: tuple[Reached, ...]
    element: Element
    logic: Logic
    latency: int
    rule: int
    window: int
    first: int
    bits: Int64
    starts: Int64
    lows: Int64
    spans: Int64
    thresholds: Int64 | None
    neurons: Neurons | None
    gives: Population | None

    @property
    def last(self) -> int:
        """Clock in which the current of the last slot has passed the adder graphs."""
        return self.first + self.window - 1

    @property
    def charged(self) -> int:
        """Clock from which the potential of the whole window can be read."""
        return self.last + (2 if self.rule == FLOWING and self.window > 1 else 1)

    @property
    def size(self) -> int:
        return len(self.logic.outputs)


@dataclass(frozen=True, eq=False)
class UnrolledSpikes:
    """The whole: its input, its layers in order (the readout last), and its clocks.

    Parameters
    ----------
    latency : clocks from taking a frame to its result at the buffer behind. interval : between frames.
    """

    network: Network
    register_every: int
    source: InputSpikes
    inputs: Population
    layers: tuple[UnrolledLayer, ...]

    @property
    def input_element(self) -> Element:
        return type_of(self.network.quantizer.low, self.network.quantizer.high)

    @property
    def output_element(self) -> Element:
        low, high = self.network.ranges[self.network.nodes[-1].name].bounds
        return type_of(low, high)

    @property
    def latency(self) -> int:
        return self.layers[-1].charged

    @property
    def interval(self) -> int:
        windows = [layer.window for layer in self.layers]
        given = [layer.gives.slots for layer in self.layers if layer.gives is not None]
        return max([self.inputs.slots, *windows, *given])


def make_unrolled_spikes(network: Network, register_every: int, adder_graph: str = "edgeml") -> UnrolledSpikes:
    """Unroll a spiking network with so many levels of logic between registers; adder_graph as in `network_logic`.

    Raises InputError naming the layer where kinds of layers or mixed encodings have no unrolled form.
    """
    try:
        wires = wiring(network)
    except NetworkError as error:
        raise InputError(error.where, error.problem, error.remedy) from error
    populations: dict[str, Population] = {}
    layers: list[UnrolledLayer] = []
    entry: InputSpikes | None = None
    how = (register_every, adder_graph)
    for node in network.layers:
        if isinstance(node.layer, InputSpikes):
            if entry is not None:
                raise InputError(f"network {network.name}", "has several input populations; one is supported")
            entry = node.layer
            populations[node.name] = _inputs(network, node.name, entry)
        elif isinstance(node.layer, Neurons):
            into = node.inputs[0]
            bounds = network.ranges[into]
            layer = _layer(node.name, node.layer, wires[into], (bounds.low, bounds.high), populations, how)
            assert layer.gives is not None
            populations[node.name] = layer.gives
            layers.append(layer)
    last = network.nodes[-1]
    name = f"{last.name}_readout" if isinstance(last.layer, Neurons) else last.name
    bounds = network.ranges[last.name]
    layers.append(_layer(name, None, wires[last.name], (bounds.low, bounds.high), populations, how))
    if entry is None:
        raise InputError(f"network {network.name}", "has no input population")
    inputs = next(iter(populations.values()))
    return UnrolledSpikes(network, register_every, entry, inputs, tuple(layers))


def _inputs(network: Network, name: str, layer: InputSpikes) -> Population:
    if layer.encoding in ("direct", "graded"):
        element = type_of(network.quantizer.low, network.quantizer.high)
        return Population(name, "in_data", layer.size, element, "values", 0, 1, 0, layer.levels)
    slots = layer.levels.bit_length() if layer.encoding == "sar" else layer.levels
    one = Element(1, False)
    return Population(name, "input_spikes", layer.size, one, layer.encoding, 2, slots, layer.low, layer.levels)


def _rule(name: str, reached: tuple[Reached, ...], tracing: bool) -> int:
    """How potentials take in what several populations give; InputError where they would need different ways."""
    wanted = {each.population.encoding for each in reached if each.population.slots > 1}
    rules = {{"sar": DOUBLED, "ttfs": FLOWING}.get(encoding, SUMMED) for encoding in wanted} or {SUMMED}
    if len(rules) > 1 or (tracing and rules != {SUMMED}):
        raise InputError(
            f"layer {name}",
            f"takes spikes of {', '.join(sorted(wanted))}" + (" as stbif neurons" if tracing else " together")
            + ", which no unrolled neuron does",
            "Use one encoding (--encoding), or --architecture folded",
        )  # fmt: skip
    return rules.pop()


def _synapses(wires: Wiring, populations: Mapping[str, Population]) -> tuple[dict[str, Int64], Int64]:
    """Synapses [neurons, channels] from each population, and what reaches the neurons where all are silent."""
    weights: dict[str, Int64] = {}
    constant = wires.constant.astype(np.int64)
    for source in wires.sources:
        population = populations[source.population]
        weight = np.eye(population.channels, dtype=np.int64) if source.weight is None else source.weight
        constant = constant + population.base * weight.sum(axis=1)
        weights[population.name] = weights.get(population.name, 0) + weight
    return weights, constant


def _layer(
    name: str,
    neurons: Neurons | None,
    wires: Wiring,
    bounds: tuple[Int64, Int64],
    populations: Mapping[str, Population],
    how: tuple[int, str],
) -> UnrolledLayer:
    """A layer; how : levels of logic between registers, and who shares sums."""
    weights, constant = _synapses(wires, populations)
    sources = [populations[population] for population in weights]
    end = max(population.end for population in sources)
    reached = tuple(Reached(population, end - population.end) for population in sources)
    encoding = "" if neurons is None else neurons.encoding
    tracing, graded = encoding == "stbif", encoding == "graded"
    rule = _rule(name, reached, tracing)
    window = max(population.slots for population in sources)
    if graded and window > 1:
        raise InputError(
            f"layer {name}",
            "has graded neurons behind spikes of many slots, which have no unrolled form",
            "Use one encoding (--encoding), or --architecture folded",
        )
    signed = any(population.element.signed for population in sources)
    width = max(p.element.bits + (signed and not p.element.signed) for p in sources)
    element = Element(width, signed)
    weight = np.concatenate(list(weights.values()), axis=1)
    inside = None
    if neurons is not None and graded:
        inside = np.clip(neurons.thresholds - constant[:, None], -(2**31), 2**31 - 1).astype(np.int32)
    every, graph = how
    raised = not (tracing or graded)
    logic, added = slot_logic(name, weight, element, raised=raised, thresholds=inside, adder_graph=graph)
    latency = pipeline_latency(logic, every)
    first = end - window + 1 + latency
    if tracing:
        low, high = constant.copy(), constant.copy()
        for population in sources:
            least, most = population.total
            rows = weights[population.name]
            low += np.minimum(rows * least, rows * most).sum(axis=1)
            high += np.maximum(rows * least, rows * most).sum(axis=1)
    else:
        low, high = bounds[0].astype(np.int64), bounds[1].astype(np.int64)
    weighing = {SUMMED: window, DOUBLED: 2**window - 1, FLOWING: window * (window + 1) // 2}[rule]
    bits = np.array([max(int(span + 1).bit_length(), 1) for span in high - low], np.int64)
    starts = (constant - weighing * added - low) % (1 << bits)
    held = None
    if neurons is not None and not graded:
        held = np.clip(neurons.thresholds.astype(np.int64) - low[:, None], 0, (high - low + 1)[:, None])
    layer = UnrolledLayer(
        name, reached, element, logic, latency, rule, window, first, bits, starts, low, high - low, held, neurons, None
    )
    return layer if neurons is None else _giving(layer, neurons)


def _giving(layer: UnrolledLayer, neurons: Neurons) -> UnrolledLayer:
    """The layer with the population that its neurons are."""
    levels, encoding, element = neurons.levels, neurons.encoding, Element(1, False)
    begin, slots = layer.charged + 1, levels
    if encoding == "graded":
        # The adder graph gives the number of thresholds reached; it may hold fewer bits than `levels` needs.
        element, encoding, begin, slots = layer.logic.output_element, "values", layer.first, 1
    elif encoding == "sar":
        slots = levels.bit_length()
    elif encoding == "stbif":
        # After the last input a count has `levels` steps to go at most, the first of them in that same slot.
        element, begin, slots = Element(2, True), layer.first + 2, layer.window + levels - 1
    signal = f"{layer.name}_spikes"
    given = Population(layer.name, signal, layer.size, element, encoding, begin, slots, neurons.base, levels)
    values = {name: getattr(layer, name) for name in layer.__dataclass_fields__}
    return UnrolledLayer(**{**values, "gives": given})
