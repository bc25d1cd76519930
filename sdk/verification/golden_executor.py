"""The executor that every bundle has: the golden simulator itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..network import monitored, simulate
from ..network import trace as golden_trace
from ..plugins import Execution, Subject

if TYPE_CHECKING:
    from ..bundle import Bundle

__all__ = ["GoldenExecutor"]


class GoldenExecutor:
    """Runs the integer network in numpy: the definition that all other executors are held against."""

    runs_monitor = True

    def applies(self, bundle: Bundle) -> bool:
        """Every bundle holds a network."""
        return True

    def subject(self, bundle: Bundle) -> Subject:
        """The definition, no artifact."""
        return Subject("the integer network in numpy, which all others are held against", False)

    def missing(self, bundle: Bundle) -> str:
        """Needs numpy only."""
        return ""

    def run(self, bundle: Bundle, q: npt.NDArray[np.int32], *, trace: bool, options: Mapping[str, Any]) -> Execution:
        """Simulate q [samples, inputs]; options : `adapted`, an `AdaptingNetwork` of the bundle's network."""
        detail = f"numpy {np.__version__}"
        if (adapting := options.get("adapted")) is not None:
            layers = adapting.trace(q)
            return Execution(layers[bundle.network.nodes[-1].name], layers if trace else {}, detail)
        seen = monitored(bundle.network, q) if options.get("monitor") else None
        if not trace:
            return Execution(simulate(bundle.network, q), {}, detail, monitored=seen)
        layers = golden_trace(bundle.network, q)
        return Execution(layers[bundle.network.nodes[-1].name], layers, detail, monitored=seen)
