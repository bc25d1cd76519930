"""C of the network's input: the caller's integers into the arena, as value − low."""

from __future__ import annotations

import numpy as np

from edgeml.network import Network, Node

from ..dialect import Dialect
from ..emitter import LayerEmitter, LayerJob
from ..layer_code import LayerCode
from ..sliced.stage import is_sliced, sliced_code, sliced_output
from ..stored.meaning import Meaning
from ..tensor import Tensor

__all__ = ["EMITTER", "InputQuantizerEmitter"]


class InputQuantizerEmitter(LayerEmitter):
    """Copies the input integers and clips them to the range of the quantizer: an integer outside would be an index
    outside of a kernel's table. A network of Boolean functions is one stage with it, where the dialect wants that."""

    kind = "input_quantizer"

    def output(self, network: Network, nodes: tuple[Node, ...], dialect: Dialect) -> Tensor:
        if is_sliced(network, dialect):
            return sliced_output(network)
        return Tensor.make(nodes[0].name, network.ranges[nodes[0].name], dialect.padding, ctype="uint8_t")

    def absorbs(self, job: LayerJob, consumer: Node) -> bool:
        return is_sliced(job.network, job.dialect)

    def emit(self, job: LayerJob) -> LayerCode:
        if is_sliced(job.network, job.dialect):
            return sliced_code(job)
        quantizer = job.network.quantizer
        call = (
            f"s8(x, {quantizer.size}, {job.output.padded}, {quantizer.low}, y)"
            if quantizer.signed
            else (f"u8(x, {quantizer.size}, {job.output.padded}, {quantizer.high}, y)")
        )
        return LayerCode(
            statements=(f"edgeml_input_{call};",),
            comment=f"input integers {quantizer.low} ... {quantizer.high}, stored as value - ({quantizer.low})",
            includes=("input.h",),
            fills_padding=True,
            meaning=Meaning(lambda arrays, q: np.clip(q, quantizer.low, quantizer.high) - quantizer.low),
        )


EMITTER = InputQuantizerEmitter()
