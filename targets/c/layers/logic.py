"""C of Boolean functions: the bits of each gathered, and looked up in its table."""

from __future__ import annotations

from edgeml.network import Logic

from ..emitter import LayerEmitter, LayerJob
from ..layer_code import LayerCode
from ..logic_tables import looked_up

__all__ = ["EMITTER", "LogicEmitter"]


class LogicEmitter(LayerEmitter):
    """Sources and tables of all functions in two arrays, gone through by one loop; of networks of such layers there is
    C of many samples at once, too (`sliced`)."""

    kind = "logic"

    def emit(self, job: LayerJob) -> LayerCode:
        layer = job.nodes[0].layer
        assert isinstance(layer, Logic)
        statements, constants = looked_up(layer, job.prefix, job.inputs[0], job.output.low)
        return LayerCode(statements=statements, comment=layer.summary(), constants=constants, kernel="logic_tables")


EMITTER = LogicEmitter()
