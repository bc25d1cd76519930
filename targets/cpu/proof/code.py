"""A function as operations on a frame: a list with a place for each of its values, variables and constants."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .context import Context
from .control_flow import postdominators
from .frame import Frame
from .instructions import BUILDERS
from .ir_module import Block, Function, Instruction, Local
from .ir_types import Array, Integer, Pointer, Struct, Type, Vector
from .numbers import NotFollowed

__all__ = ["Code", "CodeBlock", "Phi", "compile_function"]

Operation = Callable[[list[Any]], None]


@dataclass(frozen=True)
class Phi:
    """A value that depends on which block came before. target, sources : places in the frame."""

    target: int
    sources: dict[str, int]
    type: Type


@dataclass
class CodeBlock:
    """Operations, and how the block ends: `br`, `cond`, `switch`, `ret` or `unreachable`."""

    name: str
    phis: list[Phi] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    ends: str = "unreachable"
    value: int | None = None
    targets: list[str] = field(default_factory=list)
    cases: list[int] = field(default_factory=list)
    bits: int = 1


@dataclass
class Code:
    """A function. template : what a frame is at its begin. objects : size and alignment of variables that have an
    address, object_places where those stand. crossing : places that more than one block uses, with their types."""

    name: str
    template: list[Any]
    first: CodeBlock
    blocks: dict[str, CodeBlock]
    objects: list[tuple[int, int]]
    object_places: list[int]
    crossing: list[tuple[int, Type]]
    result: Type | None
    _joins: dict[str, str | None] | None = None

    def _without_end(self) -> set[str]:
        """Blocks from which every way leads to where nothing may come: ways of a branch need not meet there."""
        found: set[str] = set()
        before = -1
        while len(found) != before:
            before = len(found)
            found |= {
                name
                for name, each in self.blocks.items()
                if each.ends == "unreachable" or (each.targets and found.issuperset(each.targets))
            }
        return found

    def join(self, block: str) -> str | None:
        """Where the ways from a block meet; None if that is the end of the function."""
        if self._joins is None:
            ends = self._without_end()
            self._joins = postdominators(
                {name: [to for to in each.targets if to not in ends] for name, each in self.blocks.items()}
            )
        return self._joins[block]

    def block_phis(self, block: str | None) -> Sequence[Type]:
        """The types of the phis of a block."""
        return () if block is None else [phi.type for phi in self.blocks[block].phis]


def compile_function(machine: Context, function: Function) -> Code:
    """Make operations of its instructions."""
    frame = Frame(machine, function)
    slots = _slots(function)
    objects, object_places = [], []
    blocks: dict[str, CodeBlock] = {}
    result: Type | None = None
    for block in function.blocks:
        made = blocks[block.name] = CodeBlock(block.name)
        for instruction in block.instructions:
            if instruction.kind == "alloca":
                place = frame.target(instruction)
                (held,) = instruction.types
                if instruction.target in slots:
                    frame.types[place] = held
                else:
                    objects.append((held.bytes, instruction.extra))
                    object_places.append(place)
            elif instruction.kind == "phi":
                made.phis.append(_phi(frame, instruction))
            elif instruction.kind in ("br", "switch", "ret", "unreachable"):
                _end(frame, made, instruction)
                result = instruction.type if instruction.kind == "ret" and instruction.operands else result
            else:
                operation = _operation(frame, instruction, slots)
                if operation is not None:
                    made.operations.append(operation)
    crossing = _crossing(frame, function, slots)
    first = blocks[function.blocks[0].name]
    return Code(function.name, frame.template, first, blocks, objects, object_places, crossing, result)


def _slots(function: Function) -> set[str]:
    """Variables that are only read and written as a whole, as one type: they need no address."""
    held = {i.target: i.types[0] for b in function.blocks for i in b.instructions if i.kind == "alloca"}
    for block in function.blocks:
        for i in block.instructions:
            if i.kind == "call" and str(i.extra).startswith("llvm.lifetime."):
                continue
            for place, operand in enumerate(i.operands):
                if not isinstance(operand, Local) or operand.name not in held:
                    continue
                type_ = i.type if i.kind == "load" else i.types[0] if i.kind == "store" and place == 1 else None
                if type_ != held[operand.name] or isinstance(type_, Array | Struct):
                    del held[operand.name]
    return set(held)


def _operation(frame: Frame, instruction: Instruction, slots: set[str]) -> Operation | None:
    kind, operands = instruction.kind, instruction.operands
    pointer = operands[-1] if kind in ("load", "store") else None
    if isinstance(pointer, Local) and pointer.name in slots:
        variable = frame.operand(pointer, Pointer())
        source = variable if kind == "load" else frame.operand(operands[0], instruction.types[0])
        return _copy(frame.target(instruction) if kind == "load" else variable, source)
    if kind == "call" and str(instruction.extra).startswith("llvm.lifetime."):
        return None
    builder = BUILDERS.get(kind)
    try:
        return _unread(instruction) if builder is None else builder(frame, instruction)
    except NotFollowed:
        return _unread(instruction)


def _copy(target: int, source: int) -> Operation:
    def copy(frame: list[Any]) -> None:
        frame[target] = frame[source]

    return copy


def _unread(instruction: Instruction) -> Operation:
    real = re.search(r"\b(float|double)\b", instruction.text) is not None
    what = "floating point" if real else f"the instruction {instruction.text[:100]}"

    def stop(frame: list[Any]) -> None:
        raise NotFollowed(f"{what}, which is not followed")

    return stop


def _phi(frame: Frame, instruction: Instruction) -> Phi:
    places = [frame.operand(operand, instruction.type) for operand in instruction.operands]
    return Phi(frame.target(instruction), dict(zip(instruction.extra, places, strict=True)), instruction.type)


def _end(frame: Frame, block: CodeBlock, instruction: Instruction) -> None:
    block.ends = instruction.kind
    if instruction.kind == "ret" and instruction.operands:
        block.value = frame.operand(instruction.operands[0], instruction.type)
    elif instruction.kind in ("br", "switch"):
        block.targets = list(instruction.extra)
        if instruction.operands:
            block.ends = "cond" if instruction.kind == "br" else "switch"
            bits = Integer(1) if instruction.kind == "br" else instruction.type
            assert isinstance(bits, Integer)
            block.value, block.bits = frame.operand(instruction.operands[0], bits), bits.bits
            block.cases = [frame.operand(case, instruction.type) for case in instruction.operands[1:]]


def _crossing(frame: Frame, function: Function, slots: set[str]) -> list[tuple[int, Type]]:
    """Variables, and values that are used in other blocks than they are made in."""
    made_in: dict[str, tuple[Block, Type]] = {}
    for block in function.blocks:
        for instruction in block.instructions:
            if instruction.target and instruction.kind != "alloca":
                made_in[instruction.target] = (block, _type_of(instruction))
    found = {frame.places[name]: frame.types[frame.places[name]] for name in slots}
    for block in function.blocks:
        for instruction in block.instructions:
            for operand in instruction.operands:
                if isinstance(operand, Local) and operand.name in made_in:
                    maker, type_ = made_in[operand.name]
                    if maker is not block or instruction.kind == "phi":
                        found[frame.places[operand.name]] = type_
    return sorted(found.items())


def _type_of(instruction: Instruction) -> Type:
    """Of what an instruction gives."""
    if instruction.kind == "icmp":
        type_ = instruction.type
        return Vector(type_.count, Integer(1)) if isinstance(type_, Vector) else Integer(1)
    if instruction.kind == "select":
        return instruction.types[1]
    if instruction.kind == "extractelement" and isinstance(instruction.type, Vector):
        return instruction.type.element
    if instruction.kind == "shufflevector" and isinstance(instruction.type, Vector):
        mask = instruction.types[2]
        return Vector(mask.count if isinstance(mask, Vector) else 0, instruction.type.element)
    return instruction.type
