"""What each kind of instruction does to a frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .addresses import address_as_number, in_one_object
from .floating import FLOATING
from .frame import Frame
from .intrinsics import INTRINSICS
from .ir_module import POISON, Constant, Instruction
from .ir_types import POINTER, Array, Integer, Pointer, Struct, Type, Vector
from .numbers import NotFollowed, Stopped
from .vectors import Vec, from_elements, lanes_of, of_elements, recast

__all__ = ["BUILDERS"]

Operation = Callable[[list[Any]], None]
_BITWISE = {"and", "or", "xor"}


def _bits(type_: Type) -> int:
    if isinstance(type_, Pointer):
        return 64
    if isinstance(type_, Integer):
        return type_.bits
    raise NotFollowed("floating point is not followed")


def _only(instruction: Instruction, *flags: str) -> None:
    """Promises of a compiler that are not looked at would be believed."""
    if instruction.flags - set(flags):
        raise NotFollowed(f"flags of {instruction.text[:80]}")


def _places(frame: Frame, instruction: Instruction) -> tuple[int, list[int]]:
    types = instruction.types or [instruction.type] * len(instruction.operands)
    operands = [frame.operand(operand, type_) for operand, type_ in zip(instruction.operands, types, strict=True)]
    return frame.target(instruction), operands


def _binary(frame: Frame, instruction: Instruction) -> Operation:
    target, (a, b) = _places(frame, instruction)
    numbers, name, flags, type_ = frame.machine.numbers, instruction.kind, instruction.flags, instruction.type
    _only(instruction, "nsw", "nuw", "exact")
    if not isinstance(type_, Vector):
        bits, mask = _bits(type_), (1 << _bits(type_)) - 1
        plain = {"add": lambda x, y: x + y & mask, "mul": lambda x, y: x * y & mask}.get(name)
        if plain is not None and not flags:

            def quick(frame: list[Any]) -> None:
                x, y = frame[a], frame[b]
                frame[target] = plain(x, y) if type(x) is int and type(y) is int else numbers.binary(name, bits, x, y)

            return quick

        def scalar(frame: list[Any]) -> None:
            frame[target] = numbers.binary(name, bits, frame[a], frame[b], flags)

        return scalar
    bits = type_.bits

    def vector(frame: list[Any]) -> None:
        frame[target] = on_lanes(numbers, name, bits, frame[a], frame[b], flags)

    return vector


def on_lanes(numbers: Any, name: str, bits: int, a: Vec, b: Vec, flags: frozenset[str] = frozenset()) -> Vec:
    """A binary operation on each element."""
    if name in _BITWISE and bits > 1:
        bits = min(a.bits, b.bits)
        if a.bits != b.bits:
            widest = max(a.bits, b.bits)
            narrow = a if a.bits < b.bits else b
            if all(isinstance(lane, int) for lane in narrow.lanes):
                bits = widest
    one, other = of_elements(numbers, a, bits), of_elements(numbers, b, bits)
    found = [
        None if x is None or y is None else numbers.binary(name, bits, x, y, flags)
        for x, y in zip(one, other, strict=True)
    ]
    return from_elements(found, bits)


def _comparison(frame: Frame, instruction: Instruction) -> Operation:
    target, (a, b) = _places(frame, instruction)
    numbers, name, type_ = frame.machine.numbers, instruction.extra, instruction.type
    _only(instruction)
    if not isinstance(type_, Vector):
        bits, ordered = _bits(type_), isinstance(type_, Pointer) and name not in ("eq", "ne")

        def scalar(frame: list[Any]) -> None:
            if ordered:
                in_one_object(frame[a], frame[b])
            frame[target] = numbers.compare(name, bits, frame[a], frame[b])

        return scalar
    bits = type_.bits

    def vector(frame: list[Any]) -> None:
        pairs = zip(of_elements(numbers, frame[a], bits), of_elements(numbers, frame[b], bits), strict=True)
        frame[target] = Vec(1, [numbers.compare(name, bits, x, y) for x, y in pairs])

    return vector


def _extension(frame: Frame, instruction: Instruction) -> Operation:
    target, (a,) = _places(frame, instruction)
    numbers, name = frame.machine.numbers, instruction.kind
    _only(instruction)
    before, after = instruction.types[0], instruction.type
    if isinstance(before, Vector) and isinstance(after, Vector):
        narrow, wide = before.bits, after.bits

        def vector(frame: list[Any]) -> None:
            elements = of_elements(numbers, frame[a], narrow)
            found = [None if each is None else numbers.cast(name, narrow, wide, each) for each in elements]
            frame[target] = from_elements(found, wide)

        return vector
    here, there = _bits(before), _bits(after)

    def scalar(frame: list[Any]) -> None:
        value = frame[a]
        if isinstance(value, Vec):  # a mask, as an integer
            value = _cut_mask(value, here, there, name)
            frame[target] = value
        else:
            frame[target] = numbers.cast(name, here, there, value)

    return scalar


def _cut_mask(mask: Vec, before: int, after: int, name: str) -> Vec:
    """A mask that is an integer, with fewer or more bits."""
    if name == "sext":
        raise Stopped("a mask that is extended by its sign is not followed")
    return Vec(1, [*mask.lanes, *([0] * (after - before))][:after])


def _bitcast(frame: Frame, instruction: Instruction) -> Operation:
    target, (a,) = _places(frame, instruction)
    numbers = frame.machine.numbers
    before, after = instruction.types[0], instruction.type

    def cast(frame: list[Any]) -> None:
        frame[target] = recast(numbers, before, after, frame[a])

    return cast


def _freeze(frame: Frame, instruction: Instruction) -> Operation:
    """A lane that is not defined becomes one of which nothing is known."""
    target, (a,) = _places(frame, instruction)
    flow = frame.machine.numbers.flow

    def freeze(frame: list[Any]) -> None:
        found = frame[a]
        if found is None or (isinstance(found, Vec) and found.bits == 1 and None in found.lanes):
            raise Stopped("a value that is not defined is taken as if it were")
        if isinstance(found, Vec) and any(lane is None for lane in found.lanes):
            lanes = [flow.unknown("a value that is not defined") if lane is None else lane for lane in found.lanes]
            found = Vec(found.bits, lanes)
        frame[target] = found

    return freeze


def _select(frame: Frame, instruction: Instruction) -> Operation:
    target, (c, a, b) = _places(frame, instruction)
    machine, type_ = frame.machine, instruction.types[1]
    numbers = machine.numbers
    if isinstance(instruction.types[0], Vector) and isinstance(type_, Vector):
        bits = type_.bits

        def lanes(frame: list[Any]) -> None:
            mask = frame[c].lanes
            one, other = of_elements(numbers, frame[a], bits), of_elements(numbers, frame[b], bits)
            frame[target] = from_elements(
                [_chosen(numbers, *each, bits) for each in zip(mask, one, other, strict=True)], bits
            )

        return lanes

    def whole(frame: list[Any]) -> None:
        condition = frame[c]
        if condition is None:
            raise Stopped("a choice by a value that is not defined")
        if isinstance(condition, int):
            frame[target] = frame[a] if condition & 1 else frame[b]
        else:
            frame[target] = machine.merged(condition, type_, frame[a], frame[b])

    return whole


def _chosen(numbers: Any, condition: Any, a: Any, b: Any, bits: int) -> Any:
    return None if condition is None else numbers.select(condition, bits, a, b)


def _extract(frame: Frame, instruction: Instruction) -> Operation:
    target, (a, place) = _places(frame, instruction)
    machine, type_ = frame.machine, instruction.types[0]
    assert isinstance(type_, Vector)
    bits = type_.bits

    def extract(frame: list[Any]) -> None:
        index = machine.constant(frame[place], "the place of an element")
        if index >= type_.count:
            raise Stopped("an element beyond the last is taken")
        frame[target] = of_elements(machine.numbers, frame[a], bits)[index]

    return extract


def _insert(frame: Frame, instruction: Instruction) -> Operation:
    target, (a, item, place) = _places(frame, instruction)
    machine, type_ = frame.machine, instruction.types[0]
    assert isinstance(type_, Vector)
    bits = type_.bits

    def insert(frame: list[Any]) -> None:
        index = machine.constant(frame[place], "the place of an element")
        if index >= type_.count:
            raise Stopped("an element beyond the last is set")
        elements = list(of_elements(machine.numbers, frame[a], bits))
        elements[index] = frame[item]
        frame[target] = from_elements(elements, bits)

    return insert


def _shuffle(frame: Frame, instruction: Instruction) -> Operation:
    mask = instruction.operands[2]
    assert isinstance(mask, Constant)
    mask_type, type_ = instruction.types[2], instruction.types[0]
    assert isinstance(mask_type, Vector)
    assert isinstance(type_, Vector)
    if mask.value is POISON:
        chosen: list[int | None] = [None] * mask_type.count
    else:
        items = mask.value or [Constant(0)] * mask_type.count
        chosen = [None if item.value is POISON else int(item.value or 0) for item in items]
    target = frame.target(instruction)
    a, b = (frame.operand(instruction.operands[k], type_) for k in range(2))
    numbers, bits, count = frame.machine.numbers, type_.bits, type_.count

    def shuffle(frame: list[Any]) -> None:
        one, other = frame[a], frame[b]
        size = min(one.bits, other.bits, bits)
        many = bits // size
        if size == 1 and bits != 1:
            raise Stopped("bits are shuffled as integers")
        lanes = [lanes_of(numbers, one, size), lanes_of(numbers, other, size)]
        found: list[Any] = []
        for each in chosen:
            if each is None:
                found += [None] * many
            else:
                found += lanes[each >= count][each % count * many : (each % count + 1) * many]
        frame[target] = Vec(size, found)

    return shuffle


def _load(frame: Frame, instruction: Instruction) -> Operation:
    target, address = frame.target(instruction), frame.operand(instruction.operands[0], POINTER)
    memory, type_, alignment = frame.machine.memory, instruction.type, instruction.extra

    def load(frame: list[Any]) -> None:
        frame[target] = memory.load(type_, frame[address], alignment)

    return load


def _store(frame: Frame, instruction: Instruction) -> Operation:
    memory, type_, alignment = frame.machine.memory, instruction.types[0], instruction.extra
    value, address = frame.operand(instruction.operands[0], type_), frame.operand(instruction.operands[1], POINTER)

    def store(frame: list[Any]) -> None:
        memory.store(type_, frame[value], frame[address], alignment)

    return store


def _address(frame: Frame, instruction: Instruction) -> Operation:
    """base + Σ place · size, in 64 bits."""
    target, (base, *places) = _places(frame, instruction)
    numbers = frame.machine.numbers
    rest: Type = instruction.extra
    steps: list[tuple[int, int, int]] = []
    offset = 0
    for number, (place, type_, operand) in enumerate(
        zip(places, instruction.types[1:], instruction.operands[1:], strict=True)
    ):
        if number == 0:
            size = rest.bytes
        elif isinstance(rest, Struct):
            member = int(operand.value or 0)  # type: ignore[union-attr]
            offset, rest = offset + rest.offset(member), rest.members[member]
            continue
        elif isinstance(rest, Array | Vector):
            rest = rest.element
            size = rest.bytes
        else:
            raise Stopped("an address within something that has no parts")
        steps.append((place, _bits(type_), size))
    mask = (1 << 64) - 1

    def address(frame: list[Any]) -> None:
        found = frame[base]
        if found is None:
            raise Stopped("an address that is not defined")
        for place, bits, size in steps:
            index = frame[place]
            if type(index) is int:
                index = index - (1 << bits) if index >> (bits - 1) else index
                moved: Any = index * size & mask
            else:
                moved = numbers.binary("mul", 64, numbers.cast("sext", bits, 64, index) if bits < 64 else index, size)
            if type(found) is int and type(moved) is int:
                found = found + moved & mask
            else:
                found = numbers.binary("add", 64, found, moved)
        if offset:
            found = found + offset & mask if type(found) is int else numbers.binary("add", 64, found, offset)
        frame[target] = found

    return address


def _call(frame: Frame, instruction: Instruction) -> Operation:
    target = frame.target(instruction) if instruction.target else -1
    places = [frame.operand(o, t) for o, t in zip(instruction.operands, instruction.types, strict=True)]
    machine, name = frame.machine, instruction.extra
    if not name:  # assembly without text, which gives what it takes

        def same(frame: list[Any]) -> None:
            if target >= 0:
                frame[target] = frame[places[0]]

        return same
    if name.startswith("llvm."):
        return _intrinsic(frame, instruction, target, places)

    def call(frame: list[Any]) -> None:
        found = machine.call(name, [frame[place] for place in places])
        if target >= 0:
            frame[target] = found

    return call


def _intrinsic(frame: Frame, instruction: Instruction, target: int, places: list[int]) -> Operation:
    machine, name = frame.machine, instruction.extra
    found = next((rule for prefix, rule in INTRINSICS.items() if name == prefix or name.startswith(prefix + ".")), None)

    def run(frame: list[Any]) -> None:
        if found is None:
            raise NotFollowed(f"{name}, an instruction that is not followed")
        given = found(machine, instruction, [frame[place] for place in places])
        if target >= 0:
            frame[target] = given

    return run


BUILDERS: dict[str, Callable[[Frame, Instruction], Operation]] = {
    **dict.fromkeys(
        ("add", "sub", "mul", "udiv", "sdiv", "urem", "srem", "shl", "lshr", "ashr", "and", "or", "xor"), _binary
    ),
    "icmp": _comparison,
    "zext": _extension,
    "sext": _extension,
    "trunc": _extension,
    "bitcast": _bitcast,
    "ptrtoint": address_as_number,
    "freeze": _freeze,
    "select": _select,
    "extractelement": _extract,
    "insertelement": _insert,
    "shufflevector": _shuffle,
    "load": _load,
    "store": _store,
    "getelementptr": _address,
    "call": _call,
    **FLOATING,
}
