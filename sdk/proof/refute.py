"""What refutes a claim that was not proved: inputs of the network for which the circuit gives another integer.

Looked for, in this order: among samples, the network's output that differs; among samples, a value inside that differs;
by steps of single inputs toward a value that a counterexample of a function names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..network import trace as golden_trace
from .circuit import Circuit
from .claim import OPEN, REFUTED, Artifact, Claim, Cut
from .known_ranges import columns_of
from .layer_proof import OUTPUT
from .prove import Proof

__all__ = ["Confirmation", "Counterexample", "circuit_values", "refuted"]

_SAMPLES = 4096
_STEPS = 60

Int64 = npt.NDArray[np.int64]
Inputs = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Counterexample:
    """Inputs of the network [inputs] for which a channel of a place is not what the network says.

    `held`: values by place and channel that are put into the circuit instead, where no inputs that lead to them were
    found; `inputs` are then of no matter.
    """

    inputs: Inputs
    place: str
    channel: int
    expected: int
    found: int
    held: Mapping[tuple[str, int], int] = field(default_factory=dict)


Confirmation = Callable[[Counterexample], str]
"""Simulates a counterexample on the artifact itself; what was seen, in words, or why nothing was."""


def circuit_values(circuit: Circuit, artifact: Artifact, q: Inputs, cuts: tuple[Cut | None, ...]) -> list[Int64 | None]:
    """The integers that stand in cuts for inputs q [samples, inputs], as the circuit's gates give them."""
    count = len(q)
    leaves = {}
    for channel, bits in enumerate(artifact.raw_inputs):
        for k, bit in enumerate(bits):
            packed = np.packbits(((q[:, channel] >> k) & 1).astype(np.uint8), bitorder="little")
            leaves[bit] = int.from_bytes(packed.tobytes(), "little")
    there = [cut for cut in cuts if cut is not None]
    rows = circuit.rows([bit for cut in there for bit in cut.bits], leaves, (1 << count) - 1)
    columns = iter(columns_of(rows, count))
    found: list[Int64 | None] = []
    for cut in cuts:
        if cut is None:
            found.append(None)
            continue
        value = np.full(count, cut.offset, np.int64)
        for k in range(len(cut.bits)):
            value += next(columns) << k
        found.append(value)
    return found


