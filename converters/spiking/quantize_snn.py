"""A float spiking network in declared integer arithmetic: decays, thresholds and weights of given bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError, NetworkError
from edgeml.frontends.snn import READOUTS, Snn, SnnLayer
from edgeml.network import Add, InputQuantizer, Network, Node, Output, ValueRange
from edgeml.network.layers.leaky_neurons import LeakyNeurons
from edgeml.network.layers.spike_encoder import SpikeEncoder
from edgeml.network.layers.spike_readout import SpikeReadout
from edgeml.network.spiking.models.neuron_model import NeuronModel
from edgeml.network.spiking.models.snntorch import snntorch_leaky, snntorch_synaptic
from edgeml.network.spiking.ranges import arriving_range, state_ranges

from .chip_models import CHIP_MODELS, WEIGHT_BITS

__all__ = ["Bits", "encoder_input", "quantize_snn", "weight_step"]

Floats = npt.NDArray[np.float64]
_MOST_FRACTION = 16


@dataclass(frozen=True)
class Bits:
    """Widths: of weights (2 … 8), of decays β = k/2^decay (1 … 16), and of thresholds (2 … 31, significant bits)."""

    weight: int = 8
    decay: int = 12
    threshold: int = 31


def weight_step(layer: SnnLayer, bits: int) -> float:
    """The real value of one integer unit of a layer's weights, recurrent ones included."""
    largest = float(np.abs(layer.weight).max())
    if layer.recurrent is not None:
        largest = max(largest, float(np.abs(layer.recurrent).max()))
    return float(max(largest, float(np.finfo(np.float32).tiny)) / (2 ** (bits - 1) - 1))


def encoder_input(
    snn: Snn, x: Floats, encoder: str, steps: int, input_bits: int, seed: int, change: int
) -> tuple[InputQuantizer, SpikeEncoder | None, float]:
    """The input quantizer, the encoder (None for events over time), and the real value of one event unit."""
    low, high = float(x.min()), float(x.max())
    if encoder == "events":
        counts = bool(np.all(x == np.rint(x))) and low >= 0 and high <= 255
        if counts:
            return (
                InputQuantizer(x.shape[1], np.ones(1), np.zeros(1), 0, max(1, int(high).bit_length()), False),
                None,
                1.0,
            )
    signed = low < 0 and encoder in ("events", "direct", "delta")
    if signed and input_bits < 2:
        raise InputError("option input_bits", "signed inputs need at least 2 bits")
    # A spike's number counts from the lowest value; a current is the value itself.
    offset = min(low, 0.0) if encoder in ("unary", "ttfs", "rate") else 0.0
    most = 2 ** (input_bits - 1) - 1 if signed else 2**input_bits - 1
    scale = max(high - offset, -low if signed else 0.0, float(np.finfo(np.float32).tiny)) / most
    quantizer = InputQuantizer(x.shape[1], np.array([scale]), np.array([offset]), 0, input_bits, signed)
    if encoder == "events":
        return quantizer, None, scale
    spikes = SpikeEncoder(
        encoder,
        snn.input_size,
        steps,
        quantizer.low,
        quantizer.high,
        seed if encoder == "rate" else 0,
        change if encoder == "delta" else 0,
    )
    return quantizer, spikes, scale if encoder in ("direct", "delta") else 1.0


def _model(layer: SnnLayer, fraction: int, decay_bits: int, fires: bool) -> NeuronModel:
    if layer.alpha is not None:
        return snntorch_synaptic(
            decay_bits=decay_bits, fraction_bits=fraction, reset=layer.reset, reset_delay=layer.reset_delay, fires=fires
        )
    return snntorch_leaky(
        decay_bits=decay_bits,
        fraction_bits=fraction,
        reset=layer.reset,
        reset_delay=layer.reset_delay,
        recurrent=layer.drops_input,
        fires=fires,
    )


def _significant(values: Floats, bits: int) -> npt.NDArray[Any]:
    """Rounded to integers of at most `bits` significant bits, at least 0."""
    result = np.clip(np.rint(values), 0, 2.0**40)
    drop = np.maximum(np.floor(np.log2(np.maximum(result, 1))) + 1 - bits, 0)
    integers: npt.NDArray[Any] = (np.rint(result / 2**drop) * 2**drop).astype(np.int64)
    return integers


