"""The places of a function's values in a list."""

from __future__ import annotations

from typing import Any

from .context import Context
from .ir_module import POISON, Constant, Function, Instruction, Local, Operand, Symbol
from .ir_types import Integer, Named, Pointer, Type, Vector
from .vectors import from_elements

__all__ = ["Frame"]


class Frame:
    """Places for the values of one function, as it is compiled."""

    def __init__(self, machine: Context, function: Function) -> None:
        self.machine, self.function = machine, function
        self.template: list[Any] = [None for _ in function.parameters]
        self.places = {name: place for place, (name, _) in enumerate(function.parameters)}
        self.types: dict[int, Type] = {place: type_ for place, (_, type_) in enumerate(function.parameters)}
        self._constants: dict[Any, int] = {}

    def new(self, value: Any = None) -> int:
        """A place."""
        self.template.append(value)
        return len(self.template) - 1

    def target(self, instruction: Instruction) -> int:
        """The place of what an instruction gives."""
        if instruction.target not in self.places:
            self.places[instruction.target] = self.new()
        return self.places[instruction.target]

    def operand(self, operand: Operand, type_: Type) -> int:
        """The place of a value or constant."""
        if isinstance(operand, Local):
            if operand.name not in self.places:  # of a block further down
                self.places[operand.name] = self.new()
            return self.places[operand.name]
        key = (repr(operand), type_)
        if key not in self._constants:
            self._constants[key] = self.new(self.value(operand, type_))
        return self._constants[key]

    def value(self, operand: Operand, type_: Type) -> Any:
        """What a constant is."""
        if isinstance(operand, Symbol):
            found = self.machine.globals.get(operand.name)
            return None if found is None else found.address + operand.offset
        assert isinstance(operand, Constant)
        given = operand.value
        if isinstance(type_, Vector):
            elements = [None] * type_.count if given is POISON else [0] * type_.count
            if isinstance(given, list):
                elements = [self.value(item, type_.element) for item in given]
            return from_elements(elements, type_.bits)
        if given is POISON:
            return None
        if isinstance(type_, Integer):
            return (given or 0) % (1 << type_.bits)
        if isinstance(type_, Named):  # the bits of a number
            return given or 0
        return 0 if isinstance(type_, Pointer) and given is None else None
