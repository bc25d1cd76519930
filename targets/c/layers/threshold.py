"""C of thresholds."""

from __future__ import annotations

from edgeml.network import Network, Node, Threshold

from ..arrays import ConstantArray
from ..dialect import Dialect
from ..emitter import LayerCode, LayerEmitter, LayerJob
from ..tensor import Tensor

__all__ = ["MOST_COMPARED", "ThresholdEmitter", "threshold_tensor"]

MOST_COMPARED = 15
"""Up to so many thresholds per channel all are compared; of more, a binary search is quicker."""


def threshold_tensor(network: Network, node: Node, dialect: Dialect) -> Tensor:
    """The outputs of a threshold layer: what is stored is the number of thresholds reached."""
    assert isinstance(node.layer, Threshold)
    return Tensor.make(node.name, network.ranges[node.name], dialect.padding, ctype="uint8_t", low=node.layer.base)


class ThresholdEmitter(LayerEmitter):
    """Counts the thresholds that are reached."""

    kind = "threshold"

    def output(self, network: Network, nodes: tuple[Node, ...], dialect: Dialect) -> Tensor:
        return threshold_tensor(network, nodes[-1], dialect)

    def emit(self, job: LayerJob) -> LayerCode:
        layer = job.nodes[-1].layer
        assert isinstance(layer, Threshold)
        (x,) = job.inputs
        size, levels = layer.channels, layer.levels
        name = f"{job.prefix}_thresholds"
        few = levels <= MOST_COMPARED
        values = layer.thresholds.T if few else layer.thresholds
        layout = f"[{levels} levels][{size} channels]" if few else f"[{size} channels][{levels} levels]"
        constants = (ConstantArray(name, "int32_t", values, f"thresholds {layout}"),)
        statements: list[str] = []
        accumulator = "x"
        if x.ctype != "int32_t":
            statements += [
                "int32_t *const values = (int32_t *)(void *)scratch;",
                f"for (size_t i = 0; i < {size}u; i++) {{",
                f"    values[i] = (int32_t)x[i] + ({x.low});",
                "}",
            ]
            accumulator = "values"
        kernel = "edgeml_threshold_compare" if few else "edgeml_threshold_search"
        statements.append(f"{kernel}({accumulator}, {name}, {size}, {levels}, y);")
        return LayerCode(
            statements=tuple(statements),
            comment=f"{levels} thresholds per channel, stored outputs 0 ... {levels}",
            includes=("threshold.h",),
            constants=constants,
            scratch_bytes=4 * size if x.ctype != "int32_t" else 0,
        )
