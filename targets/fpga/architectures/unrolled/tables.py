"""Functions of few bits as tables."""

from __future__ import annotations

from collections.abc import Sequence

from .netlist import Bit, CellKind, Netlist

__all__ = ["function_bits"]


def function_bits(netlist: Netlist, inputs: Sequence[Bit], results: Sequence[int], width: int, note: str) -> list[Bit]:
    """The lowest `width` bits of results[x], x the inputs' number; outputs that are inputs or constants are free.

    Inputs that no output depends on are left out.
    """
    size = 2 ** len(inputs)
    known: dict[int, Bit] = {0: Bit(-2, 0), 2**size - 1: Bit(-2, 1)}
    for place, bit in enumerate(inputs):
        table = sum(1 << x for x in range(size) if (x >> place) & 1)
        known.setdefault(table, bit)
        known.setdefault(2**size - 1 - table, ~bit)
    tables = [sum(((result >> k) & 1) << x for x, result in enumerate(results)) for k in range(width)]
    fresh = sorted({table for table in tables if table not in known})
    if fresh:
        used = [p for p in range(len(inputs)) if any(_depends(table, p, size) for table in fresh)]
        numbers = [sum(((x >> k) & 1) << p for k, p in enumerate(used)) for x in range(2 ** len(used))]
        shape = [sum(((table >> number) & 1) << x for x, number in enumerate(numbers)) for table in fresh]
        outputs = netlist.add(CellKind.TABLE, [inputs[p] for p in used], shape, len(fresh), note)
        known.update(zip(fresh, outputs, strict=True))
    return [known[table] for table in tables]


def _depends(table: int, place: int, size: int) -> bool:
    return any((table >> x) & 1 != (table >> (x ^ (1 << place))) & 1 for x in range(size) if not (x >> place) & 1)