class _Search:
    """Samples of a network, and where the circuit gives another integer for them."""

    def __init__(self, proof: Proof, samples: Inputs) -> None:
        self.proof, self.network = proof, proof.network
        rng = np.random.default_rng(0)
        low, high = self.network.quantizer.low, self.network.quantizer.high
        shape = (_SAMPLES, self.network.input_size)
        anywhere = rng.integers(low, high + 1, shape)
        ends = np.where(rng.random(shape) < 0.5, low, high)
        self.q = np.concatenate([samples, anywhere, ends]).astype(np.int32)
        self.differs: dict[str, tuple[list[Int64 | None], npt.NDArray[Any]]] = {}

    def at(self, name: str, channel: int, q: Inputs) -> tuple[Int64, Int64] | None:
        """(what the circuit gives, what the network says) of a channel for inputs; None if it stands nowhere."""
        cuts = self.proof.places[name].cuts
        (found,) = circuit_values(self.proof.circuit, self.proof.artifact, q, (cuts[channel],))
        if found is None:
            return None
        values = golden_trace(self.network, q)
        said = values[self.network.nodes[-1].name if name == OUTPUT else name][:, channel].astype(np.int64)
        if name == OUTPUT:
            width = len(self.proof.artifact.raw_outputs[channel])
            said = said & ((1 << width) - 1)
        return found, said

    def among_samples(self, name: str, channel: int) -> Counterexample | None:
        """The first sample for which the channel differs."""
        return self._first(name, channel, self.q)

    def _first(self, name: str, channel: int, q: Inputs) -> Counterexample | None:
        both = self.at(name, channel, q)
        if both is None:
            return None
        wrong = np.flatnonzero(both[0] != both[1])
        if not len(wrong):
            return None
        first = int(wrong[0])
        return Counterexample(q[first], name, channel, int(both[1][first]), int(both[0][first]))

    def toward(self, claim: Claim) -> Counterexample | None:
        """Step by step toward inputs for which what a function takes has the value of its counterexample."""
        wanted = claim.counterexample.get("inputs", {})
        targets = [(*_named(name), value) for name, value in wanted.items()]
        if not targets or any(name not in self.network.sizes for name, _, _ in targets):
            return None

        def distance(q: Inputs) -> Int64:
            values = golden_trace(self.network, q)
            return sum(
                (np.abs(values[n][:, c].astype(np.int64) - v) for n, c, v in targets), np.zeros(len(q), np.int64)
            )

        low, high = self.network.quantizer.low, self.network.quantizer.high
        starts = np.argsort(distance(self.q), kind="stable")[:4]
        for start in starts:
            here = self.q[start].copy()
            best = int(distance(here[None])[0])
            for _ in range(_STEPS):
                if best == 0:
                    break
                tries = np.repeat(here[None], 3 * len(here), axis=0)
                each = np.arange(len(here))
                tries[each, each] = np.clip(here + 1, low, high)
                tries[each + len(here), each] = np.clip(here - 1, low, high)
                tries[each + 2 * len(here), each] = low + high - here
                far = distance(tries)
                if int(far.min()) >= best:
                    break
                here, best = tries[int(far.argmin())], int(far.min())
            if best == 0 and (found := self._first(claim.node, claim.channel, here[None])) is not None:
                return found
        return None

    def seen_outside(self, found: Counterexample) -> Counterexample:
        """The same inputs, at an output of the network if one differs there."""
        for channel in range(self.network.output_size):
            at_output = self._first(OUTPUT, channel, found.inputs[None])
            if at_output is not None:
                return at_output
        return found


def refuted(proof: Proof, samples: Inputs, confirm: Confirmation) -> Proof:
    """The proof with its open claims looked at again: refuted where inputs of the network show a difference.

    samples : inputs [samples, inputs] to look at first, such as test vectors. A claim that a function's rows refute,
    and that no inputs were found for, stays refuted and says so.
    """
    doubtful = [claim for claim in proof.claims if claim.status in (OPEN, REFUTED)]
    if not doubtful:
        return proof
    search = _Search(proof, samples)
    evidence = {
        name: replace(each, claims=tuple(_again(search, claim, confirm) for claim in each.claims))
        for name, each in proof.evidence.items()
    }
    return replace(proof, evidence=evidence)


def _held(search: _Search, claim: Claim, confirm: Confirmation) -> Claim:
    """A function that its rows refute, where no inputs of the network lead: simulated with its own inputs held."""
    example = claim.counterexample
    held = {_named(name): int(value) for name, value in example["inputs"].items()}
    nothing = np.full(search.network.input_size, search.network.quantizer.low, np.int32)
    shown = Counterexample(nothing, claim.node, claim.channel, example["expected"], example["found"], held)
    simulated = f"with its inputs held, {confirm(shown)}"
    detail = "inputs of the network that lead there were not found"
    return replace(claim, detail=detail, counterexample={**example, "simulated": simulated})


def _named(name: str) -> tuple[str, int]:
    """A place and a channel of `place[channel]`."""
    place, _, channel = name.removesuffix("]").rpartition("[")
    return place, int(channel)


def _again(search: _Search, claim: Claim, confirm: Confirmation) -> Claim:
    if claim.status not in (OPEN, REFUTED):
        return claim
    found = search.among_samples(claim.node, claim.channel) or search.toward(claim)
    if found is None:
        return claim if claim.status == OPEN else _held(search, claim, confirm)
    shown = search.seen_outside(found)
    example = {
        **claim.counterexample,
        "network_inputs": shown.inputs.tolist(),
        "at": f"{shown.place}[{shown.channel}]",
        "expected": shown.expected,
        "found": shown.found,
        "simulated": confirm(shown),
    }
    return replace(claim, status=REFUTED, detail="", counterexample=example)
