"""Which way the inputs of a layer must go for its outputs to go a given way."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ..network import Add, Dense, Layer, Lookup, Requantize, Threshold
from ..network.layers.input_spikes import InputSpikes
from ..network.layers.leaky_neurons import LeakyNeurons
from ..network.layers.neurons import Neurons
from ..network.layers.spike_encoder import SpikeEncoder
from ..network.layers.spike_readout import SpikeReadout

__all__ = ["Direction", "monotone", "wanted_inputs"]

Direction = npt.NDArray[np.float64]
"""Integers below 2^20 in size, as float64: a product with 8-bit weights is exact, in any order of summation."""

_MOST_BITS = 20


def monotone(layer: Layer) -> bool:
    """Whether each output of the layer follows one input upward."""
    return isinstance(layer, (Threshold, Requantize, Neurons, InputSpikes))


def _same(layer: Layer, direction: Direction) -> tuple[Direction, ...]:
    return (direction,) * layer.input_count


def _dense(layer: Dense, direction: Direction) -> tuple[Direction, ...]:
    return (direction @ layer.weight.astype(np.float64),)


def _lookup(layer: Lookup, direction: Direction) -> tuple[Direction, ...]:
    return (direction if layer.table[-1] >= layer.table[0] else -direction,)


def _leaky(layer: LeakyNeurons, direction: Direction) -> tuple[Direction, ...]:
    return ((direction.reshape(layer.steps, layer.neurons) @ layer.weight.astype(np.float64)).ravel(),)


def _encoder(layer: SpikeEncoder, direction: Direction) -> tuple[Direction, ...]:
    if layer.encoder == "delta":
        return (direction,)
    return (direction.reshape(layer.steps, layer.features).sum(axis=0),)


def _readout(layer: SpikeReadout, direction: Direction) -> tuple[Direction, ...]:
    return (np.tile(direction, layer.steps),)


_RULES: dict[type[Layer], Callable[..., tuple[Direction, ...]]] = {
    Dense: _dense,
    Add: _same,
    Threshold: _same,
    Requantize: _same,
    Neurons: _same,
    InputSpikes: _same,
    Lookup: _lookup,
    LeakyNeurons: _leaky,
    SpikeEncoder: _encoder,
    SpikeReadout: _readout,
}


def wanted_inputs(layer: Layer, direction: Direction) -> tuple[Direction, ...] | None:
    """For each input of `layer`, how much it matters that it grows (above zero) or falls (below), if the outputs are to
    go along `direction` [outputs]; None for a kind of layer that is not known here."""
    rule = _RULES.get(type(layer))
    return None if rule is None else tuple(_scaled(wanted) for wanted in rule(layer, direction))


def _scaled(direction: Direction) -> Direction:
    """Divided by a power of two, toward zero, so that it is below 2^20 in size."""
    excess = int(np.abs(direction).max(initial=0)).bit_length() - _MOST_BITS
    return np.trunc(direction / (1 << excess)) if excess > 0 else direction
