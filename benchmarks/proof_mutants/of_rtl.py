"""Faults in emitted Verilog and memories, unrolled and folded, and in the modules of the library that they use.

The oracle runs the whole core in Icarus Verilog, with its input and output going on and off, for every input of a small
network; a design that hangs, or gives too many or undefined values, computes another function. One that gives the
network's outputs, though a layer inside gives another value in the simulation of that layer, counts as changed.
What Icarus refuses to read is no design, and the next seed is taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from edgeml.errors import CheckFailed, EdgemlError, ToolFailed
from edgeml.network import Network, simulate
from edgeml.proof.claim import PROVED, REFUTED
from edgeml.proof.prove import prove
from edgeml.proof.refute import refuted
from edgeml.system.scratch import ScratchFolder
from edgeml.targets.fpga.architectures.folded.choices import FoldedChoices
from edgeml.targets.fpga.architectures.folded.folding import Folding
from edgeml.targets.fpga.architectures.unrolled.pipelining import Pipelining
from edgeml.targets.fpga.design import Built, Design, build
from edgeml.targets.fpga.executors.icarus import run_icarus
from edgeml.targets.fpga.proof.core_prover import proof_files
from edgeml.targets.fpga.proof.cuts import artifact_of
from edgeml.targets.fpga.proof.folded.layer_claims import ChannelClaim
from edgeml.targets.fpga.proof.folded.prover import prove_files
from edgeml.targets.fpga.proof.simulate import confirmation
from edgeml.targets.fpga.proof.spikes.prover import prove_files as prove_event_driven
from edgeml.targets.fpga.proof.step_per_clock.prover import prove_files as prove_step_per_clock
from edgeml.targets.fpga.proof.yosys_reader import circuit_of, read_module
from tests.targets.fpga.proof import mutants_of_rtl
from tests.targets.fpga.proof.folded import mutants_of_design
from tests.targets.fpga.proof.spikes.certified import event_driven, residual
from tests.targets.fpga.proof.step_per_clock import mutants_of_step
from tests.targets.fpga.proof.step_per_clock.certified import step_per_clock

from .judged import Judged
from .networks import mlp

__all__ = ["judge_event_driven", "judge_folded", "judge_step_per_clock", "judge_unrolled"]

_NEXT = 30_000


@cache
def _network(seed: int) -> tuple[Network, np.ndarray, np.ndarray]:
    """A small network, all its inputs, and its outputs for them."""
    network = mlp((4, 4, 2), seed)
    q = np.stack(np.meshgrid(*[np.arange(4)] * 4, indexing="ij"), -1).reshape(-1, 4).astype(np.int32)
    return network, q, simulate(network, q)


def _differs(built: Built, files: Mapping[str, bytes], q: np.ndarray, y: np.ndarray) -> bool:
    """Whether a design with some files changed gives anything else, for every input, with pauses and without."""
    changed = replace(built, files={**built.files, **files})
    for pause in (0, 90):
        try:
            with ScratchFolder("mutant") as folder:
                found, _ = run_icarus(changed, folder / "rtl", q, y, pause=pause)
        except CheckFailed:
            return True
        if not np.array_equal(found, y):
            return True
    return False


def judge_unrolled(seed: int) -> Judged:
    """A fault of an emitted pipeline, judged by the prover `unrolled`."""
    while (found := _unrolled(seed)) is None:
        seed += _NEXT
    return found


def _unrolled(seed: int) -> Judged | None:
    network, q, y = _network(seed % 5)
    built = build(network, Design("unrolled", Pipelining(3, "edgeml")))
    name = f"{network.name}_pipeline"
    verilog, said = mutants_of_rtl.mutant(built.files[f"{name}.v"], seed)
    logic: Any = built.layout.plan.logic  # type: ignore[attr-defined]
    circuit = circuit_of(read_module(verilog, name))
    artifact = artifact_of(circuit, logic)
    proof = refuted(prove(network, circuit, artifact), q[:0], confirmation(verilog, name, circuit, artifact, logic))
    wrong = [claim for claim in proof.claims if claim.status == REFUTED]
    confirmed = bool(wrong) and all(
        str(claim.counterexample.get("simulated", "")).removeprefix("with its inputs held, ").startswith("confirmed")
        for claim in wrong
    )
    left = any(claim.status not in (PROVED, REFUTED) for claim in proof.claims)
    try:
        changes = _differs(built, {f"{name}.v": verilog}, q, y)
    except ToolFailed:
        return None
    held = bool(wrong) and all("with its inputs held" in claim.counterexample.get("simulated", "") for claim in wrong)
    return Judged("emitted RTL, unrolled", said, changes or held, bool(wrong), confirmed, left)


def judge_folded(seed: int) -> Judged:
    """A fault of a folded design's memories, core or modules, judged by the prover `folded`."""
    while (found := _folded(seed)) is None:
        seed += _NEXT
    return found


