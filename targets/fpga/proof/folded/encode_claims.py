"""What is claimed of each result of an encode layer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgeml.errors import CheckFailed
from edgeml.network import Network, Node
from edgeml.proof.claim import OPEN, PROVED
from edgeml.proof.statement import Function, statement_of

from .facts import Fact
from .layer_claims import ChannelClaim, NodeClaims, Values
from .netlist import Cell, Netlist
from .units.encode import prove_encoded
from .units.passing import WrongValue

__all__ = ["encode_claims"]


def encode_claims(
    node: Node, network: Network, cell: Cell, netlist: Netlist, facts: Sequence[Fact], source: Values
) -> tuple[NodeClaims, Values]:
    """Each result for all values of the one input that it looks at."""
    given = {name: value for name, value in cell.parameters.items() if isinstance(value, int)}
    lanes, results, parts = given["PE"], given["NF"], given["PARTS"]
    channels, beats = network.sizes[node.name], source.beats(source.lanes)
    expected = {"SIMD": source.lanes, "INPUT_BITS": source.bits, "NF": -(-channels // lanes)}
    if given["HAS_OPERANDS"]:
        expected["WORDS"] = results if given["SHAPES"] == 1 else beats
    if any(given[name] != value for name, value in expected.items()):
        raise CheckFailed(f"instance {cell.name}", f"must have {expected}")
    if -(-results // parts) != beats or source.offset.any():
        raise CheckFailed(f"instance {cell.name}", "takes another number of values in a frame than there are")
    problem = "; ".join(fact.problem for fact in facts if fact.problem)
    claims, looked_at = [], 0
    for channel in range(channels):
        statement = statement_of(node, channel)
        if not isinstance(statement, Function) or len(statement.sources) != 1:
            raise CheckFailed(f"layer {node.name}", "is not a function of one input for each result")
        ((_, taken),) = statement.sources
        span = (int(source.low[taken]), int(source.high[taken]))
        try:
            looked_at += prove_encoded(netlist, given, (channel, taken), span, statement.values)
            claims.append(ChannelClaim(OPEN, problem) if problem else ChannelClaim(PROVED))
        except WrongValue as error:
            claims.append(ChannelClaim(OPEN, str(error), {"value": error.value, "source": taken}))
        except CheckFailed as error:
            claims.append(ChannelClaim(OPEN, str(error)))
    reach = network.ranges[node.name]
    zero = np.zeros(channels, np.int64)
    values = Values(lanes, given["OUTPUT_BITS"], reach.low.astype(np.int64), reach.high.astype(np.int64), zero)
    return NodeClaims(node.name, cell.name, tuple(claims), tuple(facts), tuple(zero.tolist()), looked_at), values
