"""C of Boolean functions: the bits of each gathered, and looked up in its table."""

from __future__ import annotations

from edgeml.network import Logic, Network, Node

from ..dialect import Dialect
from ..emitter import LayerEmitter, LayerJob
from ..layer_code import LayerCode
from ..logic_tables import looked_up
from ..sliced.stage import is_sliced, sliced_code, sliced_output
from ..tensor import Tensor

__all__ = ["EMITTER", "LogicEmitter"]


class LogicEmitter(LayerEmitter):
    """Sources and tables of all functions in two arrays, gone through by one loop; a network of such layers becomes one
    stage that computes many samples at once, where the dialect wants that."""

    kind = "logic"

    def output(self, network: Network, nodes: tuple[Node, ...], dialect: Dialect) -> Tensor:
        if is_sliced(network, dialect):
            return sliced_output(network)
        return super().output(network, nodes, dialect)

    def absorbs(self, job: LayerJob, consumer: Node) -> bool:
        return is_sliced(job.network, job.dialect)

    def emit(self, job: LayerJob) -> LayerCode:
        if is_sliced(job.network, job.dialect):
            return sliced_code(job)
        layer = job.nodes[0].layer
        assert isinstance(layer, Logic)
        statements, constants = looked_up(layer, job.prefix, job.inputs[0], job.output.low)
        return LayerCode(statements=statements, comment=layer.summary(), constants=constants, kernel="logic_tables")


EMITTER = LogicEmitter()
