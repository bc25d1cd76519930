"""C of a fully connected layer: which kernel computes it, with the offsets of its input folded into its bias."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.network import Dense, Network, Node, Threshold

from ..dense_kernels.events import EventsKernel
from ..dense_kernels.kernel import DenseKernel, DenseProblem
from ..dialect import Dialect
from ..emitter import LayerEmitter, LayerJob
from ..layer_code import LayerCode
from ..tensor import Tensor
from .threshold import threshold_tensor

__all__ = ["EMITTER", "DenseEmitter"]

_MOST_OUTPUTS = 12
"""Outputs whose both ends are driven when the step runs alone."""


class DenseEmitter(LayerEmitter):
    """Leaves the layer to one of the dialect's kernels; one that can also compute the thresholds behind it, does."""

    kind = "dense"

    def output(self, network: Network, nodes: tuple[Node, ...], dialect: Dialect) -> Tensor:
        if isinstance(nodes[-1].layer, Threshold):
            return threshold_tensor(network, nodes[-1], dialect)
        return Tensor.make(nodes[-1].name, network.ranges[nodes[-1].name], dialect.padding, ctype="int32_t")

    def absorbs(self, job: LayerJob, consumer: Node) -> bool:
        if len(job.nodes) > 1 or not isinstance(consumer.layer, Threshold):
            return False
        nodes = (*job.nodes, consumer)
        fused = replace(job, nodes=nodes, output=self.output(job.network, nodes, job.dialect))
        return _kernel(_problem(fused), job.dialect) is not None

    def extremes(self, job: LayerJob) -> list[npt.NDArray[np.int64]]:
        """Where the sums of a few outputs are largest and smallest."""
        layer = job.nodes[0].layer
        assert isinstance(layer, Dense)
        low, high = job.inputs[0].ends
        count = min(_MOST_OUTPUTS, layer.outputs)
        rows = []
        for output in (position * layer.outputs // count for position in range(count)):
            positive = layer.weight[output] > 0
            rows += [np.where(positive, high, low), np.where(positive, low, high)]
        return rows

    def emit(self, job: LayerJob) -> LayerCode:
        problem = _problem(job)
        kernel = _kernel(problem, job.dialect)
        if kernel is None:
            raise InputError(f"layer {job.nodes[0].name}", "no kernel of this target computes it")
        return kernel.emit(problem)


def _problem(job: LayerJob) -> DenseProblem:
    """The problem of a step whose first layer is dense."""
    dense, last = job.nodes[0].layer, job.nodes[-1].layer
    assert isinstance(dense, Dense)
    (x,) = job.inputs
    weight = dense.weight.astype(np.int64)
    bias = dense.bias + (x.low - dense.input_zero_point) * weight.sum(axis=1)
    positive, negative = np.maximum(weight, 0), np.minimum(weight, 0)

    def bounds(low: npt.NDArray[Any], high: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], ...]:
        return positive @ low + negative @ high, positive @ high + negative @ low

    whole = bounds(x.stored_low, x.stored_high)
    partial = bounds(np.minimum(x.stored_low, 0), np.maximum(x.stored_high, 0))
    return DenseProblem(
        weight=dense.weight,
        weight_bits=dense.weight_bits,
        bias=bias,
        thresholds=last.thresholds if isinstance(last, Threshold) else None,
        input=x,
        output=job.output,
        low=whole[0] + bias,
        high=whole[1] + bias,
        partial_low=partial[0] + np.minimum(bias, 0),
        partial_high=partial[1] + np.maximum(bias, 0),
        padding=job.dialect.padding,
        prefix=job.prefix,
        events=any(node.name == x.name and node.layer.population for node in job.network.nodes),
    )


def _kernel(problem: DenseProblem, dialect: Dialect) -> DenseKernel | None:
    """The quickest of the dialect's kernels that apply; behind a spiking population, the one that follows events."""
    spiking = EventsKernel()
    if spiking.applies(problem):
        return spiking
    applying = [kernel for kernel in dialect.dense_kernels if kernel.applies(problem)]
    return min(applying, key=lambda kernel: kernel.cost(problem), default=None)


EMITTER = DenseEmitter()