def _folded(seed: int) -> Judged | None:
    network, q, y = _network(seed % 3)
    foldings = {"fc0": Folding(2, 2), "fc1": Folding(1, 2)}
    built = build(network, Design("folded", FoldedChoices(foldings)))
    files, said = mutants_of_design.mutant(proof_files(built), seed)
    kinds = {"memory": "ROMs of folded RTL", "core": "emitted RTL, folded", "module": "modules of the library"}
    try:
        proof = prove_files(built, {**proof_files(built), **files})
    except EdgemlError:  # Verilog that yosys cannot read
        return None
    claims = [claim for node in proof.nodes.values() for claim in node.claims]
    claims += [*proof.wiring.values(), *proof.output]
    return _of_design(built, files, (q, y), claims, (kinds[mutants_of_design.KINDS[seed % 3]], said))


def judge_event_driven(seed: int) -> Judged:
    """A fault of an event-driven design's memories, core or modules, judged by the prover `event-driven`."""
    while (found := _event_driven(seed)) is None:
        seed += _NEXT
    return found


@cache
def _around(number: int) -> tuple[Built, np.ndarray, np.ndarray]:
    """A small event-driven design of each encoding, one and two membranes per clock, all its inputs and its outputs."""
    network = residual(("unary", "sar", "ttfs", "graded", "stbif")[number % 5], number)
    q = np.stack(np.meshgrid(*[np.arange(4)] * 4, indexing="ij"), -1).reshape(-1, 4).astype(np.int32)
    return event_driven(network, 1 + number // 5 % 2), q, simulate(network, q)


def _event_driven(seed: int) -> Judged | None:
    built, q, y = _around(seed // 3 % 10)
    files, said = mutants_of_design.mutant(proof_files(built), seed)
    kinds = {
        "memory": "memories of spikes as events",
        "core": "emitted RTL, spikes as events",
        "module": "modules of spikes as events",
    }
    try:
        proof = prove_event_driven(built, {**proof_files(built), **files})
    except EdgemlError:
        return None
    claims = [*proof.claims, *proof.output]
    return _of_design(built, files, (q, y), claims, (kinds[mutants_of_design.KINDS[seed % 3]], said))


def judge_step_per_clock(seed: int) -> Judged:
    """A fault of the core, an adder graph or a unit of a step per clock, judged by the prover `step-per-clock`."""
    while (found := _step_per_clock(seed)) is None:
        seed += _NEXT
    return found


@cache
def _at_once(number: int) -> tuple[Built, np.ndarray, np.ndarray]:
    """A small design of a step per clock of each encoding (spikes or values come), all its inputs and its outputs."""
    encoding = ("unary", "sar", "ttfs", "graded", "stbif")[number % 5]
    network = residual(encoding, number, entry="graded" if number > 4 else None)
    q = np.stack(np.meshgrid(*[np.arange(4)] * 4, indexing="ij"), -1).reshape(-1, 4).astype(np.int32)
    return step_per_clock(network), q, simulate(network, q)


def _step_per_clock(seed: int) -> Judged | None:
    built, q, y = _at_once(seed // 3 % 10)
    files, said = mutants_of_step.mutant(proof_files(built), seed)
    kinds = {
        "core": "emitted RTL, spikes a step per clock",
        "currents": "adder graphs of a step per clock",
        "unit": "modules of a step per clock",
    }
    try:
        proof = prove_step_per_clock(built, {**proof_files(built), **files})
    except EdgemlError:
        return None
    claims = [*proof.claims, *proof.output]
    return _of_design(built, files, (q, y), claims, (kinds[mutants_of_step.KINDS[seed % 3]], said))


def _of_design(
    built: Built,
    files: Mapping[str, bytes],
    known: tuple[np.ndarray, np.ndarray],
    claims: Sequence[ChannelClaim],
    about: tuple[str, str],
) -> Judged | None:
    """A design with some files changed, judged by its claims. known : all inputs, and outputs. about : kind, change."""
    wrong = [claim for claim in claims if claim.status == REFUTED]
    shown = bool(wrong) and all("confirmed: Icarus gives" in claim.detail for claim in wrong)
    left = any(claim.status != PROVED for claim in claims) and not wrong
    try:
        changes = _differs(built, files, *known)
    except ToolFailed:
        return None
    return Judged(*about, changes or shown, bool(wrong), shown, left)
