"""What spikes cost: `metrics.spiking` of a bundle's manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .json_values import amount, mapping

__all__ = ["SpikeCosts", "SpikeMeasures", "SpikingMetrics"]

Number = int | float


@dataclass(frozen=True)
class SpikeCosts:
    """Costs of a layer or of all of them, means over samples; None for what is not said.

    Parameters
    ----------
    spikes : fired. sparsity : share of neurons that stay silent.
    accumulates, multiply_accumulates : synaptic operations. dense : those of the same layer without spikes.
    bytes_moved : of weights and states. energy_pj : counted operations times a published table.
    """

    spikes: Number | None = None
    sparsity: Number | None = None
    accumulates: Number | None = None
    multiply_accumulates: Number | None = None
    dense: Number | None = None
    bytes_moved: Number | None = None
    energy_pj: Number | None = None

    @classmethod
    def from_json(cls, document: Any) -> SpikeCosts:
        """What of the document is sound."""
        said = mapping(document)
        operations = mapping(said.get("synaptic_operations"))
        return cls(
            amount(said.get("spikes")),
            amount(said.get("activation_sparsity")),
            amount(operations.get("accumulates")),
            amount(operations.get("multiply_accumulates")),
            amount(operations.get("dense")),
            amount(said.get("bytes_moved")),
            amount(said.get("energy_pj")),
        )


@dataclass(frozen=True)
class SpikeMeasures:
    """Costs of a network: in all, and by layer."""

    total: SpikeCosts
    layers: Mapping[str, SpikeCosts]

    @classmethod
    def from_json(cls, document: Any) -> SpikeMeasures:
        """What of the document is sound."""
        said = mapping(document)
        layers = {
            name: SpikeCosts.from_json(each)
            for name, each in mapping(said.get("layers")).items()
            if isinstance(each, Mapping)
        }
        return cls(SpikeCosts.from_json(said.get("total")), layers)


@dataclass(frozen=True)
class SpikingMetrics:
    """What the spiking form says: costs of the spikes, and of the quantized network that they carry (None: not said);
    whatever else, by name."""

    measures: SpikeMeasures | None
    quantized: SpikeMeasures | None
    further: Mapping[str, Any]

    @classmethod
    def from_json(cls, document: Any) -> SpikingMetrics:
        """What of a manifest's `metrics.spiking` is sound."""
        said = mapping(document)
        measures, quantized = (said.get(name) for name in ("measures", "quantized_measures"))
        return cls(
            SpikeMeasures.from_json(measures) if isinstance(measures, Mapping) else None,
            SpikeMeasures.from_json(quantized) if isinstance(quantized, Mapping) else None,
            {key: item for key, item in said.items() if key not in ("measures", "quantized_measures")},
        )
