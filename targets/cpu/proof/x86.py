"""Instructions of x86-64 that LLVM calls by name: AVX2, AVX-512 BW, VNNI and VBMI.

Named as in the manuals of the processor; each is compared with the processor itself by the tests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .context import Context
from .ir_module import Instruction
from .ir_types import Integer, Vector
from .numbers import Numbers, Stopped
from .vectors import Vec, from_elements, lanes_of, of_elements

__all__ = ["X86"]

Rule = Callable[[Context, Instruction, list[Any]], Any]
_LANES = 128
"""Bits within which packing and looking up bytes stay."""


def _dot_bytes(machine: Context, instruction: Instruction, values: list[Any]) -> Vec:
    """VPDPBUSD: sums of 32 bits, to each four products of an unsigned and a signed byte."""
    numbers = machine.numbers
    total, a, b = lanes_of(numbers, values[0], 32), lanes_of(numbers, values[1], 8), lanes_of(numbers, values[2], 8)
    found = []
    for lane, start in enumerate(total):
        word: Any = start
        for place in range(4 * lane, 4 * lane + 4):
            word = _added(
                numbers, word, _product(numbers, _unsigned(numbers, a[place], 8), _of_sign(numbers, b[place], 8))
            )
        found.append(word)
    return Vec(32, found)


def _unsigned(numbers: Numbers, lane: Any, bits: int) -> Any:
    return None if lane is None else numbers.zeros(lane, bits)


def _of_sign(numbers: Numbers, lane: Any, bits: int) -> Any:
    return None if lane is None else numbers.signs(lane, bits)


def _product(numbers: Numbers, a: Any, b: Any) -> Any:
    return None if a is None or b is None else numbers.mul(a, b)


def _added(numbers: Numbers, a: Any, b: Any) -> Any:
    return None if a is None or b is None else numbers.add(a, b)


def _pairs_of_bytes(machine: Context, instruction: Instruction, values: list[Any]) -> Vec:
    """VPMADDUBSW: pairs of products of an unsigned and a signed byte, saturated to 16 bits."""
    numbers = machine.numbers
    a, b = lanes_of(numbers, values[0], 8), lanes_of(numbers, values[1], 8)
    products = [_product(numbers, _unsigned(numbers, x, 8), _of_sign(numbers, y, 8)) for x, y in zip(a, b, strict=True)]
    return _pairs(numbers, products, 16)


def _pairs_of_words(machine: Context, instruction: Instruction, values: list[Any]) -> Vec:
    """VPMADDWD: pairs of products of signed integers of 16 bits, in 32 bits."""
    numbers = machine.numbers
    a, b = lanes_of(numbers, values[0], 16), lanes_of(numbers, values[1], 16)
    products = [
        _product(numbers, _of_sign(numbers, x, 16), _of_sign(numbers, y, 16)) for x, y in zip(a, b, strict=True)
    ]
    return _pairs(numbers, products, 32)


def _pairs(numbers: Numbers, products: list[Any], bits: int) -> Vec:
    sums = [_added(numbers, *products[at : at + 2]) for at in range(0, len(products), 2)]
    if bits == 32:
        return Vec(32, sums)
    return Vec(16, [None if each is None else numbers.saturated(each, -(1 << 15), (1 << 15) - 1) for each in sums])


def _narrowed(numbers: Numbers, lane: Any, bits: int, signed: bool) -> Any:
    """A lane of twice as many bits, saturated to `bits`."""
    if lane is None:
        return None
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    return numbers.saturated(numbers.signs(lane, 2 * bits), low, high)


def _packed(bits: int, signed: bool) -> Rule:
    """VPACKSSWB and the like: the lanes of both, in turns of 128 bits."""

    def rule(machine: Context, instruction: Instruction, values: list[Any]) -> Vec:
        numbers = machine.numbers
        one, other = (lanes_of(numbers, value, 2 * bits) for value in values[:2])
        many = _LANES // (2 * bits)
        found = []
        for at in range(0, len(one), many):
            for lane in (*one[at : at + many], *other[at : at + many]):
                found.append(_narrowed(numbers, lane, bits, signed))
        return Vec(bits, found)

    return rule


def _moved_down(before: int, after: int) -> Rule:
    """VPMOVSDB and the like: each lane narrowed with saturation, where a mask says so."""

    def rule(machine: Context, instruction: Instruction, values: list[Any]) -> Vec:
        numbers = machine.numbers
        lanes, rest = lanes_of(numbers, values[0], before), lanes_of(numbers, values[1], after)
        mask = _mask(values[2], len(rest))
        low, high = -(1 << (after - 1)), (1 << (after - 1)) - 1
        found = []
        for place, otherwise in enumerate(rest):
            lane = lanes[place] if place < len(lanes) else 0
            if lane is not None:
                lane = numbers.saturated(numbers.signs(lane, before), low, high)
            found.append(lane if mask[place] == 1 else otherwise if mask[place] == 0 else None)
        return Vec(after, found)

    return rule


def _mask(value: Any, count: int) -> list[Any]:
    if isinstance(value, Vec):
        return value.lanes[:count]
    return [value >> place & 1 for place in range(count)]


def _shifted(name: str, bits: int) -> Rule:
    """VPSRLW and the like, all lanes by one count: 0 or signs where it passes the lane."""

    def rule(machine: Context, instruction: Instruction, values: list[Any]) -> Vec:
        count = machine.constant(values[1], "a count of a shift")
        return _shifted_lanes(machine.numbers, name, bits, values[0], [count] * (8 * _size(instruction) // bits))

    return rule


def _shifted_each(name: str, bits: int) -> Rule:
    """VPSLLVD and the like, each lane by a count of its own."""

    def rule(machine: Context, instruction: Instruction, values: list[Any]) -> Vec:
        counts = of_elements(machine.numbers, values[1], bits)
        counts = [machine.constant(count, "a count of a shift") for count in counts]
        return _shifted_lanes(machine.numbers, name, bits, values[0], counts)

    return rule


def _shifted_lanes(numbers: Numbers, name: str, bits: int, vector: Vec, counts: list[int]) -> Vec:
    found: list[Any] = []
    for lane, count in zip(of_elements(numbers, vector, bits), counts, strict=True):
        if lane is None or (count >= bits and name != "ashr"):
            found.append(None if lane is None else 0)
        else:
            found.append(numbers.binary(name, bits, lane, min(count, bits - 1)))
    return from_elements(found, bits)


def _size(instruction: Instruction) -> int:
    assert isinstance(instruction.type, Vector)
    return instruction.type.bytes


def _looked_up(numbers: Numbers, entries: list[Any], index: Any) -> Any:
    """entries[index], the index a word below their number."""
    if index is None:
        return None
    if isinstance(index, int):
        return entries[index]
    if not all(isinstance(entry, int) for entry in entries):
        raise Stopped("a vector is looked up in that depends on inputs, by what does, too")
    return numbers.settled(numbers.flow.lookup(index, 0, 1, entries))


def _shuffled_bytes(machine: Context, instruction: Instruction, values: list[Any]) -> Vec:
    """VPSHUFB: bytes of the same 128 bits, 0 where the highest bit of an index is 1."""
    numbers = machine.numbers
    table, indices = lanes_of(numbers, values[0], 8), lanes_of(numbers, values[1], 8)
    found: list[Any] = []
    for place, index in enumerate(indices):
        if index is None:
            found.append(None)
            continue
        first = place // 16 * 16
        byte = _looked_up(numbers, table[first : first + 16], numbers.binary("and", 32, index, 15))
        silent = numbers.make("and", index, 128)
        if isinstance(silent, int):
            found.append(0 if silent else byte)
        else:
            found.append(numbers.choose(silent, 0, byte))
    return Vec(8, found)


def _permuted_bytes(machine: Context, instruction: Instruction, values: list[Any]) -> Vec:
    """VPERMB: any bytes."""
    numbers = machine.numbers
    table, indices = (lanes_of(numbers, value, 8) for value in values[:2])
    return Vec(8, [_looked_up(numbers, table, _index(numbers, index, len(table))) for index in indices])


def _permuted_of_two(bits: int) -> Rule:
    """VPERMI2B and VPERMI2D: any lanes of two vectors, the indices between them."""

    def rule(machine: Context, instruction: Instruction, values: list[Any]) -> Vec:
        numbers = machine.numbers
        one, indices, other = (lanes_of(numbers, value, bits) for value in values[:3])
        table = [*one, *other]
        return Vec(bits, [_looked_up(numbers, table, _index(numbers, index, len(table))) for index in indices])

    return rule


def _index(numbers: Numbers, index: Any, count: int) -> Any:
    return None if index is None else numbers.binary("and", 32, index, count - 1)


def _permuted_lanes(machine: Context, instruction: Instruction, values: list[Any]) -> Vec:
    """VPERMD: any lanes of 32 bits."""
    numbers = machine.numbers
    table, indices = (lanes_of(numbers, value, 32) for value in values[:2])
    return Vec(32, [_looked_up(numbers, table, _index(numbers, index, len(table))) for index in indices])


def _signs_of_bytes(machine: Context, instruction: Instruction, values: list[Any]) -> Any:
    """VPMOVMSKB: the highest bit of each byte, the first lowest."""
    numbers = machine.numbers
    total: Any = 0
    for place, lane in enumerate(lanes_of(numbers, values[0], 8)):
        if lane is None:
            return None
        bit = numbers.cast("zext", 8, 32, numbers.binary("lshr", 8, lane, 7))
        total = numbers.binary("or", 32, total, numbers.binary("shl", 32, bit, place))
    return total


def _stored_where(machine: Context, instruction: Instruction, values: list[Any]) -> None:
    """VPMASKMOVD, to memory: the lanes of 32 bits in whose place the highest bit of a mask is 1."""
    numbers, at = machine.numbers, machine.constant(values[0], "an address")
    mask, lanes = (lanes_of(numbers, value, 32) for value in values[1:3])
    for place, (holds, lane) in enumerate(zip(mask, lanes, strict=True)):
        if machine.constant(holds, "a mask of memory") >> 31 & 1:
            machine.memory.store(Integer(32), lane, at + 4 * place, 1)


def _ternary(machine: Context, instruction: Instruction, values: list[Any]) -> Vec:
    """VPTERNLOG: any function of three bits, as a table of eight."""
    numbers, table = machine.numbers, values[3]
    bits = min(value.bits for value in values[:3])
    if all(isinstance(lane, int) for value in values[:3] if value.bits == bits for lane in value.lanes):
        bits = max(value.bits for value in values[:3])
    columns = [lanes_of(numbers, value, bits) for value in values[:3]]
    return Vec(bits, [_ternary_word(numbers, table, *row) for row in zip(*columns, strict=True)])


def _ternary_word(numbers: Numbers, table: int, a: Any, b: Any, c: Any) -> Any:
    if a is None or b is None or c is None:
        return None
    if (found := numbers.function_of_three(table, a, b, c)) is not None:
        return found
    if table == 0x6A:  # (a and b) xor c, in the order of fewest operations
        return numbers.binary("xor", 32, numbers.binary("and", 32, a, b), c)
    if table == 0x28:  # (a xor b) and c
        return numbers.binary("and", 32, numbers.binary("xor", 32, a, b), c)
    return _minterms(numbers, table, a, b, c)


def _minterms(numbers: Numbers, table: int, a: Any, b: Any, c: Any) -> Any:
    total: Any = 0
    for row in range(8):
        if table >> row & 1:
            term: Any = 0xFFFF_FFFF
            for place, word in ((2, a), (1, b), (0, c)):
                taken = word if row >> place & 1 else numbers.binary("xor", 32, word, 0xFFFF_FFFF)
                term = numbers.binary("and", 32, term, taken)
            total = numbers.binary("or", 32, total, term)
    return total


def _differences(machine: Context, instruction: Instruction, values: list[Any]) -> Vec:
    """VPSADBW, of bytes and zeros: sums of eight bytes, in 64 bits."""
    numbers = machine.numbers
    a, b = lanes_of(numbers, values[0], 8), lanes_of(numbers, values[1], 8)
    if any(lane != 0 for lane in b):
        raise Stopped("differences of bytes are not followed")
    found: list[Any] = []
    for at in range(0, len(a), 8):
        total: Any = 0
        for lane in a[at : at + 8]:
            total = _added(numbers, total, _unsigned(numbers, lane, 8))
        found += [total, 0]
    return Vec(32, found)


X86: dict[str, Rule] = {
    "llvm.x86.avx512.vpdpbusd": _dot_bytes,
    "llvm.x86.avx2.pmadd.ub.sw": _pairs_of_bytes,
    "llvm.x86.avx512.pmaddubs.w": _pairs_of_bytes,
    "llvm.x86.avx2.pmadd.wd": _pairs_of_words,
    "llvm.x86.avx512.pmaddw.d": _pairs_of_words,
    "llvm.x86.avx512.packssdw": _packed(16, True),
    "llvm.x86.avx512.packsswb": _packed(8, True),
    "llvm.x86.avx512.packuswb": _packed(8, False),
    "llvm.x86.avx512.packusdw": _packed(16, False),
    "llvm.x86.avx2.packssdw": _packed(16, True),
    "llvm.x86.avx512.mask.pmovs.db": _moved_down(32, 8),
    "llvm.x86.avx512.mask.pmovs.dw": _moved_down(32, 16),
    "llvm.x86.avx512.mask.pmovs.wb": _moved_down(16, 8),
    "llvm.x86.avx2.psrli.w": _shifted("lshr", 16),
    "llvm.x86.avx512.psrli.w": _shifted("lshr", 16),
    "llvm.x86.avx2.pslli.d": _shifted("shl", 32),
    "llvm.x86.avx2.psrai.w": _shifted("ashr", 16),
    "llvm.x86.avx512.psrai.w": _shifted("ashr", 16),
    "llvm.x86.avx512.psrli.d": _shifted("lshr", 32),
    "llvm.x86.avx512.psrli.q": _shifted("lshr", 64),
    "llvm.x86.avx512.pslli.w": _shifted("shl", 16),
    "llvm.x86.avx512.pslli.d": _shifted("shl", 32),
    "llvm.x86.avx512.pslli.q": _shifted("shl", 64),
    "llvm.x86.avx512.psrai.d": _shifted("ashr", 32),
    "llvm.x86.avx512.psllv.d": _shifted_each("shl", 32),
    "llvm.x86.avx512.psrav.d": _shifted_each("ashr", 32),
    "llvm.x86.avx512.psrlv.d": _shifted_each("lshr", 32),
    "llvm.x86.avx2.psrlv.d": _shifted_each("lshr", 32),
    "llvm.x86.avx2.psrli.q": _shifted("lshr", 64),
    "llvm.x86.avx2.pslli.q": _shifted("shl", 64),
    "llvm.x86.avx2.pshuf.b": _shuffled_bytes,
    "llvm.x86.avx512.pshuf.b": _shuffled_bytes,
    "llvm.x86.avx512.permvar.qi": _permuted_bytes,
    "llvm.x86.avx512.vpermi2var.qi": _permuted_of_two(8),
    "llvm.x86.avx512.vpermi2var.d": _permuted_of_two(32),
    "llvm.x86.avx512.permvar.si": _permuted_lanes,
    "llvm.x86.avx2.permd": _permuted_lanes,
    "llvm.x86.avx2.pmovmskb": _signs_of_bytes,
    "llvm.x86.avx2.maskstore.d": _stored_where,
    "llvm.x86.avx512.pternlog": _ternary,
    "llvm.x86.avx2.psad.bw": _differences,
}
