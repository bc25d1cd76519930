"""C of a fully connected layer: which kernel computes it, with the offsets of its input folded into its bias."""

from __future__ import annotations

from edgeml.network import Network, Node, Threshold

from ..dense_kernels.kernel import DenseKernel, DenseProblem
from ..dialect import Dialect
from ..emitter import LayerCode, LayerEmitter, LayerJob
from ..tensor import Tensor
from .threshold import threshold_tensor

__all__ = ["DenseEmitter"]


class DenseEmitter(LayerEmitter):
    """Leaves the layer to one of the dialect's kernels; one that can also compute the thresholds behind it, does."""

    kind = "dense"

    def output(self, network: Network, nodes: tuple[Node, ...], dialect: Dialect) -> Tensor:
        if isinstance(nodes[-1].layer, Threshold):
            return threshold_tensor(network, nodes[-1], dialect)
        return Tensor.make(nodes[-1].name, network.ranges[nodes[-1].name], dialect.padding, ctype="int32_t")

    def emit(self, job: LayerJob) -> LayerCode:
        problem = DenseProblem.of(job)
        return self._kernel(problem).emit(problem)

    def _kernel(self, problem: DenseProblem) -> DenseKernel:
        applying = [kernel for kernel in problem.dialect.dense_kernels if kernel.applies(problem)]
        return min(applying, key=lambda kernel: kernel.cost(problem))
