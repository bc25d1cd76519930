"""What estimates count: amounts of each kind of logic, registers, block RAMs and multiplier blocks."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..budget import Family

__all__ = ["Parts", "block_rams", "counter_bits", "multiplier_blocks"]


@dataclass
class Parts:
    """Amounts of logic by kind, and cells that are counted directly.

    How many lookup tables synthesis makes of a unit of each kind was fitted to yosys, by family of parts (`constants`).
    The kinds of folded designs:

    - `product`: lookup tables of products that differ. `multiplier`: those of products in logic (`products`), or their
      bit products on Xilinx.
    - `tree`, `sum`: bits of additions of products that are tables, and of those of multiplier blocks.
    - `accumulator`, `constant`: bits of sums, and of constants that they start from.
    - `rom`, `factors`: lookup tables of constants in logic, and of the factors of channels.
    - `compare`, `fixed`: bits of comparisons with thresholds that change, that do not.
    - `select`: bits of multiplexers. `stream`: counters, handshakes, width converters, in bits.
    - `rescale`, `float`, `significand`: bits of what requantizes in integers, as floating point does, and of what is
      rounded to its significand; of iCE40 lookup tables of the first two. `partial`: bits of products of several blocks
      (UltraScale+). `unit`: units.

    Those of unrolled designs (`architectures.unrolled.estimate`) follow from the cells of the netlist.
    """

    logic: dict[str, float] = field(default_factory=dict)
    luts: float = 0.0
    flip_flops: float = 0.0
    block_rams: int = 0
    dsps: int = 0

    def add(self, kind: str, amount: float) -> None:
        """More logic of a kind."""
        self.logic[kind] = self.logic.get(kind, 0.0) + amount


def counter_bits(count: int) -> int:
    """Bits of a counter over `count` values; none for one."""
    return max((count - 1).bit_length(), 1) if count > 1 else 0


def block_rams(words: int, width: int, family: Family) -> int:
    """Block RAMs of the best shape for a memory."""
    return min(-(-words // depth) * -(-width // bits) for depth, bits in family.block_shapes)


@dataclass(frozen=True)
class _Block:
    """A family's multiplier block as yosys uses it: bits of its factors, of a part of a longer factor, of the shortest
    product that it is taken for, whether it multiplies numbers with a sign alone, and bits of the shortest factor."""

    longer: int
    shorter: int
    part: int
    least_product: int
    signed_only: bool
    least_factor: int = 2


_BLOCKS = {
    "xc7": _Block(25, 18, 18, 9, True),
    "xcup": _Block(27, 18, 18, 9, True),
    "ecp5": _Block(18, 18, 18, 0, False),
    "gowin": _Block(18, 18, 18, 0, False, 4),
}


def multiplier_blocks(a_bits: int, b_bits: int, product_bits: int, family: Family, *, signed: bool = True) -> int:
    """How many multiplier blocks yosys takes for a product of which `product_bits` are used; 0: it becomes logic.

    Longer factors are cut into parts, each with a product of its own (`mul2dsp` in yosys).
    """
    block = _BLOCKS.get(family.name, _BLOCKS.get(family.fitted)) if family.dsp else None
    if block is None:
        return 0
    longer, shorter = max(a_bits, b_bits), min(a_bits, b_bits)
    if shorter < block.least_factor or product_bits < block.least_product:
        return 0
    if block.signed_only and not signed:
        longer, shorter = longer + 1, shorter + 1
    return _cut(longer, shorter, product_bits, block)


def _cut(a_bits: int, b_bits: int, product_bits: int, block: _Block) -> int:
    """Blocks of a product whose first factor is cut if it is too long, then its second."""
    if min(a_bits, b_bits) < block.least_factor or product_bits < block.least_product:
        return 0
    # A part of a number with a sign gets a zero for one.
    taken = block.part - block.signed_only
    if a_bits > block.longer:
        parts = (a_bits - block.longer + taken - 1) // taken
        rest = a_bits - parts * taken
        each = _cut(block.part, b_bits, min(product_bits, b_bits + block.part), block)
        return parts * each + _cut(rest, b_bits, b_bits + rest, block)
    if b_bits > block.shorter:
        parts = (b_bits - block.shorter + taken - 1) // taken
        rest = b_bits - parts * taken
        each = _cut(a_bits, block.part, min(product_bits, a_bits + block.part), block)
        return parts * each + _cut(a_bits, rest, a_bits + rest, block)
    return 1
