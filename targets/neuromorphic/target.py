"""The target of kind `neuromorphic`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgeml.errors import EdgemlError
from edgeml.metrics import TargetMetrics
from edgeml.network import Network
from edgeml.plugins import NO_OPTIONS, SILENT, Listener, RuleResult, refuse_broken, without_monitor
from edgeml.profile import Profile

from .chip_fields import PROFILE_FIELDS
from .parameters import PARAMETERS
from .populations import populations
from .rules import apply_rules, structure_rules

__all__ = ["NeuromorphicTarget"]


class NeuromorphicTarget:
    """Checks a chip's rules and emits `chip/parameters.json`: the network in the chip's own terms."""

    profile_fields = PROFILE_FIELDS

    def rules(self, network: Network, profile: Profile, options: Mapping[str, Any] = NO_OPTIONS) -> list[RuleResult]:
        """See `rules.RULES`; the profile's numbers say which apply."""
        try:
            return without_monitor(network, "circuit on the chip") or apply_rules(network, profile)
        except EdgemlError as error:  # a number that is none
            return [RuleResult.broken("profile", error)]

    def emit(
        self,
        network: Network,
        profile: Profile,
        folder: Path,
        options: Mapping[str, Any] = NO_OPTIONS,
        listener: Listener = SILENT,
    ) -> Mapping[str, Any]:
        """Write `chip/parameters.json`; returns the sizes of the populations and the synapses in all. Raises
        CheckFailed if it cannot be seen as populations."""
        refuse_broken([*without_monitor(network, "circuit on the chip"), *structure_rules(network)], profile)
        chip = profile.values.get("chip", "generic")
        layers, _ = populations(network)
        (folder / "chip").mkdir()
        text = json.dumps(PARAMETERS[chip](network), indent=1, sort_keys=True) + "\n"
        (folder / "chip" / "parameters.json").write_text(text, encoding="utf-8", newline="\n")
        return TargetMetrics(
            chip=chip,
            populations={layer.node: layer.size for layer in layers},
            synapses=int(sum((layer.weight != 0).sum() for layer in layers)),
        ).as_json()
