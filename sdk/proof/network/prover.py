"""The prover `network`: what holds of the integers of any bundle, from `network.edgeml` alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import NetworkError
from ...network import Network
from ...network.expansion import expands
from ...network.layers.input_spikes import InputSpikes
from ...network.layers.neurons import Neurons
from ...network.layers.requantize import Requantize
from ...network.value_range import ValueRange
from ...system.regular_file import read_regular
from ..claim import NOT_TRIED, OUT_OF_TIME
from ..findings import Findings
from ..place_claims import PlaceClaims, statement_certificate
from .expansion_claims import EXPANDED, expansion_claims
from .range_claims import range_claims
from .reduction_claims import reduction_claims
from .rounding_claims import rounding_claims
from .spike_claims import input_claims, neuron_claims

if TYPE_CHECKING:
    from ...bundle import Bundle

__all__ = ["NetworkProver", "network_claims"]

_LARGEST = 2**28
CONVERTED = "converted.edgeml"


class NetworkProver:
    """Ranges, roundings by integers, what spikes stand for, and that what was left out is missed by no output
    (docs/proofs.md)."""

    def applies(self, bundle: Bundle) -> bool:
        """Every bundle holds a network."""
        return True

    def missing(self, bundle: Bundle) -> str:
        """Nothing but numpy is needed."""
        return ""

    def prove(self, bundle: Bundle, *, announce: Callable[[str], None], seconds: float) -> Findings:
        """The rows of the network; InputError where its file cannot be read."""
        places = network_claims(bundle.network, announce, seconds)
        artifacts, beside = {}, {}
        if expands(bundle.network):
            announce("following what stands for layers at positions")
            claims, made = expansion_claims(bundle.network, places[0])
            places.append(claims)
            if made:
                artifacts[EXPANDED] = beside[Path(EXPANDED).name] = made
        if bundle.converted is not bundle.network:
            places.append(reduction_claims(bundle.converted, bundle.network))
            artifacts[CONVERTED] = read_regular(bundle.folder / CONVERTED, _LARGEST)
        content = read_regular(bundle.folder / "network.edgeml", _LARGEST)
        files = statement_certificate("network", content, places, artifacts) | beside
        return Findings([place.row() for place in places], files)


def network_claims(
    network: Network, announce: Callable[[str], None] = lambda name: None, seconds: float = 1800.0
) -> list[PlaceClaims]:
    """All claims of a network, those that are left when the time is over without a proof."""
    places = [range_claims(network)]
    begun = time.process_time()
    seen: dict[Any, dict[str, Any]] = {}
    for node in network.nodes[1:]:
        if node.layer.kind not in _BY_KIND:
            continue
        announce(f"proving {node.name}")
        what, claims = _BY_KIND[node.layer.kind]
        named = f"{node.name}, {what}"
        if time.process_time() - begun > seconds:
            found: PlaceClaims | None = _without(named, OUT_OF_TIME, "")
        else:
            try:
                found = claims(node.name, node.layer, network.ranges[node.inputs[0]], seen)
            except NetworkError as error:
                found = _without(named, NOT_TRIED, str(error))
        places += [found] if found is not None else []
    return places


def _neurons(name: str, layer: Neurons, reach: ValueRange, seen: dict[Any, Any]) -> PlaceClaims:
    return neuron_claims(name, layer, reach)


def _inputs(name: str, layer: InputSpikes, reach: ValueRange, seen: dict[Any, Any]) -> PlaceClaims | None:
    return input_claims(name, layer)


_BY_KIND: dict[str, tuple[str, Callable[..., PlaceClaims | None]]] = {
    Requantize.kind: ("rounding", rounding_claims),
    Neurons.kind: ("spikes", _neurons),
    InputSpikes.kind: ("spikes", _inputs),
}
"""What there is to prove of a kind of layer beside its range: what it is called, and its claims."""


def _without(name: str, status: str, detail: str) -> PlaceClaims:
    return PlaceClaims(name, "", "", [{"status": status, "detail": detail}])
