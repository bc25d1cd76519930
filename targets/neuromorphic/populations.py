"""A spiking network as a chip sees it: populations one after the other, with the synapses into each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgeml.network import Dense, Network
from edgeml.network.layers.input_spikes import InputSpikes
from edgeml.network.layers.leaky_neurons import LeakyNeurons
from edgeml.network.layers.neurons import Neurons
from edgeml.network.layers.spike_encoder import SpikeEncoder
from edgeml.network.layers.spike_readout import SpikeReadout

__all__ = ["KINDS", "Population", "populations"]

KINDS = tuple(layer.kind for layer in (Dense, InputSpikes, LeakyNeurons, Neurons, SpikeEncoder, SpikeReadout))
"""The kinds of layer that populations are made of."""


@dataclass(frozen=True, eq=False)
class Population:
    """Neurons with the synapses that feed them.

    Parameters
    ----------
    node : name of the node that fires (or, at the end, of the one that is read).
    weight : int32 [neurons, inputs].
    weight_bits : their declared width.
    recurrent : int32 [neurons, neurons] or None.
    model : the neuron model or the encoding by name; `membrane` for a layer that does not fire.
    leaky : the layer of leaky neurons, if they are.
    counting : the layer of neurons of an exact encoding, if they are; neither, if nothing fires.
    dense : the layer that holds the synapses, if that is another one.
    """

    node: str
    weight: npt.NDArray[np.int32]
    weight_bits: int
    recurrent: npt.NDArray[np.int32] | None
    model: str
    leaky: LeakyNeurons | None = None
    counting: Neurons | None = None
    dense: Dense | None = None

    @property
    def size(self) -> int:
        """Number of neurons."""
        return int(self.weight.shape[0])

    @property
    def fan_in(self) -> int:
        """Largest number of synapses (not zero) into one neuron."""
        count = np.count_nonzero(self.weight, axis=1)
        if self.recurrent is not None:
            count = count + np.count_nonzero(self.recurrent, axis=1)
        return int(count.max())


def populations(network: Network) -> tuple[list[Population], list[tuple[str, str]]]:
    """The populations in order, and what stands in the way of seeing the network so: (node, what is wrong) pairs."""
    found: list[Population] = []
    broken: list[tuple[str, str]] = []
    leaky, counting = network.of_kind(LeakyNeurons), network.of_kind(Neurons)
    unread = network.of_kind(Dense)
    previous = network.nodes[0].name
    for node in network.layers:
        if node.inputs != (previous,):
            broken.append((node.name, f"takes {list(node.inputs)}; populations follow one another here"))
        previous = node.name
        if node.name in leaky:
            layer = leaky[node.name]
            found.append(
                Population(node.name, layer.weight, layer.weight_bits, layer.recurrent, layer.model.name, layer)
            )
        elif node.name in counting and node.inputs[0] in unread:
            neurons, synapses = counting[node.name], unread.pop(node.inputs[0])
            found.append(
                Population(
                    node.name, synapses.weight, synapses.weight_bits, None, neurons.encoding, None, neurons, synapses
                )
            )
        elif node.name in counting:
            broken.append((node.name, "its neurons have no synapses (a dense layer) in front of them"))
        elif node.layer.kind not in KINDS:
            broken.append((node.name, f"kind {node.layer.kind} has no place among spiking neurons"))
    for name, synapses in unread.items():
        found.append(Population(name, synapses.weight, synapses.weight_bits, None, "membrane", dense=synapses))
    return found, broken
