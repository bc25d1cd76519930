"""What the adder graphs of a design of a step per clock give, for all spikes of a slot.

Each is proved against the synapses that the network's layers make between populations, as the pipeline of an unrolled
network is: from its Verilog, as weighted sums.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold
from edgeml.proof.prove import Proof, prove
from edgeml.proof.refute import refuted

from ...architectures.spiking_networks import Stage
from ...architectures.step_per_clock.plan import StepPerClockLayer
from ...design import Built
from ..cuts import artifact_of
from ..kept_circuits import circuit_of_verilog
from ..simulate import confirmation

__all__ = ["prove_synapses", "slot_network"]

_FRAMES = 64


def prove_synapses(
    built: Built, layer: StepPerClockLayer, stage: Stage, verilog: bytes | None = None, *, seconds: float = 1800.0
) -> Proof:
    """What is proved of a layer's adder graph; `verilog` : another text in its place."""
    name = f"{built.layout.plan.network.name}_{layer.name}_currents"
    text = built.files[f"{name}.v"] if verilog is None else verilog
    circuit = circuit_of_verilog(text, name)
    artifact = artifact_of(circuit, layer.logic)
    proof = prove(slot_network(layer, stage), circuit, artifact, seconds=seconds)
    size = proof.network.input_size
    samples = np.random.default_rng(5).integers(layer.element.low, layer.element.high + 1, (_FRAMES, size))
    return refuted(proof, samples.astype(np.int32), confirmation(text, name, circuit, artifact, layer.logic))


def slot_network(layer: StepPerClockLayer, stage: Stage) -> Network:
    """What the spikes of a slot must bring, from the network's own layers: Σ w · spike of all populations that come.

    Currents that are summed are raised so that none is negative; graded neurons count thresholds in the same slot.
    """
    neurons = len(stage.wiring.constant)
    weights, constant = [], stage.wiring.constant.astype(np.int64)
    for reached in layer.sources:
        population = reached.population
        own = np.zeros((neurons, population.channels), np.int64)
        for source in stage.wiring.sources:
            if source.population == population.name:
                own += np.eye(neurons, dtype=np.int64) if source.weight is None else source.weight
        weights.append(own)
        constant = constant + population.base * own.sum(axis=1)
    if {source.population for source in stage.wiring.sources} != {each.population.name for each in layer.sources}:
        raise InputError(f"layer {layer.name}", "takes other populations than in the network")
    weight, encoding = np.concatenate(weights, axis=1), "" if stage.neurons is None else stage.neurons.encoding
    least = np.maximum(weight, 0) * layer.element.low + np.minimum(weight, 0) * layer.element.high
    added: npt.NDArray[Any] = np.zeros(neurons, np.int64) if encoding in ("stbif", "graded") else -least.sum(axis=1)
    element = layer.element
    quantizer = InputQuantizer(weight.shape[1], np.ones(1), np.zeros(1), 0, element.bits, element.signed)
    nodes = [Node("spikes", quantizer), Node(layer.name, Dense(weight.astype(np.int32), 8, added), ("spikes",))]
    if encoding == "graded" and stage.neurons is not None:
        inside = np.clip(stage.neurons.thresholds - constant[:, None], -(2**31), 2**31 - 1).astype(np.int32)
        nodes.append(Node(f"{layer.name}_spikes", Threshold(inside), (layer.name,)))
    return Network(layer.name, tuple(nodes), Output(np.ones(1)))
