"""C of a fully connected layer: which kernel computes it, with the offsets of its input folded into its bias."""

from __future__ import annotations

from dataclasses import replace

from edgeml.errors import InputError
from edgeml.network import Network, Node, Threshold

from ..dense_kernels.events import EventsKernel
from ..dense_kernels.kernel import DenseKernel, DenseProblem
from ..dialect import Dialect
from ..emitter import LayerCode, LayerEmitter, LayerJob
from ..tensor import Tensor
from .threshold import threshold_tensor

__all__ = ["EMITTER", "DenseEmitter"]


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
        return _kernel(DenseProblem.of(fused)) is not None

    def emit(self, job: LayerJob) -> LayerCode:
        problem = DenseProblem.of(job)
        kernel = _kernel(problem)
        if kernel is None:
            raise InputError(f"layer {job.nodes[0].name}", "no kernel of this target computes it")
        return kernel.emit(problem)


def _kernel(problem: DenseProblem) -> DenseKernel | None:
    """The quickest of the dialect's kernels that apply; behind a spiking population, the one that follows events."""
    spiking = EventsKernel()
    if spiking.applies(problem):
        return spiking
    applying = [kernel for kernel in problem.dialect.dense_kernels if kernel.applies(problem)]
    return min(applying, key=lambda kernel: kernel.cost(problem), default=None)


EMITTER = DenseEmitter()
