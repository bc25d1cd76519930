"""The proof of a whole artifact: place after place, each from those that feed it, within a limit of processor time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from ..network import Network
from .circuit import Circuit
from .claim import Artifact, Claim
from .cut_points import CutPoints
from .evidence import Evidence
from .kept_channels import KeptChannels
from .layer_proof import LayerProof, places_of
from .operand import Place

__all__ = ["SECONDS", "Proof", "prove"]

SECONDS = 1800.0
"""Processor time that a proof may take."""


@dataclass(frozen=True, eq=False)
class Proof:
    """What was found of an artifact: the evidence of each place, in an order in which each follows what feeds it."""

    network: Network
    circuit: Circuit
    artifact: Artifact
    places: dict[str, Place]
    evidence: dict[str, Evidence]

    @property
    def claims(self) -> list[Claim]:
        """All claims."""
        return [claim for evidence in self.evidence.values() for claim in evidence.claims]


def prove(
    network: Network,
    circuit: Circuit,
    artifact: Artifact,
    announce: Callable[[str], None] = lambda name: None,
    *,
    seconds: float = SECONDS,
) -> Proof:
    """Prove every channel of every place of a circuit, or say of each why not.

    What was proved before is not proved again. `seconds` : processor time; what is left then is out of time.
    """
    places = places_of(network, artifact)
    points = CutPoints(circuit)
    begun = time.process_time()
    found: dict[str, Evidence] = {}
    for name, place in places.items():
        if not place.sources:
            continue
        announce(name)
        before = time.process_time()
        proof = LayerProof(circuit, points, places, place)
        kept = KeptChannels(circuit, places, place, proof.given)
        known = kept.find()
        claims, order = proof.claims(lambda: time.process_time() - begun > seconds, known)
        words, took = tuple(proof.words[len(proof.given) :]), round(time.process_time() - before, 3)
        found[name] = Evidence(tuple(claims), words, took, frozenset(known.claims), tuple(order))
        kept.keep(found[name])
    return Proof(network, circuit, artifact, places, found)
