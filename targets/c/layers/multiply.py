"""C of the product of two tensors."""

from __future__ import annotations

from ..emitter import LayerEmitter, LayerJob
from ..layer_code import LayerCode
from ..tensor import Tensor

__all__ = ["EMITTER", "MultiplyEmitter"]


class MultiplyEmitter(LayerEmitter):
    """y = a · b: one loop of single products, which compilers make vectors of where there are some."""

    kind = "multiply"

    def emit(self, job: LayerJob) -> LayerCode:
        a, b = job.inputs
        y = job.output
        product = f"{_value('x', a)} * {_value('x1', b)}"
        return LayerCode(
            statements=(
                f"for (size_t i = 0; i < {y.size}u; i++) {{",
                f"    y[i] = ({y.ctype})({product}{f' + ({-y.low})' if y.low else ''});",
                "}",
            ),
            comment=f"{a.name} * {b.name}",
        )


def _value(pointer: str, x: Tensor) -> str:
    return f"((int32_t){pointer}[i] + ({x.low}))" if x.low else f"(int32_t){pointer}[i]"


EMITTER = MultiplyEmitter()
