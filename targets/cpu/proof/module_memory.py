"""The constants of a module as bytes."""

from __future__ import annotations

from collections.abc import Mapping

from .ir_module import POISON, Constant, Global, Module, Operand, Symbol, Unread
from .ir_types import Array, Integer, Struct, Type, Vector
from .memory import Byte, Memory, Object

__all__ = ["global_objects"]


def global_objects(module: Module, memory: Memory) -> dict[str, Object]:
    """An object for each global, by its name."""
    objects = {
        name: memory.new(name, [None] * each.type.bytes, each.alignment, writable=not each.constant)
        for name, each in module.globals.items()
    }
    for name, each in module.globals.items():
        objects[name].cells[:] = _content(each, objects)
    return objects


def _content(each: Global, objects: Mapping[str, Object]) -> list[Byte]:
    cells = _cells(each.type, each.value, objects)
    if len(cells) != each.type.bytes:
        raise Unread(f"the value of {each.name} has another size than its type")
    return cells


def _cells(type_: Type, value: Operand, objects: Mapping[str, Object]) -> list[Byte]:
    if isinstance(value, Symbol):
        address = objects[value.name].address + value.offset if value.name in objects else 0
        return list(address.to_bytes(8, "little"))
    assert isinstance(value, Constant)
    given = value.value
    if given is POISON:
        return [None] * type_.bytes
    if given is None:
        return [0] * type_.bytes
    if isinstance(given, bytes):
        return list(given)
    if isinstance(given, int) and isinstance(type_, Integer):
        return list((given % (1 << 8 * type_.bytes)).to_bytes(type_.bytes, "little"))
    if isinstance(type_, Struct):
        return _structure(type_, given, objects)
    if isinstance(type_, Array | Vector):
        return [cell for item in given for cell in _cells(type_.element, item, objects)]
    raise Unread(f"a constant of another kind: {given!r}"[:120])


def _structure(type_: Struct, given: list[Operand], objects: Mapping[str, Object]) -> list[Byte]:
    cells: list[Byte] = []
    for place, (member, item) in enumerate(zip(type_.members, given, strict=True)):
        cells += [0] * (type_.offset(place) - len(cells))
        cells += _cells(member, item, objects)
    return cells + [0] * (type_.bytes - len(cells))
