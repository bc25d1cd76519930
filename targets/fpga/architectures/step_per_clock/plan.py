"""A spiking network unrolled: every population's window of slots, in clocks counted from the one that takes a frame.

Layers follow each other by slots: what a population gives in a slot has come to the next one's potentials a fixed
number of clocks later. Windows that reach a layer from several populations end together: what comes earlier waits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from edgeml.network import Network
from edgeml.network.layers.input_spikes import InputSpikes
from edgeml.network.layers.neurons import Neurons

from ...verilog.element import Element, type_of
from ..spiking_networks import SpikingNetwork, Stage, spiking_network
from ..unrolled.network_logic import Logic
from ..unrolled.pipelining import Pipelining, placed_registers
from ..unrolled.stages import Stages
from .currents import slot_logic, synapse_bits
from .population import (
    DOUBLED,
    FLOWING,
    SUMMED,
    VALUES,
    Population,
    Reached,
    Spikes,
    Window,
    placed,
    spikes_of_input,
    spikes_of_neurons,
    window_of,
)

__all__ = ["StepPerClockLayer", "StepPerClockPlan", "check_encodings", "make_step_per_clock_plan"]

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class StepPerClockLayer:
    """Synapses, and the neurons or the readout behind them.

    Parameters
    ----------
    name : of its node. sources : what reaches it. element : type of a channel of its synapses' input.
    logic : adder graphs of one slot. stages : where their registers stand. part : of all
        synapses that are its own. rule : how potentials take in currents.
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
    stages: Stages
    part: float
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
    def latency(self) -> int:
        """Clocks in the adder graphs."""
        return self.stages.count

    @property
    def last(self) -> int:
        """Clock in which the current of the last slot has passed the adder graphs."""
        return self.first + self.window - 1

    @property
    def charged(self) -> int:
        """Clock from which the potential of the whole window can be read."""
        return self.last + (2 if self.rule == FLOWING and self.window > 1 else 1)

    @property
    def latency_clocks(self) -> int:
        """Clocks from its first slot to the first that it gives, or to the values of a readout."""
        given = self.charged if self.gives is None else self.gives.begin
        return given - (self.first - self.latency)

    @property
    def size(self) -> int:
        return len(self.logic.outputs)


@dataclass(frozen=True, eq=False)
class StepPerClockPlan:
    """The whole: its input, its layers in order (the readout last), and its clocks.

    Parameters
    ----------
    latency : clocks from taking a frame to its result at the buffer behind. interval : between frames.
    """

    network: Network
    source: InputSpikes
    inputs: Population
    layers: tuple[StepPerClockLayer, ...]

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

    @property
    def rest_after_reset(self) -> int:
        """Clocks behind a reset until a frame may come, fewer than an interval.

        Delays are not reset. Spikes of before that wait in one for a longer window are out of it when that begins.
        """
        waiting = [
            layer.window - reached.population.end - 1
            for layer in self.layers
            for reached in layer.sources
            if reached.population.encoding != VALUES and reached.population.slots < layer.window
        ]
        return max([0, *waiting])


def check_encodings(spikes: SpikingNetwork) -> None:
    """Raise InputError naming the layer whose encodings or synapses have no unrolled form."""
    given: dict[str, Spikes] = {spikes.entry_name: spikes_of_input(spikes.entry_name, spikes.entry)}
    for stage in spikes.stages:
        weights, _ = _synapses(stage, given)
        window = window_of(stage.name, [given[source] for source in weights], stage.neurons)
        synapse_bits(stage.name, np.concatenate(list(weights.values()), axis=1))
        if stage.neurons is not None:
            given[stage.name] = spikes_of_neurons(stage.name, stage.neurons, window.slots)


def make_step_per_clock_plan(network: Network, choices: Pipelining) -> StepPerClockPlan:
    """Unroll a spiking network.

    Raises InputError naming the layer if its kind, or mixed encodings, have no unrolled form.
    """
    spikes = spiking_network(network)
    inputs = _inputs(network, spikes_of_input(spikes.entry_name, spikes.entry))
    populations: dict[str, Population] = {inputs.name: inputs}
    layers: list[StepPerClockLayer] = []
    whole = sum(_count(stage) for stage in spikes.stages)
    for stage in spikes.stages:
        layer = _layer(network, stage, populations, choices, whole)
        if layer.gives is not None:
            populations[stage.name] = layer.gives
        layers.append(layer)
    return StepPerClockPlan(network, spikes.entry, inputs, tuple(layers))


