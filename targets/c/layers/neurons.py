"""C of exact spiking populations: spikes of one value travel as one event whose payload is their number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from edgeml.network import Network, Node, Threshold
from edgeml.network.layers.neurons import Neurons

from ..dialect import Dialect
from ..emitter import LayerEmitter, LayerJob
from ..layer_code import LayerCode
from ..tensor import Tensor
from .threshold import ThresholdEmitter, at_thresholds

__all__ = ["EMITTER", "NeuronsEmitter"]


class NeuronsEmitter(LayerEmitter):
    """What an integrate-and-fire neuron does with its whole potential: it counts the steps that fit in.

    The order in which an encoding lets the spikes go is a matter of wires, not of integers; a receiver in the same
    memory takes them all at once (`dense_kernels/events`).
    """

    kind = "neurons"

    def output(self, network: Network, nodes: tuple[Node, ...], dialect: Dialect) -> Tensor:
        layer = nodes[-1].layer
        assert isinstance(layer, Neurons)
        values = network.ranges[nodes[-1].name]
        return Tensor.make(nodes[-1].name, values, dialect.padding, ctype="uint8_t", low=layer.base)

    def extremes(self, job: LayerJob) -> list[npt.NDArray[np.int64]]:
        layer = job.nodes[0].layer
        assert isinstance(layer, Neurons)
        return at_thresholds(layer.thresholds, job.inputs[0])

    def emit(self, job: LayerJob) -> LayerCode:
        layer = job.nodes[-1].layer
        assert isinstance(layer, Neurons)
        node = Node(job.nodes[-1].name, Threshold(layer.thresholds, layer.base), job.nodes[-1].inputs)
        counting = ThresholdEmitter().emit(replace(job, nodes=(node,)))
        return LayerCode(
            statements=counting.statements,
            comment=f"{layer.channels} neurons, {layer.encoding}: spikes stand for 0 ... {layer.levels}",
            includes=counting.includes,
            constants=counting.constants,
            scratch_bytes=counting.scratch_bytes,
        )


EMITTER = NeuronsEmitter()
