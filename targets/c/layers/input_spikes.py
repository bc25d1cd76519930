"""C of the input population of an exact spiking network."""

from __future__ import annotations

from edgeml.network import Network, Node
from edgeml.network.layers.input_spikes import InputSpikes

from ..dialect import Dialect
from ..emitter import LayerEmitter, LayerJob
from ..layer_code import LayerCode
from ..tensor import Tensor

__all__ = ["EMITTER", "InputSpikesEmitter"]


class InputSpikesEmitter(LayerEmitter):
    """Copies the stored integers: an input of the lowest value is silent."""

    kind = "input_spikes"

    def output(self, network: Network, nodes: tuple[Node, ...], dialect: Dialect) -> Tensor:
        layer = nodes[-1].layer
        assert isinstance(layer, InputSpikes)
        values = network.ranges[nodes[-1].name]
        return Tensor.make(nodes[-1].name, values, dialect.padding, ctype="uint8_t", low=layer.low)

    def emit(self, job: LayerJob) -> LayerCode:
        (x,) = job.inputs
        offset = x.low - job.output.low
        value = "x[i]" if offset == 0 else f"(uint8_t)((int32_t)x[i] + ({offset}))"
        return LayerCode(
            statements=(f"for (size_t i = 0; i < {job.output.size}u; i++) {{", f"    y[i] = {value};", "}"),
            comment="input integers as events, the lowest silent",
        )


EMITTER = InputSpikesEmitter()
