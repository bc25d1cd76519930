"""C of sums of tables: rows of packed entries, added a word at a time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgeml.network import Network, Node
from edgeml.network.layers.tables import Tables

from ..arrays import ConstantArray
from ..dense_kernels.bits import narrowest
from ..dialect import Dialect
from ..emitter import LayerEmitter, LayerJob
from ..layer_code import LayerCode
from ..table_storage import StoredTables, stored_tables
from ..tensor import Tensor

__all__ = ["EMITTER", "TablesEmitter"]

_MOST_OUTPUTS = 12
"""Outputs whose both ends are driven when the step runs alone."""
_WIDTHS = (16, 8, 4)
"""Words that are added at once, where the processor has vectors."""


class TablesEmitter(LayerEmitter):
    """Which rows the features pick, unless their values say it, and the sum of these rows."""

    kind = "tables"

    def output(self, network: Network, nodes: tuple[Node, ...], dialect: Dialect) -> Tensor:
        return Tensor.make(nodes[-1].name, network.ranges[nodes[-1].name], dialect.padding, ctype="int32_t")

    def extremes(self, job: LayerJob) -> list[npt.NDArray[np.int64]]:
        """Where the sums of a few outputs are largest and smallest."""
        layer = job.nodes[0].layer
        assert isinstance(layer, Tables)
        low, high = job.inputs[0].ends
        count = min(_MOST_OUTPUTS, layer.outputs)
        rows = []
        for output in (position * layer.outputs // count for position in range(count)):
            gain = np.zeros((layer.inputs, layer.values), np.int64)
            np.add.at(gain, layer.source, layer.entries[:, output][layer.rows])
            values = np.arange(layer.values)
            reached = (low[:, None] <= values) & (values <= high[:, None])
            for sign in (1, -1):
                best = np.where(reached, sign * gain, np.iinfo(np.int64).min).argmax(axis=1)
                rows.append(np.clip(best, low, high))
        return rows

    def emit(self, job: LayerJob) -> LayerCode:
        layer = job.nodes[0].layer
        assert isinstance(layer, Tables)
        (x,) = job.inputs
        stored = stored_tables(layer, x)
        width = _width(stored, layer.outputs, job)
        fields = 32 // stored.bits * width
        outputs = -(-layer.outputs // fields) * fields
        bias = np.zeros(outputs, np.int64)
        bias[: layer.outputs] = (stored.bias + 2**31) % 2**32 - 2**31
        if not stored.features:
            array = ConstantArray(f"{job.prefix}_bias", "int32_t", bias[: layer.outputs], "no input changes it")
            loop = (
                "(void)x;",
                f"for (size_t i = 0; i < {layer.outputs}u; i++) {{",
                f"    y[i] = {array.name}[i];",
                "}",
            )
            return LayerCode(statements=loop, comment=layer.summary(), constants=(array,))
        pick, index, picking = _picked(job, stored)
        entries = ConstantArray(
            f"{job.prefix}_entries",
            "uint32_t",
            stored.packed(width),
            f"unsigned, {stored.bits} bits each: [{outputs // fields} columns][{len(stored.rows)} rows][{width} words]",
        )
        offsets = ConstantArray(f"{job.prefix}_bias", "int32_t", bias, "what entries are stored larger by taken off")
        step = stored.step if index == "u8" else 0
        call = (
            "static const edgeml_tables tables = {",
            f"    {entries.name}, {offsets.name},",
            f"    {stored.features}, {step}, {len(stored.rows)}, {outputs // fields}, {stored.group}, {stored.segment}",
            "};",
            f"EDGEML_TABLES_WIDE({index}, {pick}, &tables, {stored.bits}u, {width}, y);"
            if width > 1
            else f"edgeml_tables_w{stored.bits}_{index}({pick}, &tables, y);",
        )
        return LayerCode(
            statements=(*picking.statements, *call),
            comment=f"{layer.summary()}; stored: {len(stored.rows)} rows of {stored.bits} bit entries",
            includes=("tables.h",),
            constants=(*picking.constants, entries, offsets),
            scratch_bytes=picking.scratch_bytes,
            kernel=f"tables_w{stored.bits}",
        )


def _width(stored: StoredTables, outputs: int, job: LayerJob) -> int:
    """Words of a column: as many as may be added at once, if a column of them wastes little and fits the output."""
    if job.dialect.vectors:
        words = -(-outputs * stored.bits // 32)
        for width in _WIDTHS:
            padded = -(-words // width) * width
            if padded * 4 <= 5 * words and padded * 32 // stored.bits <= job.output.padded:
                return width
    return 1


def _picked(job: LayerJob, stored: StoredTables) -> tuple[str, str, LayerCode]:
    """The rows of the features: an expression, the type of its elements, and the code that finds them."""
    (x,) = job.inputs
    features, name = stored.features, job.prefix
    consecutive = np.array_equal(stored.source, stored.source[0] + np.arange(features))
    if x.ctype == "uint8_t" and stored.step is not None and stored.first[0] == 0 and consecutive:
        return (f"x + {stored.source[0]}" if stored.source[0] else "x"), "u8", LayerCode((), "")
    constants = []
    source = f"{stored.source[0]}u + i" if consecutive else f"{name}_source[i]"
    if not consecutive:
        constants.append(narrowest(f"{name}_source", stored.source, "the input of each feature"))
    if stored.step is not None:
        first = f"(int32_t)i * {stored.step} + ({stored.first[0]})"
    else:
        meaning = "the row" if stored.row_of is None else "where the row's number stands,"
        constants.append(
            narrowest(f"{name}_first", stored.first, f"{meaning} for the stored integer 0 of each feature")
        )
        first = f"(int32_t){name}_first[i]"
    row = f"{first} + (int32_t)x[{source}]"
    if stored.row_of is not None:
        constants.append(narrowest(f"{name}_row", stored.row_of, "the row for each value of each feature"))
        row = f"{name}_row[{row}]"
    bits = 16 if len(stored.rows) <= 2**16 else 32
    statements = (
        f"uint{bits}_t *const row = (uint{bits}_t *)(void *)scratch;",
        f"for (size_t i = 0; i < {features}u; i++) {{",
        f"    row[i] = (uint{bits}_t)({row});",
        "}",
    )
    return "row", f"u{bits}", LayerCode(statements, "", constants=tuple(constants), scratch_bytes=bits // 8 * features)


EMITTER = TablesEmitter()
