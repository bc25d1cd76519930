"""What the architectures for spiking networks ask of a network: one input population, and synapses behind it."""

from __future__ import annotations

from dataclasses import dataclass

from edgeml.errors import InputError, NetworkError
from edgeml.network import Network
from edgeml.network.layers.input_spikes import InputSpikes
from edgeml.network.layers.neurons import Neurons
from edgeml.network.spiking.currents import Wiring, wiring

__all__ = ["SpikingNetwork", "Stage", "spiking_network"]


@dataclass(frozen=True, eq=False)
class Stage:
    """Synapses, and the neurons or the readout behind them.

    Parameters
    ----------
    name : of its units. node : whose integers the potentials are. wiring : what reaches them.
    neurons : the layer of neurons; None for the readout.
    """

    name: str
    node: str
    wiring: Wiring
    neurons: Neurons | None


@dataclass(frozen=True, eq=False)
class SpikingNetwork:
    """A network as an input population, and stages behind it, of which the last is the readout."""

    entry_name: str
    entry: InputSpikes
    stages: tuple[Stage, ...]


def spiking_network(network: Network) -> SpikingNetwork:
    """The populations of a network.

    Raises InputError naming the layer that has no spikes, or a number of input populations that is not one.
    """
    try:
        wires = wiring(network)
    except NetworkError as error:
        raise InputError(error.where, error.problem, error.remedy) from error
    entries, neurons = network.of_kind(InputSpikes), network.of_kind(Neurons)
    populations = [node for node in network.layers if node.name in entries or node.name in neurons]
    if len(entries) != 1 or populations[0].name not in entries:
        raise InputError(f"network {network.name}", f"has {len(entries)} input populations; one is supported")
    if populations[0].inputs != (network.nodes[0].name,):
        raise InputError(
            f"layer {populations[0].inputs[0]}",
            f"a layer of kind {network.layers[0].layer.kind!r} before the spikes has no hardware in these units",
            "Use --to quantized, whose designs take bits of the input at no cost",
        )
    stages = []
    for node in populations[1:]:
        (before,) = node.inputs
        if before not in wires:
            raise InputError(f"layer {node.name}", "takes input integers that no population has made spikes of")
        stages.append(Stage(node.name, before, wires[before], neurons[node.name]))
    entry_name, last = populations[0].name, network.nodes[-1].name
    readout_name = f"{last}_readout" if last in neurons else last
    stages.append(Stage(readout_name, last, wires[last], None))
    return SpikingNetwork(entry_name, entries[entry_name], tuple(stages))