def _inputs(network: Network, spikes: Spikes) -> Population:
    """The input population: its integers as they come, or spikes from the second clock on."""
    if spikes.encoding == VALUES:
        return placed(spikes, "in_data", type_of(network.quantizer.low, network.quantizer.high), 0)
    return placed(spikes, "input_spikes", Element(1, False), 2)


def _synapses(stage: Stage, given: Mapping[str, Spikes]) -> tuple[dict[str, Int64], Int64]:
    """Synapses [neurons, channels] from each population, and what reaches the neurons if all are silent."""
    weights: dict[str, Int64] = {}
    constant = stage.wiring.constant.astype(np.int64)
    for source in stage.wiring.sources:
        before = given[source.population]
        weight = np.eye(before.channels, dtype=np.int64) if source.weight is None else source.weight
        constant = constant + before.base * weight.sum(axis=1)
        weights[before.name] = weights.get(before.name, 0) + weight
    return weights, constant


def _count(stage: Stage) -> int:
    """Synapses of a layer, one at least."""
    return 1 + sum(source.weight.size for source in stage.wiring.sources if source.weight is not None)


def _element(sources: Sequence[Population]) -> Element:
    """The type that holds a channel of every source."""
    signed = any(population.element.signed for population in sources)
    return Element(max(p.element.bits + (signed and not p.element.signed) for p in sources), signed)


def _layer(
    network: Network, stage: Stage, populations: Mapping[str, Population], choices: Pipelining, whole: int
) -> StepPerClockLayer:
    """A layer; `whole` are the synapses of all layers."""
    neurons, name = stage.neurons, stage.name
    weights, constant = _synapses(stage, populations)
    sources = [populations[population] for population in weights]
    end = max(population.end for population in sources)
    window = window_of(name, sources, neurons)
    encoding = "" if neurons is None else neurons.encoding
    tracing, graded = encoding == "stbif", encoding == "graded"
    inside = None
    if neurons is not None and graded:
        inside = np.clip(neurons.thresholds - constant[:, None], -(2**31), 2**31 - 1).astype(np.int32)
    element, weight = _element(sources), np.concatenate(list(weights.values()), axis=1)
    raised = not (tracing or graded)
    logic, added = slot_logic(name, weight, element, raised=raised, thresholds=inside, adder_graph=choices.adder_graph)
    part = _count(stage) / whole
    stages = placed_registers(logic, choices, part)
    if tracing:
        low, high = _traced_bounds(weights, constant, sources)
    else:
        bounds = network.ranges[stage.node]
        low, high = bounds.low.astype(np.int64), bounds.high.astype(np.int64)
    bits = np.array([max(int(span + 1).bit_length(), 1) for span in high - low], np.int64)
    held = None
    if neurons is not None and not graded:
        held = np.clip(neurons.thresholds.astype(np.int64) - low[:, None], 0, (high - low + 1)[:, None])
    layer = StepPerClockLayer(
        name,
        tuple(Reached(population, end - population.end) for population in sources),
        element,
        logic,
        stages,
        part,
        window.rule,
        window.slots,
        first=end - window.slots + 1 + stages.count,
        bits=bits,
        starts=(constant - _weighing(window) * added - low) % (1 << bits),
        lows=low,
        spans=high - low,
        thresholds=held,
        neurons=neurons,
        gives=None,
    )
    return layer if neurons is None else replace(layer, gives=_given(layer, neurons))


def _weighing(window: Window) -> int:
    """How many times what is added to the current of every slot is in the potential at the end of a window."""
    slots = window.slots
    return {SUMMED: slots, DOUBLED: (1 << slots) - 1, FLOWING: slots * (slots + 1) // 2}[window.rule]


def _traced_bounds(weights: Mapping[str, Int64], constant: Int64, sources: Sequence[Population]) -> tuple[Int64, Int64]:
    """Smallest and largest potential of each neuron at any time, in whatever order spikes come: [neurons] each."""
    low, high = constant.copy(), constant.copy()
    for population in sources:
        least, most = population.total
        rows = weights[population.name]
        low += np.minimum(rows * least, rows * most).sum(axis=1)
        high += np.maximum(rows * least, rows * most).sum(axis=1)
    return low, high


def _given(layer: StepPerClockLayer, neurons: Neurons) -> Population:
    """The population that a layer's neurons are."""
    spikes = spikes_of_neurons(layer.name, neurons, layer.window)
    element, begin = Element(1, False), layer.charged + 1
    if spikes.encoding == VALUES:
        # The adder graph gives the number of thresholds reached; it may hold fewer bits than `levels` needs.
        element, begin = layer.logic.output_element, layer.first
    elif spikes.encoding == "stbif":
        element, begin = Element(2, True), layer.first + 2
    return placed(spikes, f"{layer.name}_spikes", element, begin)
