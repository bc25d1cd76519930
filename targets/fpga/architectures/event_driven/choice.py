"""How many membranes per clock a spiking network gets on a part, and what its units cost."""

from __future__ import annotations

from collections.abc import Mapping

from edgeml.network import Network

from ...estimate.costs import estimate_spiking
from ..folded.folding import Folding
from .plan import SpikingPlan, make_spiking_plan

__all__ = ["estimate_spiking", "spiking_plans"]


def spiking_plans(network: Network) -> list[SpikingPlan]:
    """Plans from the most membranes per clock to one."""
    widest = max(layer.neurons for layer in make_spiking_plan(network, {}).layers)
    plans = []
    for k in range((widest - 1).bit_length(), -1, -1):
        layers = make_spiking_plan(network, {}).layers
        plans.append(make_spiking_plan(network, _folds({layer.name: layer.neurons for layer in layers}, 2**k)))
    return plans


def _folds(neurons: Mapping[str, int], most: int) -> dict[str, Folding]:
    return {name: Folding(min(count, most), 1) for name, count in neurons.items()}
