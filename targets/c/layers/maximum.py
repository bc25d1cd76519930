"""C of the largest of some values."""

from __future__ import annotations

from edgeml.network import Maximum, ValueRange

from ..emitter import LayerEmitter, LayerJob
from ..gather_loops import Gathering
from ..layer_code import LayerCode
from ..tensor import Tensor

__all__ = ["EMITTER", "MaximumEmitter"]


class MaximumEmitter(LayerEmitter):
    """Each output's values are gathered into scratch memory, and the largest of them is looked for."""

    kind = "maximum"

    def emit(self, job: LayerJob) -> LayerCode:
        layer = job.nodes[0].layer
        assert isinstance(layer, Maximum)
        (x,), y = job.inputs, job.output
        row = Tensor.make("row", ValueRange.uniform(x.low, x.low, layer.width), 1, ctype=x.ctype, low=x.low)
        gathering = Gathering(layer.gather, x, row, x.low, job.prefix)
        return LayerCode(
            statements=(
                f"{x.ctype} *const row = ({x.ctype} *)(void *)scratch;",
                f"for (size_t position = 0; position < {layer.outputs}u; position++) {{",
                *(f"    {line}" for line in gathering.statements()),
                f"    {x.ctype} largest = row[0];",
                f"    for (size_t c = 1; c < {layer.width}u; c++) {{",
                "        largest = row[c] > largest ? row[c] : largest;",
                "    }",
                f"    y[position] = ({y.ctype})((int32_t)largest + ({x.low - y.low}));",
                "}",
            ),
            comment=layer.summary(),
            constants=tuple(gathering.constants),
            scratch_bytes=row.bytes,
        )


EMITTER = MaximumEmitter()
