"""Proofs that were made before, in the user's cache: found by the gates of a place and by what is claimed of them.

The key holds all that the proof follows from: the gates between a place's bits and those of its inputs, numbered by how
they hang together, so that what other layers are made of changes nothing; the claims; the ranges; the code of prover
and layers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from ..network import Network
from ..system import cache
from .circuit import Circuit, Lookup
from .claim import PROVED
from .evidence import Evidence, evidence_from, evidence_json
from .kept import keep, kept
from .layer_proof import OUTPUT, RAW_INPUT
from .operand import Place
from .own_code import code_digest

__all__ = ["KeptProof"]

_PROVER = ("edgeml.proof", "edgeml.network")


class KeptProof:
    """The proof of one place, if it was made before.

    Bits have local numbers in it: constants, the bits of the inputs, then what gates give in the order in which the
    place's own bits lead to them.
    """

    def __init__(self, circuit: Circuit, network: Network, places: Mapping[str, Place], place: Place) -> None:
        self.place = place
        ends = [bit for name in place.sources for cut in places[name].cuts if cut for bit in cut.bits]
        self.local: dict[int, int] = {0: 0, 1: 1}
        for bit in ends:
            self.local.setdefault(_plain(bit), len(self.local))
        gates = self._numbered(circuit, [_plain(bit) for cut in place.cuts if cut for bit in cut.bits])
        stated = [
            [name, [places[name].low.tolist(), places[name].high.tolist()], self._cuts(places[name])]
            for name in (*place.sources, place.name)
        ]
        self.key = cache.digest_of(
            "place", code_digest(*_PROVER), json.dumps([stated, gates]), _meaning(network, place)
        )

    def _cuts(self, place: Place) -> list[object]:
        return [
            [[self.local.get(bit, -1) if bit >= 0 else ~self.local.get(~bit, -1) for bit in cut.bits], cut.offset]
            if cut
            else None
            for cut in place.cuts
        ]

    def _numbered(self, circuit: Circuit, targets: Iterable[int]) -> list[object]:
        """The gates that targets lead to, in an order of their own, with local numbers."""
        gates: list[object] = []
        waiting = list(reversed(list(targets)))
        while waiting:
            bit = waiting[-1]
            place = circuit.driver.get(bit)
            if bit in self.local or place is None:
                self.local.setdefault(bit, len(self.local))
                waiting.pop()
                continue
            gate = circuit.gates[place]
            missing = [each for each in gate.inputs if each not in self.local]
            if missing:
                waiting += reversed(missing)
                continue
            for each in gate.outputs:
                self.local.setdefault(each, len(self.local))
            inputs = [self.local[each] for each in gate.inputs]
            outputs = [self.local[each] for each in gate.outputs]
            gates.append([outputs, inputs, f"{gate.table:x}" if isinstance(gate, Lookup) else "+"])
        return gates

    def find(self) -> Evidence | None:
        """The kept evidence, with the circuit's own numbers of bits."""
        back = {local: bit for bit, local in self.local.items()}
        return kept(self.key, lambda content: evidence_from(self.place.name, content, back.__getitem__))

    def keep(self, evidence: Evidence) -> None:
        """Keep what is proved whole; what names a bit of elsewhere is not kept."""
        if all(claim.status == PROVED for claim in evidence.claims):
            try:
                content = evidence_json(evidence, self.local.__getitem__)
            except KeyError:
                return
            keep(self.key, content)


def _meaning(network: Network, place: Place) -> bytes:
    """What the network says of a place: its layer, whole."""
    if place.name in (RAW_INPUT, OUTPUT):
        return b""
    node = next(node for node in network.nodes if node.name == place.name)
    attributes, tensors = node.layer.parts()
    shapes = {name: [str(array.dtype), list(array.shape)] for name, array in tensors.items()}
    head = json.dumps([node.layer.kind, attributes, shapes], sort_keys=True).encode()
    return head + b"".join(tensors[name].tobytes() for name in sorted(tensors))


def _plain(bit: int) -> int:
    return bit if bit >= 0 else ~bit
