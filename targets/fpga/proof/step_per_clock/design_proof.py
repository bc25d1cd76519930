"""The proof of a core of a step per clock: its clocks, then layer after layer what comes to it and what it gives."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from edgeml.errors import CheckFailed, EdgemlError
from edgeml.network import Network
from edgeml.proof.claim import OPEN, OUT_OF_TIME, PROVED
from edgeml.proof.prove import Proof

from ...architectures.spiking_networks import Stage, spiking_network
from ...architectures.step_per_clock.plan import StepPerClockLayer
from ...design import Built
from ..folded.facts import Fact
from ..folded.layer_claims import ChannelClaim
from ..folded.netlist import Modules
from .blocks import prove_results
from .composition import coming, synapses_of, window_of
from .core import Core
from .input import given_by_input
from .layers import Layer, given_by_layer, read_out
from .neuron_simulation import TriedNeuron
from .synapses import prove_synapses
from .windows import Given

__all__ = ["DesignProof", "LayerClaims", "prove_design"]


@dataclass(frozen=True, eq=False)
class LayerClaims:
    """What was found of a layer: a claim for each of its neurons, or outputs.

    Parameters
    ----------
    synapses : the proof of its adder graph; None without. latency : registers on every way through that.
    tried : neurons whose potentials are known, for a simulation of them.
    facts : what holds of its units. looked_at : potentials. seconds : processor time.
    """

    claims: tuple[ChannelClaim, ...]
    synapses: Proof | None = None
    latency: int = 0
    facts: tuple[Fact, ...] = ()
    looked_at: int = 0
    seconds: float = 0.0
    tried: Mapping[int, TriedNeuron] = field(default_factory=dict)


@dataclass(eq=False)
class DesignProof:
    """What was found of a core.

    Parameters
    ----------
    core : its clocks, its input and its results. facts : of the units of both. layers : by their stage's name, first to
    last. output : by channel: composed from all others.
    """

    network: Network
    core: ChannelClaim = field(default_factory=lambda: ChannelClaim(OPEN))
    interval: int = 0
    facts: tuple[Fact, ...] = ()
    layers: dict[str, LayerClaims] = field(default_factory=dict)
    output: tuple[ChannelClaim, ...] = ()

    @property
    def claims(self) -> list[ChannelClaim]:
        """All that the outputs follow from."""
        return [self.core, *(claim for layer in self.layers.values() for claim in layer.claims)]


def prove_design(
    built: Built,
    files: Mapping[str, bytes],
    modules: Modules,
    announce: Callable[[str], None] = lambda place: None,
    *,
    seconds: float = 1800.0,
) -> DesignProof:
    """Prove a core, or say what of it is not. files : that `modules` were read from. seconds : processor time."""
    network = built.layout.plan.network
    proof, until = DesignProof(network), time.process_time() + seconds
    spikes = spiking_network(network)
    plans: dict[str, StepPerClockLayer] = {layer.name: layer for layer in built.layout.plan.layers}
    known: dict[str, Given] = {}
    places: dict[str, tuple[str, int]] = {}
    core: Core | None = None
    try:
        core = Core(modules, built.core)
        known[spikes.entry_name], fact, cell = given_by_input(core, network, spikes)
        places[cell] = spikes.entry_name, 0
        proof.facts, proof.interval = fact, core.interval
        proof.core = ChannelClaim(PROVED)
    except CheckFailed as error:
        proof.core = ChannelClaim(OPEN, str(error))
    for stage in spikes.stages:
        if time.process_time() > until:
            proof.layers[stage.name] = _given_up(stage, OUT_OF_TIME, "")
            continue
        announce(f"proving {stage.name}")
        begun = time.process_time()
        plan = plans[stage.name]
        sources = [known.get(each.population.name) for each in plan.sources]
        try:
            synapses = prove_synapses(built, plan, stage, files.get(plan_file(built, plan)), seconds=until - begun)
        except EdgemlError as error:
            proof.layers[stage.name] = _given_up(stage, OPEN, f"synapses: {error}")
            continue
        if core is None or proof.core.status != PROVED or None in sources:
            found = _given_up(stage, OPEN, "what comes to it is not known", synapses)
        else:
            try:
                found = _layer(network, core, plan, stage, synapses, [s for s in sources if s], known, places)
            except CheckFailed as error:
                found = _given_up(stage, OPEN, str(error), synapses)
        taken = round(time.process_time() - begun, 3)
        proof.layers[stage.name] = LayerClaims(
            found.claims, synapses, synapses.circuit.latency, found.facts, found.looked_at, taken, found.tried
        )
    if core is not None and proof.core.status == PROVED:
        proof.core = _rest(core, proof)
    whole = all(claim.status == PROVED for claim in proof.claims)
    composed = ChannelClaim(PROVED) if whole else ChannelClaim(OPEN, "not all that it follows from is proved")
    proof.output = (composed,) * network.output_size
    return proof


def plan_file(built: Built, plan: StepPerClockLayer) -> str:
    """The file of a layer's adder graph."""
    return f"{built.layout.plan.network.name}_{plan.name}_currents.v"


