"""C of thresholds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgeml.network import Network, Node, Threshold

from ..arrays import ConstantArray
from ..dialect import Dialect
from ..emitter import LayerEmitter, LayerJob
from ..layer_code import LayerCode
from ..tensor import Tensor

__all__ = ["EMITTER", "MOST_COMPARED", "ThresholdEmitter", "at_thresholds", "threshold_tensor"]

_TURNS = 6

MOST_COMPARED = 15
"""Up to so many thresholds per channel all are compared; of more, a binary search is quicker."""


def threshold_tensor(network: Network, node: Node, dialect: Dialect) -> Tensor:
    """The outputs of a threshold layer: what is stored is the number of thresholds reached."""
    assert isinstance(node.layer, Threshold)
    return Tensor.make(node.name, network.ranges[node.name], dialect.padding, ctype="uint8_t", low=node.layer.base)


def at_thresholds(thresholds: npt.NDArray[np.int32], x: Tensor) -> list[npt.NDArray[np.int64]]:
    """Values [channels] of `x` that reach a threshold of each channel, and that just do not."""
    low, high = x.ends
    channels, levels = thresholds.shape
    rows = []
    for turn in range(_TURNS):
        at = thresholds[np.arange(channels), (np.arange(channels) + turn) % levels].astype(np.int64)
        rows += [np.clip(at, low, high), np.clip(at - 1, low, high)]
    return rows


class ThresholdEmitter(LayerEmitter):
    """Counts the thresholds that are reached."""

    kind = "threshold"

    def output(self, network: Network, nodes: tuple[Node, ...], dialect: Dialect) -> Tensor:
        return threshold_tensor(network, nodes[-1], dialect)

    def extremes(self, job: LayerJob) -> list[npt.NDArray[np.int64]]:
        layer = job.nodes[0].layer
        assert isinstance(layer, Threshold)
        return at_thresholds(layer.thresholds, job.inputs[0])

    def emit(self, job: LayerJob) -> LayerCode:
        layer = job.nodes[-1].layer
        assert isinstance(layer, Threshold)
        (x,) = job.inputs
        size, levels = layer.channels, layer.levels
        name = f"{job.prefix}_thresholds"
        if not job.dialect.vectors and x.ctype == "int32_t" and int(x.stored_high.max()) < 2**31 - 1:
            return _searched(job, layer, name)
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


def _searched(job: LayerJob, layer: Threshold, name: str) -> LayerCode:
    """A search of fixed depth in rows of 2^k − 1 thresholds. One that an accumulator cannot reach, or always does, may
    stand as the nearest value of its range, and all less their common centre: 8 or 16 bits then often hold them."""
    (x,) = job.inputs
    low, high = x.stored_low[:, None], x.stored_high[:, None]
    levels = (1 << layer.levels.bit_length()) - 1
    never = np.broadcast_to(high + 1, (layer.channels, levels - layer.levels))
    values = np.concatenate([np.clip(layer.thresholds, low, high + 1), never], axis=1)
    bits, centre = _narrowest(values, int(low.min()), int(high.max()))
    count = "" if levels == 3 else f", {levels}"
    kernel = f"edgeml_threshold_{'rows' if count else 'three'}_s{bits}"
    stored = "thresholds" if centre == 0 else f"thresholds less {centre}"
    comment = f"{stored} [{layer.channels} channels][{levels} levels], within the range of the accumulators"
    return LayerCode(
        statements=(f"{kernel}(x, {name}, {centre}, {layer.channels}{count}, y);",),
        comment=f"{layer.levels} thresholds per channel, stored outputs 0 ... {layer.levels}",
        includes=("threshold_rows.h",),
        constants=(ConstantArray(name, f"int{bits}_t", values - centre, comment),),
        small=True,
    )


def _narrowest(values: npt.NDArray[np.int64], low: int, high: int) -> tuple[int, int]:
    """Bits of the narrowest type, and a centre with which it holds values − centre; accumulators low … high less that
    centre fit 32 bits."""
    smallest, largest = int(values.min()), int(values.max())
    middle = (smallest + largest) // 2
    for bits in (8, 16):
        limit = 1 << (bits - 1)
        for centre in (0, middle):
            fits = -limit <= smallest - centre and largest - centre < limit
            if fits and low - centre >= -(2**31) and high - centre < 2**31:
                return bits, centre
    return 32, 0


EMITTER = ThresholdEmitter()
