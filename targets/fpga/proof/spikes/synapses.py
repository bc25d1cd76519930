"""The prover `synapses`: what the adder graphs of a design of a step per clock give, for all spikes of a slot.

Each is proved against the synapses that the network's layers make between populations, as the pipeline of an unrolled
network is: from its Verilog, as weighted sums. What the units around them do with the currents it says nothing of.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold
from edgeml.proof.certificate import rows_of
from edgeml.proof.claim import PROVED, REFUTED, worst_status
from edgeml.proof.findings import Findings, Row
from edgeml.proof.prove import Proof, prove
from edgeml.proof.refute import refuted

from ...architectures.spiking_networks import Stage, spiking_network
from ...architectures.step_per_clock.architecture import StepPerClockArchitecture
from ...architectures.step_per_clock.plan import StepPerClockLayer, StepPerClockPlan
from ...design import Built
from ..cuts import artifact_of
from ..kept_circuits import circuit_of_verilog
from ..rtl_prover import RtlProver
from ..simulate import confirmation

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["SynapsesProver", "prove_synapses", "slot_network"]

_FRAMES = 64


class SynapsesProver(RtlProver):
    """Reads the adder graphs `rtl/NAME_LAYER_currents.v` of a bundle through yosys (docs/proofs-spikes.md)."""

    architecture = StepPerClockArchitecture

    def findings(self, bundle: Bundle, built: Built, announce: Callable[[str], None], seconds: float) -> Findings:
        """A row of each adder graph."""
        plan, until = built.layout.plan, time.process_time() + seconds
        if not isinstance(plan, StepPerClockPlan):
            raise InputError(str(bundle.folder), "holds no design of a step per clock")
        rows = []
        for layer, stage in zip(plan.layers, spiking_network(plan.network).stages, strict=True):
            announce(f"proving the synapses of {layer.name}")
            begun = time.process_time()
            proof = prove_synapses(built, layer, stage, seconds=until - begun)
            rows.append(_row(layer, proof, time.process_time() - begun))
        return Findings(rows)


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


def _row(layer: StepPerClockLayer, proof: Proof, seconds: float) -> Row:
    """A row of a layer: all claims of its adder graph, and the registers on the way, which the core counts on."""
    rows = rows_of(proof)
    late = proof.circuit.latency != layer.latency
    status = worst_status([*(row.status for row in rows), REFUTED if late else PROVED])
    detail = next((row.detail for row in rows if row.detail), "")
    if late:
        detail = f"{proof.circuit.latency} clocks, not the {layer.latency} of the core"
    claims, proved = 1 + sum(row.claims for row in rows), (not late) + sum(row.proved for row in rows)
    return Row(
        f"{layer.name}, synapses",
        status,
        claims,
        proved,
        "registers counted; sums of pieces",
        round(seconds, 3),
        detail,
    )
