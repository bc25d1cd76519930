"""C of inputs as bits, levels, equalities and values: packed into words for a dense layer that counts bits, else a loop
for each rule."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from edgeml.network import Dense, Network, Node, Threshold
from edgeml.network.layers.encode import BIT, Encode

from ..dense_kernels.bits import BitsKernel, BitsProblem, pack
from ..dialect import Dialect
from ..emitter import LayerEmitter, LayerJob
from ..encode_loops import rule_loops
from ..layer_code import LayerCode
from ..tensor import Tensor
from .dense import EMITTER as DENSE

__all__ = ["EMITTER", "EncodeEmitter"]

_MOST_DRIVEN = 64
"""Operands that are driven from both sides when the step runs alone."""
_MOST_OUTPUTS = 8
"""Outputs of a dense layer behind it whose both ends are driven then."""


class EncodeEmitter(LayerEmitter):
    """Alone, the outputs of each rule in a loop of their own, over tables of their places, inputs and operands. A dense
    layer of few bits behind binary outputs, and thresholds behind that, become one stage with it, if one of the
    dialect's kernels counts bits."""

    kind = "encode"

    def output(self, network: Network, nodes: tuple[Node, ...], dialect: Dialect) -> Tensor:
        if len(nodes) > 1:
            return DENSE.output(network, nodes[1:], dialect)
        return super().output(network, nodes, dialect)

    def absorbs(self, job: LayerJob, consumer: Node) -> bool:
        behind = [*(node.layer for node in job.nodes[1:]), consumer.layer]
        wanted = (Dense, Threshold)[: len(behind)]
        if len(behind) > len(wanted) or not all(map(isinstance, behind, wanted)):
            return False
        nodes = (*job.nodes, consumer)
        return _kernel(replace(job, nodes=nodes, output=self.output(job.network, nodes, job.dialect))) is not None

    def extremes(self, job: LayerJob) -> list[npt.NDArray[np.int64]]:
        """Values at a level or an equality of each input and beside it, bits one after the other, and where a few sums
        of a dense layer in this stage are largest and smallest."""
        layer = job.nodes[0].layer
        assert isinstance(layer, Encode)
        low, high = job.inputs[0].ends
        rows = []
        for place in range(0, layer.outputs, -(-layer.outputs // _MOST_DRIVEN)):
            operand = int(layer.operand[place])
            at = 1 << operand if layer.rule[place] == BIT else operand
            rows += [np.clip(np.full_like(low, at + step), low, high) for step in (-1, 0, 1)]
        for node in job.nodes[1:2]:
            if not isinstance(node.layer, Dense):
                break  # Boolean functions
            for weight in node.layer.weight[:_MOST_OUTPUTS].astype(np.float64):
                found = [layer.best_inputs(sign * weight, int(low.min()), int(high.max())) for sign in (1, -1)]
                rows += [np.clip(best[0].astype(np.int64), low, high) for best in found if best is not None]
        return rows

    def emit(self, job: LayerJob) -> LayerCode:
        layer = job.nodes[0].layer
        assert isinstance(layer, Encode)
        if len(job.nodes) > 1:
            found = _kernel(job)
            assert found is not None
            kernel, problem = found
            return kernel.emit(problem)
        statements, constants = rule_loops(layer, job.inputs[0], job.output, job.prefix)
        return LayerCode(statements=statements, comment=layer.summary(), constants=constants)


def _kernel(job: LayerJob) -> tuple[BitsKernel, BitsProblem] | None:
    """The first kernel of the dialect that counts the bits of a stage with a dense layer, and what it is to count."""
    encode, dense, *rest = (node.layer for node in job.nodes)
    assert isinstance(encode, Encode)
    assert isinstance(dense, Dense)
    weight = dense.weight.astype(np.int64)
    if not job.dialect.bits or not encode.binary or int(np.abs(weight).max()) > 2:
        return None
    (x,) = job.inputs
    ends = job.network.ranges[job.nodes[0].name]
    bits = pack(encode, x, ends.low, ends.high, weight, job.prefix)
    thresholds = rest[0].thresholds if rest and isinstance(rest[0], Threshold) else None
    title = f"{encode.summary()}; dense {encode.outputs} -> {dense.outputs}, {dense.weight_bits}-bit weights"
    problem = BitsProblem(
        bits=bits,
        bias=dense.bias - dense.input_zero_point * weight.sum(axis=1) + bits.bias,
        thresholds=thresholds,
        output=job.output,
        prefix=job.prefix,
        title=title if thresholds is None else f"{title}, {thresholds.shape[1]} thresholds",
    )
    return next(((kernel, problem) for kernel in job.dialect.bits if kernel.applies(problem)), None)


EMITTER = EncodeEmitter()
