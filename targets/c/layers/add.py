"""C of the sum of two tensors."""

from __future__ import annotations

from ..emitter import LayerEmitter, LayerJob
from ..layer_code import LayerCode

__all__ = ["EMITTER", "AddEmitter"]


class AddEmitter(LayerEmitter):
    """y = a + b on stored integers of any type; the three offsets make one constant."""

    kind = "add"

    def emit(self, job: LayerJob) -> LayerCode:
        a, b = job.inputs
        offset = a.low + b.low - job.output.low
        return LayerCode(
            statements=(
                f"for (size_t i = 0; i < {job.output.size}u; i++) {{",
                f"    y[i] = ({job.output.ctype})((int32_t)x[i] + (int32_t)x1[i] + ({offset}));",
                "}",
            ),
            comment=f"{a.name} + {b.name}",
        )


EMITTER = AddEmitter()
