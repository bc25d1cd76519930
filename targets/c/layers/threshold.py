"""C of thresholds."""

from __future__ import annotations

import numpy as np

from edgeml.network import Network, Node, Threshold

from ..arrays import ConstantArray
from ..dialect import Dialect
from ..emitter import LayerCode, LayerEmitter, LayerJob
from ..tensor import Tensor
from ..threshold_line import NARROW_SHIFT, Line, line_through

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
        low, high = x.stored_low + x.low, x.stored_high + x.low
        line = None if few else line_through(layer.thresholds, low, high)
        if line is None and not job.dialect.vectors and x.ctype == "int32_t" and int(x.stored_high.max()) < 2**31 - 1:
            return _searched(job, layer, name)
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
        if line is not None:
            call, header, constants = _on_line(line, job.prefix, accumulator, size)
        else:
            call, header = f"edgeml_threshold_{'compare' if few else 'search'}", "threshold.h"
            values = layer.thresholds.T if few else layer.thresholds
            layout = f"[{levels} levels][{size} channels]" if few else f"[{size} channels][{levels} levels]"
            constants = (ConstantArray(name, "int32_t", values, f"thresholds {layout}"),)
            call = f"{call}({accumulator}, {name}, {size}, {levels}, y);"
        statements.append(call)
        return LayerCode(
            statements=tuple(statements),
            comment=f"{levels} thresholds per channel, stored outputs 0 ... {levels}",
            includes=(header,),
            constants=constants,
            scratch_bytes=4 * size if x.ctype != "int32_t" else 0,
        )


def _on_line(line: Line, prefix: str, accumulator: str, size: int) -> tuple[str, str, tuple[ConstantArray, ...]]:
    """The call, its header and its constants, for thresholds that lie on a line."""
    arrays = f"{accumulator}, {prefix}_bottom, {prefix}_top, {prefix}_slope, {prefix}_offset"
    if line.shift == NARROW_SHIFT:
        call, types = f"edgeml_threshold_line32({arrays}, {size}, y);", ("uint32_t", "uint32_t")
        offset = line.offset % 2**32
    else:
        call, types = f"edgeml_threshold_line64({arrays}, {line.shift}, {size}, y);", ("int32_t", "int64_t")
        offset = line.offset
    constants = (
        ConstantArray(f"{prefix}_bottom", "int32_t", line.bottom, "accumulators are clipped to this"),
        ConstantArray(f"{prefix}_top", "int32_t", line.top, "and to this, then"),
        ConstantArray(f"{prefix}_slope", types[0], line.slope, "thresholds reached: (value * slope + offset) >> shift"),
        ConstantArray(f"{prefix}_offset", types[1], offset),
    )
    return call, "threshold_line.h", constants


def _searched(job: LayerJob, layer: Threshold, name: str) -> LayerCode:
    """A search of fixed depth in rows of 2^k − 1 thresholds. One that an accumulator cannot reach, or always does, may
    stand as the nearest value of its range: 16 bits then often hold all thresholds."""
    (x,) = job.inputs
    low, high = x.stored_low[:, None], x.stored_high[:, None]
    levels = (1 << layer.levels.bit_length()) - 1
    never = np.broadcast_to(high + 1, (layer.channels, levels - layer.levels))
    values = np.concatenate([np.clip(layer.thresholds, low, high + 1), never], axis=1)
    narrow = int(values.min()) >= -(2**15) and int(values.max()) < 2**15
    suffix = "s16" if narrow else "s32"
    return LayerCode(
        statements=(f"edgeml_threshold_rows_{suffix}(x, {name}, {layer.channels}, {levels}, y);",),
        comment=f"{layer.levels} thresholds per channel, stored outputs 0 ... {layer.levels}",
        includes=("threshold_rows.h",),
        constants=(
            ConstantArray(
                name,
                "int16_t" if narrow else "int32_t",
                values,
                f"thresholds [{layer.channels} channels][{levels} levels], within the range of the accumulators",
            ),
        ),
    )