def _layer(layer: SnnLayer, unit: float, fraction: int, steps: int, bits: Bits, fires: bool) -> LeakyNeurons:
    step = weight_step(layer, bits.weight)
    most = 2 ** (bits.weight - 1)
    state = step * unit / 2**fraction  # the real value of one unit of a state
    neurons = len(layer.bias)

    def integers(weight: Floats) -> npt.NDArray[Any]:
        return np.clip(np.rint(weight / step), -most, most - 1).astype(np.int64)

    def decays(values: Floats) -> npt.NDArray[Any]:
        return np.rint(values * float(1 << bits.decay)).astype(np.int64)

    recurrent: npt.NDArray[Any] | None = None
    if layer.recurrent is not None:
        recurrent = (
            integers(layer.recurrent) if unit == 1 else np.rint(layer.recurrent / (step * unit)).astype(np.int64)
        )
        if np.abs(recurrent).max() > most - 1:
            raise InputError(
                f"layer {layer.name}",
                "its recurrent weights and its graded input have no common scale in so few bits",
                "Feed it spikes: use an input encoder such as rate, unary or ttfs",
            )
    delays: npt.NDArray[Any] | None = layer.delays
    bias: npt.NDArray[Any] = np.clip(np.rint(layer.bias / state), -(2.0**40), 2.0**40).astype(np.int64)
    return LeakyNeurons(
        _model(layer, fraction, bits.decay, fires),
        steps,
        integers(layer.weight),
        bits.weight,
        _significant(layer.threshold / state, bits.threshold),
        decays(np.zeros(neurons) if layer.alpha is None else layer.alpha),
        decays(layer.beta),
        bias,
        decays(np.zeros(neurons)),
        recurrent,
        delays,
    )


def _leaves_room(layer: LeakyNeurons, x: ValueRange) -> bool:
    """Whether states and what arrives stay below 2^29: their sums on the way then fit 32 bits in C."""
    current, membrane = state_ranges(layer, x)
    ends = [*current.bounds, *membrane.bounds, *(int(end) for array in arriving_range(layer, x) for end in array)]
    return max(abs(end) for end in ends) < 2**29


def _added(nodes: list[Node], name: str, sources: list[tuple[str, ValueRange, float]]) -> tuple[str, ValueRange, float]:
    """Name, range and unit of what sources (name, range, unit) come to together; sums become nodes."""
    taken, value_range, unit = sources[0]
    for number, (other, more, _) in enumerate(sources[1:]):
        joined = name if not number else f"{name}_{number}"
        nodes.append(Node(joined, Add(), (taken, other)))
        taken, value_range = joined, Add().output_range(value_range, more)
    return taken, value_range, unit


def quantize_snn(
    snn: Snn,
    quantizer: InputQuantizer,
    encoder: SpikeEncoder | None,
    unit: float,
    steps: int,
    bits: Bits,
    readout: str = "count",
    model: str = "snntorch",
) -> Network:
    """The integer network; each layer has as many fraction bits (at most 16) as its derived range leaves in 32.

    unit : the real value of one unit of the input events.
    readout : count (spikes), last-membrane or largest-membrane of the last layer.
    model : snntorch, or a chip's (chip_models), whose weights have 8 bits and whose last layer is counted.
    """
    if model != "snntorch" and model not in CHIP_MODELS:
        raise InputError("option model", f"{model!r} is not one of snntorch, {', '.join(CHIP_MODELS)}")
    if model != "snntorch" and (readout != "count" or bits.weight != WEIGHT_BITS):
        raise InputError("option model", f"{model} has {WEIGHT_BITS}-bit weights and its spikes are counted")
    if readout not in READOUTS:
        raise InputError("option readout", f"{readout!r} is not one of {', '.join(READOUTS)}")
    nodes = [Node("input", quantizer)]
    value_range = quantizer.output_range()
    if encoder is not None:
        nodes.append(Node("input_events", encoder, ("input",)))
        value_range = encoder.output_range(value_range)
    state, ranges = 1.0, {-1: (nodes[-1].name, value_range, unit)}
    for k, layer in enumerate(snn.layers):
        fires = k < len(snn.layers) - 1 or readout == "count"
        taken, value_range, unit = _added(nodes, f"sum{k}", [ranges[source] for source in snn.sources[k]])
        if model != "snntorch":
            if snn.sources[k] != (k - 1,):
                raise InputError(f"layer {layer.name}", f"{model} has no sums of layers", "Use --option model=snntorch")
            step = weight_step(layer, bits.weight)
            neurons = CHIP_MODELS[model](layer, step, unit, steps, k == 0, k == len(snn.layers) - 1)
            nodes.append(Node(f"neurons{k}", neurons, (taken,), f"layer {layer.name}"))
            ranges[k] = (f"neurons{k}", value_range, 1.0)
            continue
        problem: Exception | None = None
        for fraction in range(_MOST_FRACTION, -1, -1):
            try:
                neurons = _layer(layer, unit, fraction, steps, bits, fires)
                output = neurons.output_range(value_range)
                if not _leaves_room(neurons, value_range) and fraction:
                    continue
                break
            except NetworkError as error:
                problem = error
        else:
            raise InputError(f"layer {layer.name}", f"does not fit 32 bits: {problem}") from problem
        state = weight_step(layer, bits.weight) * unit / 2**fraction
        nodes.append(Node(f"neurons{k}", neurons, (taken,), f"layer {layer.name}"))
        ranges[k] = (f"neurons{k}", output, 1.0)
    reading = {"count": "sum", "last-membrane": "last", "largest-membrane": "maximum"}[readout]
    nodes.append(Node("output", SpikeReadout(steps, snn.output_size, reading), (nodes[-1].name,)))
    scale = 1 / steps if readout == "count" else state
    return Network(snn.name, tuple(nodes), Output(np.array([scale]), 0, snn.labels, snn.task))