def _given_up(stage: Stage, status: str, why: str, synapses: Proof | None = None) -> LayerClaims:
    """What is not proved of a layer; what its adder graph was refuted for, it is refuted for."""
    return LayerClaims((ChannelClaim(status, why),) * len(stage.wiring.constant), synapses)


def _layer(
    network: Network,
    core: Core,
    plan: StepPerClockLayer,
    stage: Stage,
    synapses: Proof,
    sources: list[Given],
    known: dict[str, Given],
    places: dict[str, tuple[str, int]],
) -> LayerClaims:
    """A layer whose populations are known; what it gives is entered where that is known too."""
    cell = core.take(f"{plan.name}_synapses", f"{core.name}_{plan.name}_currents")
    neurons = stage.neurons
    tracing = neurons is not None and neurons.encoding == "stbif"
    comes = coming(core, cell, plan.element.bits, sources, places)
    signed = plan.element.signed
    for each in sources:
        if (each.signed and not signed) or (signed and not each.signed and each.bits >= plan.element.bits):
            raise CheckFailed(f"instance {cell.name}", f"reads {each.name} with another sign")
    window = window_of(core, cell, comes, synapses.circuit.latency, tracing)
    weights, constant = synapses_of(stage, sources)
    layer = Layer(network, core, stage, cell, window, comes, weights, constant, plan.element, synapses)
    if neurons is None:
        claims, facts, looked_at = read_out(layer)
        return LayerClaims(claims, facts=facts, looked_at=looked_at)
    claims, facts, looked_at, given, at = given_by_layer(layer)
    if given is not None:
        known[stage.name] = given
        places |= {each: (stage.name, first) for each, first in at.items()}
    return LayerClaims(claims, facts=facts, looked_at=looked_at, tried=layer.tried)


def _rest(core: Core, proof: DesignProof) -> ChannelClaim:
    """That the core holds nothing else, and its results are kept."""
    try:
        left = sorted(core.cells.keys() - core.used)
        if left and all(claim.status == PROVED for layer in proof.layers.values() for claim in layer.claims):
            raise CheckFailed(f"instance {left[0]}", "is there, and is part of nothing that is looked at")
        depth = int(core.results.parameters["DEPTH"])
        late = int(core.results.parameters["LATE"])
        if core.results.parameters["BYPASS"]:
            raise CheckFailed(
                "instance results", "gives values in the clock in which they come, which is not looked at"
            )
        numbers = prove_results(core.inside(core.results), depth, late)
        proof.facts = (*proof.facts, Fact("edgeml_fifo", dict(core.results.parameters), "results", numbers))
        _joined(core)
    except CheckFailed as error:
        return ChannelClaim(OPEN, str(error))
    return ChannelClaim(PROVED)


def _joined(core: Core) -> None:
    """The buffer reserves with `take`, and gives at the core's output."""
    ports, results = core.netlist.ports, core.results.ports
    for port, outer in (("valid", "out_valid"), ("ready", "out_ready"), ("data", "out_data")):
        if results[port] != ports[outer]:
            raise CheckFailed("the buffer of results", f"has a {port} that is not the core's {outer}")
    if core.mark(core.results, "reserve") != 0:
        raise CheckFailed("the buffer of results", "reserves a place at another time than a frame is taken")
