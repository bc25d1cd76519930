"""Functions of LLVM's intermediate form, run on values of which some depend on inputs.

What does not depend on inputs is run as it is. Where a branch does, both its ways are run to where they meet, and what
differs is chosen by the condition.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from edgeml.proof.words.dataflow import Node

from .code import Code, CodeBlock, compile_function
from .ir_module import Module
from .ir_types import Integer, Pointer, Type, Vector
from .memory import Memory, Object
from .module_memory import global_objects
from .numbers import Numbers, Stopped, Wide
from .vectors import Vec, lanes_of

__all__ = ["LATE", "Machine"]

LATE = "the time for it ran out"
_MOST_DEPTH = 80
_BLOCKS_TIMED = 256
"""The clock is looked at once in so many blocks: that takes as long as the instructions of several."""
_RETURNED, _MET, _TRAPPED = 0, 1, 2
_Case = tuple[Node, str]


class Machine:
    """Runs functions of a module.

    Attributes
    ----------
    calls : what to do instead of a function, by its name, with its arguments. steps, forks : instructions run; branches
        both of whose ways were run. until : processor time at which it stops.
    """

    _memory_kind: ClassVar[type[Memory]] = Memory

    def __init__(self, module: Module, numbers: Numbers) -> None:
        self.module, self.numbers = module, numbers
        self.memory = self._memory_kind(numbers)
        self.globals = global_objects(module, self.memory)
        self.calls: dict[str, Callable[[list[Any]], Any]] = {}
        self.steps = self.forks = self.depth = self._entered = 0
        self.until = float("inf")
        self._codes: dict[str, Code] = {}

    def code(self, name: str) -> Code:
        """A function, ready to be run."""
        if name not in self._codes:
            if name not in self.module.functions:
                raise Stopped(f"{name} is called, which is not known")
            self._codes[name] = compile_function(self, self.module.functions[name])
        return self._codes[name]

    def call(self, name: str, arguments: Sequence[Any]) -> Any:
        """What a function gives."""
        if name in self.calls:
            return self.calls[name](list(arguments))
        return self.run(name, arguments)

    def run(self, name: str, arguments: Sequence[Any]) -> Any:
        """The same, whatever is to be done instead."""
        code = self.code(name)
        frame = list(code.template)
        frame[: len(arguments)] = arguments
        objects = [self._object(name, size, alignment) for size, alignment in code.objects]
        for place, found in zip(code.object_places, objects, strict=True):
            frame[place] = found.address
        before, self.numbers.where = self.numbers.where, name
        how, value = self._blocks(code, frame, code.first, "", None)
        if how == _TRAPPED:
            raise Stopped(f"{name} comes to where nothing may")
        for found in objects:
            self.memory.end(found)
        self.numbers.where = before
        return value

    def _object(self, name: str, size: int, alignment: int) -> Object:
        return self.memory.new(f"a variable of {name}", [None] * size, alignment)

    def _blocks(
        self, code: Code, frame: list[Any], block: CodeBlock, before: str, until: str | None
    ) -> tuple[int, Any]:
        """Run blocks up to one: (how it ended, what was returned, or the values of the phis of that block)."""
        given: list[Any] | None = None
        while True:
            if given is None:
                given = [frame[phi.sources[before]] for phi in block.phis]
            if block.name == until:
                return _MET, given
            for phi, value in zip(block.phis, given, strict=True):
                frame[phi.target] = value
            self.steps += len(block.operations)
            for operation in block.operations:
                operation(frame)
            self._entered += 1
            if self._entered % _BLOCKS_TIMED == 1 and time.process_time() > self.until:
                raise Stopped(LATE)
            before, given = block.name, None
            if block.ends == "ret":
                return _RETURNED, None if block.value is None else frame[block.value]
            if block.ends == "unreachable":
                return _TRAPPED, None
            chosen = self._way(block, frame)
            if isinstance(chosen, str):
                block = code.blocks[chosen]
                continue
            how, value, block_name = self._both(code, frame, block, chosen, until)
            if block_name is None:
                return how, value
            block, given = code.blocks[block_name], value

    def _way(self, block: CodeBlock, frame: list[Any]) -> str | tuple[list[_Case], str]:
        """Which block follows; where that depends on inputs, conditions of which at most one holds, each with its
        block, and the block where none does."""
        if block.ends == "br":
            return block.targets[0]
        value = frame[block.value]  # type: ignore[index]
        if value is None:
            raise Stopped(f"{self.numbers.where} branches by a value that is not defined")
        if block.ends != "switch":
            if isinstance(value, int):
                return block.targets[0 if value & 1 else 1]
            return [(value, block.targets[0])], block.targets[1]
        others, last = [], block.targets[-1]
        for case, target in zip(block.cases, block.targets, strict=False):
            holds = self.numbers.compare("eq", block.bits, value, frame[case])
            if isinstance(holds, Node):
                others.append((holds, target))
            elif holds:
                last = target
                break
        return (others, last) if others else last

    def _both(
        self, code: Code, frame: list[Any], block: CodeBlock, ways: tuple[list[_Case], str], until: str | None
    ) -> tuple[int, Any, str | None]:
        """Run the ways of a branch to where they meet; where to go on, with its phis, or how all of it ended."""
        numbers, join = self.numbers, code.join(block.name)
        ((condition, target), *others), last = ways
        if self.depth >= _MOST_DEPTH:
            raise Stopped(f"{numbers.where} has too many branches within one another that depend on inputs")
        self.forks += 1
        path, ended = numbers.path, []
        for holds in (1, 0):
            here = condition if holds else numbers.make("xor", condition, 1)
            numbers.path = here if path == 1 else numbers.make("and", path, here)
            if numbers.path == 0:
                numbers.path = path
                continue
            own = list(frame)
            self.memory.begin()
            self.depth += 1
            try:
                if others and not holds:
                    how, value, _ = self._both(code, own, block, (others, last), join)
                else:
                    how, value = self._blocks(code, own, code.blocks[target if holds else last], block.name, join)
            finally:
                self.depth -= 1
                changed = self.memory.take_back()
                numbers.path = path
            if how == _TRAPPED:
                numbers.oblige(here, "a trap")
            else:
                ended.append((own, how, value, changed))
        if not ended:
            return _TRAPPED, None, None
        value = self._meet(code, frame, condition, ended, code.block_phis(join))
        if join is None:
            return _RETURNED, value, None
        return (_MET, value, None) if join == until else (_MET, value, join)

    def _meet(self, code: Code, frame: list[Any], condition: Node, ways: list[Any], phis: Sequence[Type]) -> Any:
        """Put together what both ways left."""
        if len(ways) == 1:
            own, how, value, changed = ways[0]
            frame[:] = own
            for (number, at), cell in changed.items():
                self.memory.write(self.memory.objects[number], at, [cell])
            return value
        (one, how, first, changed), (other, _, second, too) = ways
        for place, type_ in code.crossing:
            frame[place] = self.merged(condition, type_, one[place], other[place])
        self._meet_memory(condition, changed, too)
        if how == _RETURNED:
            return None if code.result is None else self.merged(condition, code.result, first, second)
        return [self.merged(condition, type_, a, b) for type_, a, b in zip(phis, first, second, strict=True)]

    def merged(self, condition: Any, type_: Type, a: Any, b: Any) -> Any:
        """a where a condition holds, else b."""
        if a is b:
            return a
        if a is None or b is None:
            return None
        if isinstance(type_, Vector):
            if a.bits != b.bits:
                bits = min(a.bits, b.bits)
                a, b = (Vec(bits, lanes_of(self.numbers, each, bits)) for each in (a, b))
            pairs = zip(a.lanes, b.lanes, strict=True)
            return Vec(a.bits, [self.numbers.select(condition, a.bits, x, y) for x, y in pairs])
        if isinstance(type_, Pointer) or (isinstance(type_, Integer) and type_.bits == 64):
            if isinstance(a, Vec) or isinstance(b, Vec):
                return None
            return self.numbers.select(condition, 64, a, b)
        return self.numbers.select(condition, 32, a, b) if isinstance(type_, Integer) else None

    def _meet_memory(
        self, condition: Node, first: dict[tuple[int, int], Any], second: dict[tuple[int, int], Any]
    ) -> None:
        places = sorted(first.keys() | second.keys())
        done: set[tuple[int, int]] = set()
        for number, at in places:
            if (number, at) in done or number not in self.memory.objects:
                continue
            found = self.memory.objects[number]
            cells = [
                [way.get((number, place), found.cells[place]) for place in range(at, min(at + 4, len(found.cells)))]
                for way in (first, second)
            ]
            size = 4 if len(cells[0]) == 4 and self._are_words(cells, at) else 1
            words = [self.memory._word(each[:size]) for each in cells]
            chosen = self.merged(condition, Integer(32), *words)
            new = [None] * size if chosen is None else self.memory._cells(Integer(8 * size), chosen)
            self.memory.write(found, at, new)
            done.update((number, place) for place in range(at, at + size))

    @staticmethod
    def _are_words(cells: list[list[Any]], at: int) -> bool:
        """Whether four bytes are one word in both ways; constants are where a word may lie."""
        for way in cells:
            first = way[0]
            if isinstance(first, tuple):
                if any(cell != (first[0], k) for k, cell in enumerate(way)):
                    return False
            elif not all(isinstance(cell, int) for cell in way):
                return False
        return at % 4 == 0 or any(isinstance(way[0], tuple) for way in cells)

    def constant(self, value: Any, what: str) -> int:
        """A value that must not depend on inputs."""
        if isinstance(value, Wide | Node) or value is None:
            raise Stopped(f"{self.numbers.where}: {what} depends on inputs")
        return int(value)
