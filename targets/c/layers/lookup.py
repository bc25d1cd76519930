"""C of a table of a function of one small integer."""

from __future__ import annotations

import numpy as np

from edgeml.network.layers.lookup import Lookup

from ..arrays import ConstantArray
from ..emitter import LayerEmitter, LayerJob
from ..layer_code import LayerCode

__all__ = ["EMITTER", "LookupEmitter"]


class LookupEmitter(LayerEmitter):
    """A table of stored integers, indexed by stored integers: both offsets are in the table."""

    kind = "lookup"

    def emit(self, job: LayerJob) -> LayerCode:
        layer = job.nodes[-1].layer
        assert isinstance(layer, Lookup)
        (x,) = job.inputs
        output = job.output
        # Only the entries that the input's range reaches; the range of the output was taken from just those.
        lowest, highest = int((x.stored_low + x.low).min()), int((x.stored_high + x.low).max())
        # Between the ranges of two channels there may be entries that none reaches: they need only fit the type.
        reached = layer.table[lowest - layer.base : highest - layer.base + 1].astype(np.int64)
        entries = np.clip(reached, *job.network.ranges[job.nodes[-1].name].bounds) - output.low
        name = f"{job.prefix}_table"
        array = ConstantArray(name, output.ctype, entries, f"output for each input from {lowest} on")
        first = lowest - x.low
        if x.ctype == "uint8_t" and output.ctype == "uint8_t" and first == 0:
            statements: tuple[str, ...] = (f"edgeml_lookup_u8(x, {name}, {output.size}, y);",)
        else:
            statements = (
                f"for (size_t i = 0; i < {output.size}u; i++) {{",
                f"    y[i] = {name}[(int32_t)x[i] - ({first})];",
                "}",
            )
        return LayerCode(
            statements=statements,
            comment=f"table of {entries.size} entries, outputs {int(layer.table.min())} ... {int(layer.table.max())}",
            includes=("lookup.h",),
            constants=(array,),
        )


EMITTER = LookupEmitter()
