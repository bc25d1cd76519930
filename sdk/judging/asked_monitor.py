"""The monitor that a conversion is asked for, and what becomes of one that the user's network has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..data.checks import WARNING
from ..data.dataset import Dataset
from ..network import Network
from ..plugins import Conversion

__all__ = ["asked_monitor"]


def asked_monitor(conversion: Conversion, source: Any, data: Dataset | None, rate: float | None) -> Conversion:
    """The conversion with a monitor of a rate, if one is asked for, and with its figures; with a note where the one of
    the user's network is lost. source : what was read."""
    network = conversion.network
    if rate is not None:
        from .monitor_fit import with_monitor

        conversion = replace(conversion, network=with_monitor(network, data, rate))
    elif isinstance(source, Network) and source.monitor is not None and network.monitor is None:
        note = f"{WARNING}the monitor of the network is not carried into this form; ask for one with --monitor RATE."
        conversion = replace(conversion, notes=(note, *conversion.notes))
    if conversion.network.monitor is None or data is None:
        return conversion
    from . import unknown_inputs

    found = {"rate": rate, **unknown_inputs.figures(conversion.network, data)}
    return replace(conversion, metrics={**conversion.metrics, "monitor": found})
