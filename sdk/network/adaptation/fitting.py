"""Whether an adaptation fits the layers of a network."""

from __future__ import annotations

from collections.abc import Mapping

from ...errors import NetworkError
from ..layers.dense import Dense
from ..layers.threshold import Threshold
from ..value_range import ValueRange
from .definition import Adaptation

__all__ = ["check_fits"]


def check_fits(
    adaptation: Adaptation,
    dense: Mapping[str, Dense],
    thresholds: Mapping[str, Threshold],
    inputs: Mapping[str, tuple[str, ...]],
    ranges: Mapping[str, ValueRange],
) -> None:
    """NetworkError where a layer that is to adapt is not one that can, or an integer may pass its bits.

    dense, thresholds : the layers of these kinds by name. inputs : the inputs of every node, in the network's order.
    """
    if (offsets := adaptation.offsets) is not None:
        ordered = [name for name in inputs if name in offsets.means]
        if list(offsets.means) != ordered:
            raise NetworkError("adaptation, offsets", "name layers that are not there, or in another order")
        for name in offsets.means:
            behind = [other for other, sources in inputs.items() if name in sources]
            if name not in dense or not behind or any(other not in thresholds for other in behind):
                raise NetworkError(
                    f"layer {name}", "has offsets, but is not a dense layer in front of thresholds alone"
                )
        offsets.check(ranges)
    if adaptation.last_layer is not None:
        last = list(inputs)[-1]
        source = inputs[last][0] if last in dense else ""
        if source not in thresholds:
            raise NetworkError(f"layer {last}", "is to learn, but is not a dense layer behind thresholds")
        layer, levels = dense[last], thresholds[source]
        adaptation.last_layer.check(layer.weight, layer.bias, layer.input_zero_point, levels.levels, levels.base)
