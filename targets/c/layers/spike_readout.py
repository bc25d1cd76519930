"""C of what is read from the last layer of a classic spiking network."""

from __future__ import annotations

from edgeml.network import Network, Node
from edgeml.network.layers.spike_readout import SpikeReadout

from ..dialect import Dialect
from ..emitter import LayerEmitter, LayerJob
from ..layer_code import LayerCode
from ..tensor import Tensor

__all__ = ["EMITTER", "SpikeReadoutEmitter"]


class SpikeReadoutEmitter(LayerEmitter):
    """Sum, last step or maximum over time."""

    kind = "spike_readout"

    def output(self, network: Network, nodes: tuple[Node, ...], dialect: Dialect) -> Tensor:
        return Tensor.make(nodes[-1].name, network.ranges[nodes[-1].name], dialect.padding, ctype="int32_t")

    def emit(self, job: LayerJob) -> LayerCode:
        layer = job.nodes[-1].layer
        assert isinstance(layer, SpikeReadout)
        (x,) = job.inputs
        n = layer.channels
        value = f"(int32_t)x[t * {n}u + i] + ({x.low})"
        first = layer.steps - 1 if layer.reading == "last" else 0
        then = {"sum": "y[i] += value;", "maximum": "y[i] = value > y[i] ? value : y[i];", "last": ""}[layer.reading]
        statements = [
            f"for (size_t i = 0; i < {n}u; i++) {{",
            f"    y[i] = (int32_t)x[{first * n}u + i] + ({x.low});",
            "}",
        ]
        if then and layer.steps > 1:
            statements += [
                f"for (size_t t = 1; t < {layer.steps}u; t++) {{",
                f"    for (size_t i = 0; i < {n}u; i++) {{",
                f"        const int32_t value = {value};",
                f"        {then}",
                "    }",
                "}",
            ]
        return LayerCode(statements=tuple(statements), comment=f"{layer.reading} over {layer.steps} steps")


EMITTER = SpikeReadoutEmitter()
