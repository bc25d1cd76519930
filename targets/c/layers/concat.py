"""C of two tensors side by side."""

from __future__ import annotations

from ..emitter import LayerEmitter, LayerJob
from ..layer_code import LayerCode
from ..tensor import Tensor

__all__ = ["EMITTER", "ConcatEmitter"]


class ConcatEmitter(LayerEmitter):
    """Two loops, which copy stored integers and move them by a constant where the inputs' smallest values differ."""

    kind = "concat"

    def emit(self, job: LayerJob) -> LayerCode:
        a, b = job.inputs
        return LayerCode(
            statements=(*_copied("x", a, "", job.output), *_copied("x1", b, f"{a.size}u + ", job.output)),
            comment=f"{a.name}, then {b.name}",
        )


def _copied(pointer: str, x: Tensor, first: str, y: Tensor) -> tuple[str, ...]:
    value = f"{pointer}[i]"
    if x.ctype != y.ctype or x.low != y.low:
        value = f"({y.ctype})((int32_t){value} + ({x.low - y.low}))"
    return (f"for (size_t i = 0; i < {x.size}u; i++) {{", f"    y[{first}i] = {value};", "}")


EMITTER = ConcatEmitter()
