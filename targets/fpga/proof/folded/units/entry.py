"""Units that start a chain without sums: the entry that passes a value on, the sum and the product of two streams."""

from __future__ import annotations

import numpy as np

from edgeml.errors import CheckFailed

from ..bit_rows import rows_of
from ..evaluation import Evaluation
from ..induction import Steps, compare, next_values, reset_from_anything
from ..netlist import Netlist
from ..pipeline import latency

__all__ = ["JOINING", "prove_joined", "prove_pass"]

JOINING = {"edgeml_add": np.add, "edgeml_multiply": np.multiply}
"""What units that take a value of each of two streams make of them."""

_MOST_OPERAND_BITS = 20


def prove_pass(netlist: Netlist) -> dict[str, int]:
    """A value is taken exactly when there is one and a place for its result, and pushed at once. Raises CheckFailed."""
    ports = netlist.ports
    both = np.arange(4)
    given = {"in_valid": both & 1, "can_reserve": both >> 1}
    now = Evaluation(netlist, 4, Steps({}, given).given(netlist))
    compare(now, "in_ready", ports["in_ready"], both >> 1)
    compare(now, "reserve", ports["reserve"], (both & 1) * (both >> 1))
    compare(now, "push", ports["push"], (both & 1) * (both >> 1))
    for place, bit in enumerate(ports["push_data"]):
        seen = Evaluation(netlist, 2, dict.fromkeys(ports["in_data"], 0) | {ports["in_data"][place]: 0b10})
        if len(ports["push_data"]) != len(ports["in_data"]) or seen.rows([bit]) != [0b10] or not _passed(netlist, bit):
            raise CheckFailed("push_data", "is not in_data")
    return {"states": 1, "clocks": 0}


def _passed(netlist: Netlist, bit: int) -> bool:
    """Whether a bit is an input, passed on."""
    while bit in netlist.driver:
        cell, _, place = netlist.driver[bit]
        if cell.kind != "$pos":
            return False
        bit = cell.ports["A"][place]
    return bit in netlist.ports["in_data"]


def prove_joined(netlist: Netlist, module: str, parameters: dict[str, int]) -> dict[str, int]:
    """Two values are taken together, when both are there and their results have a place; pushed one clock later: a + b
    or a · b in each lane, for all operands. Raises CheckFailed."""
    ports = netlist.ports
    rows = np.arange(32)
    reset, held = rows & 1, rows >> 4
    inputs = {"rst": reset, "a_valid": rows >> 1 & 1, "b_valid": rows >> 2 & 1, "can_reserve": rows >> 3 & 1}
    take = inputs["a_valid"] * inputs["b_valid"] * inputs["can_reserve"]
    now = Evaluation(netlist, 32, Steps({"push": held}, inputs).given(netlist))
    for port in ("a_ready", "b_ready", "reserve"):
        compare(now, port, ports[port], take)
    compare(now, "push", ports["push"], held)
    compare(now, "next push", next_values(netlist, ports["push"]), take * (1 - reset))
    reset_from_anything(netlist, {"push": 0})
    a_bits, b_bits, out = parameters["A_BITS"], parameters["B_BITS"], parameters["OUTPUT_BITS"]
    if a_bits + b_bits > _MOST_OPERAND_BITS:
        raise CheckFailed("results", f"have operands of {a_bits + b_bits} bits together, {_MOST_OPERAND_BITS} at most")
    found = latency(netlist, ports["push_data"], [*ports["a_data"], *ports["b_data"]], {ports["rst"][0]: 0})
    if found != 1:
        raise CheckFailed("push_data", f"comes {found} clocks after its operands, not 1")
    operands = np.arange(1 << (a_bits + b_bits))
    a, b = operands & ((1 << a_bits) - 1), operands >> a_bits
    given = rows_of(operands, a_bits + b_bits)
    value_a = np.where((a >> (a_bits - 1) == 1) & bool(parameters["A_SIGNED"]), a - (1 << a_bits), a)
    value_b = np.where((b >> (b_bits - 1) == 1) & bool(parameters["B_SIGNED"]), b - (1 << b_bits), b)
    wanted = JOINING[module](value_a, value_b) & ((1 << out) - 1)
    for lane in range(parameters["LANES"]):
        both = (
            ports["a_data"][lane * a_bits : (lane + 1) * a_bits] + ports["b_data"][lane * b_bits : (lane + 1) * b_bits]
        )
        known = dict(zip(both, given, strict=True)) | {ports["rst"][0]: 0}
        seen = Evaluation(netlist, len(operands), known, through=True)
        compare(seen, f"result of lane {lane}", ports["push_data"][lane * out : (lane + 1) * out], wanted)
    return {"states": 2, "operands": len(operands), "clocks": 1}
