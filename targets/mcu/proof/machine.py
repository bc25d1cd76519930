"""A core that runs a program for all inputs at once: constants as they are, the rest as operations on words.

Where a branch depends on the inputs, both ways are run to where they meet again (the branch's immediate postdominator
in the function), and what differs there is chosen by the branch's condition.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from edgeml.proof.words.dataflow import MOST_AMONG, Dataflow, Node, Operand

from .control_flow import join_of
from .memory import Memory

__all__ = ["END", "LATE", "Instruction", "InstructionSet", "Machine", "Stopped", "Trapped"]

END = -1
"""Where a function that returns goes."""
LATE = "out of time"
_MOST_STEPS = 3_000_000
_MOST_DEPTH = 100


class Stopped(Exception):
    """The program cannot be followed further, with the reason."""


class Trapped(Exception):
    """An instruction that ends the program: what a compiler puts where behaviour is undefined."""


class Instruction(Protocol):
    """A decoded instruction."""

    @property
    def size(self) -> int:
        """Bytes."""
        ...

    @property
    def targets(self) -> tuple[int, ...]:
        """Where it may go within its function (calls return behind themselves); END where it returns."""
        ...

    @property
    def run(self) -> Callable[[Machine], None]:
        """Does it; `machine.pc` is that of the next instruction already."""
        ...


class InstructionSet(Protocol):
    """What a machine must know of its core."""

    registers: int
    stack: int
    """Number of the stack pointer."""
    link: int
    result: int
    """Number of the register in which a function returns a number."""

    def decode(self, address: int, code: bytes) -> Instruction:
        """The instruction at an address; Stopped where it is not known."""
        ...


class Machine:
    """Registers, memory, and the operations found so far.

    Attributes
    ----------
    registers : operands. flags : of cores that have them, as the instruction set keeps them. pc : a constant.
    path : 0 or 1, whether the inputs come here. until : processor time at which it stops. watch : called before each
    instruction that the sample takes, too. looked_at : the addresses of instructions that were looked at.
    """

    def __init__(self, core: InstructionSet, flow: Dataflow, memory: Memory) -> None:
        self.core = core
        self.flow = flow
        self.memory = memory
        self.registers: list[Operand] = [0] * core.registers
        self.flags: tuple[object, ...] = ()
        self.pc = self.at = 0
        self.depth = 0
        self.real = True
        self.path: Operand = 1
        self.steps = 0
        self.until = float("inf")
        self.accesses = 0
        self.forks = 0
        self.watch: Callable[[Machine], None] | None = None
        self.looked_at: set[int] = set()
        self._decoded: dict[int, Instruction] = {}
        self._joins: dict[int, int | None] = {}
        self.returns: list[tuple[int, int]] = []

    def instruction(self, address: int) -> Instruction:
        """The instruction at an address."""
        self.looked_at.add(address)
        if address not in self._decoded:
            # Of two bytes or four: those that it has are noted where a stage is kept.
            ahead = (self.memory.byte(address + k, noted=False) for k in range(4))
            code = bytes(byte for byte in ahead if isinstance(byte, int))
            self._decoded[address] = self.core.decode(address, code)
        return self._decoded[address]

    def anew(self) -> None:
        """Forget flags, and which instructions were looked at: what runs from here on depends on neither."""
        self.flags = ()
        self.looked_at.clear()
        self._joins.clear()

    def step(self) -> None:
        """One instruction."""
        if self.real and self.watch is not None:
            self.watch(self)
        instruction = self.instruction(self.pc)
        self.at = self.pc
        self.pc += instruction.size
        try:
            instruction.run(self)
        except Trapped as trap:
            known = self.flow.constant(self.path)
            if known == 0:
                raise
            raise Stopped(f"at {self.at:#010x} it traps, for inputs that may come") from trap
        self.steps += 1
        if self.steps % 64 == 0 and time.process_time() > self.until:
            raise Stopped(LATE)
        if self.steps > _MOST_STEPS:
            raise Stopped(f"more than {_MOST_STEPS} instructions")

    def run(self, *stops: int, stack: int | None = None) -> None:
        """Run until the next instruction is one of `stops`, with the stack pointer at `stack`."""
        while self.pc not in stops or (stack is not None and self.stack_pointer() != stack):
            self.step()

    def branch(self, condition: Operand, target: int) -> None:
        """Go to `target` where the condition, 0 or 1, is 1."""
        known = self.flow.constant(condition)
        if known is not None:
            self.pc = target if known else self.pc
            return
        assert isinstance(condition, Node)
        self.both(condition, lambda m: m.jump(target), None)

    def both(self, condition: Node, taken: Callable[[Machine], None], join: int | None) -> None:
        """Do `taken` where the condition is 1, and nothing where it is 0, each to where both ways meet."""
        if join is None:
            join, stack = self._join()
        else:
            stack = self.stack_pointer()
        behind = self.pc
        if self.depth >= _MOST_DEPTH:
            raise Stopped("too many branches within one another depend on the inputs")
        self.forks += 1
        ways = []
        before = (list(self.registers), self.flags, self.memory, self.path, self.real)
        returns = list(self.returns)
        for holds in (1, 0):
            here = condition if holds else self.flow.make("xor", condition, 1)
            self.path = self.flow.make("and", before[3], here) if before[3] != 1 else here
            if not isinstance(self.path, int) and self.flow.constant(self.path) == 0:
                continue
            self.registers, self.flags = list(before[0]), before[1]
            self.memory = before[2].child()
            self.real = before[4] and condition.sample == holds
            self.pc = behind
            self.returns = list(returns)
            depth, self.depth = self.depth, self.depth + 1
            try:
                if holds:
                    taken(self)
                self.run(join, stack=stack)
            except Trapped:
                continue
            finally:
                self.depth = depth
            if self.returns and join == self.returns[-1][0]:
                self.returns.pop()  # a conditional jump to the function's end
            ways.append((self.registers, self.flags, self.memory))
        self.memory, self.path, self.real, self.pc = before[2], before[3], before[4], join
        self._meet(condition, ways)

    def _join(self) -> tuple[int, int]:
        """Where both ways of the branch at `at` meet, and the stack pointer there."""
        if self.at not in self._joins:
            self._joins[self.at] = join_of(self.at, lambda address: self.instruction(address).targets)
        join = self._joins[self.at]
        return self.returns[-1] if join is None else (join, self.stack_pointer())

    def stack_pointer(self) -> int:
        """The stack pointer, a constant."""
        found = self.flow.constant(self.registers[self.core.stack])
        if found is None:
            raise Stopped("the stack pointer depends on the inputs")
        return found

    def _meet(self, condition: Node, ways: Sequence[tuple[list[Operand], tuple[object, ...], Memory]]) -> None:
        if len(ways) == 1:
            self.registers, self.flags, changed = ways[0]
            self.memory.written.update(changed.written)
            return
        (one, flags, first), (other, _, second) = ways
        self.flags = flags if ways[0][1] == ways[1][1] else ()
        self.registers = [self._chosen(condition, a, b) for a, b in zip(one, other, strict=True)]
        for start in sorted({address & ~3 for address in first.written.keys() | second.written.keys()}):
            self._meet_word(condition, start, first, second)

    def _meet_word(self, condition: Node, start: int, first: Memory, second: Memory) -> None:
        places = [start + k for k in range(4)]
        if [first.byte(place) for place in places] == [second.byte(place) for place in places]:
            self.memory.written.update({p: b for p in places if (b := first.byte(p)) is not None})
            return
        if all(memory.byte(place) is not None for memory in (first, second) for place in places):
            self.memory.store(start, 4, self._chosen(condition, first.load(start, 4), second.load(start, 4)))
            return
        for place in places:
            if first.byte(place) is not None or second.byte(place) is not None:
                self.memory.store(place, 1, self._chosen(condition, first.load(place, 1), second.load(place, 1)))

    def _chosen(self, condition: Operand, a: Operand, b: Operand) -> Operand:
        return a if a is b or (isinstance(a, int) and a == b) else self.flow.make("select", condition, a, b)

    # What instructions do

    def load(self, address: Operand, size: int) -> Operand:
        """`size` bytes at an address, zeros above."""
        place = self.flow.constant(address)
        self.accesses += 1
        if place is not None:
            self._allow(place, size, write=False)
            return self.memory.load(place, size)
        assert isinstance(address, Node)
        return self._looked_up(address, size)

    def _looked_up(self, address: Node, size: int) -> Operand:
        _, column = self.flow.column(address)
        if column is None and address.among:
            return self._chosen_among(address, size)
        if column is None:
            raise Stopped(f"at {self.at:#010x} it reads at an address that depends on inputs in an unknown way")
        if self.path != 1:
            live = self.path
            base, _ = self.flow.column(address)
            chosen = self.flow.space.over(live.value, base) if isinstance(live, Node) else None
            if chosen is None:
                raise Stopped(f"at {self.at:#010x} it reads at an address that depends on inputs, in a branch")
            column = column[chosen != 0]
        places = np.unique(column).astype(np.int64)
        first, last = int(places[0]), int(places[-1])
        step = int(np.gcd.reduce(places - first)) or size
        for place in places:
            self._allow(int(place), size, write=False)
        if (last - first) // step > 1 << 16:
            raise Stopped(f"at {self.at:#010x} it reads from a table of more than 65536 entries")
        entries = self.memory.entries(first, last, step, size)
        if entries is None and len(places) <= MOST_AMONG:
            address.among = frozenset(int(place) for place in places)
            return self._chosen_among(address, size)
        if entries is None:
            raise Stopped(f"at {self.at:#010x} it reads what depends on inputs at an address that does, too")
        return self.flow.lookup(address, first, step, entries)

    def _chosen_among(self, address: Node, size: int) -> Operand:
        """What lies at one of a few addresses."""
        places = sorted(address.among)
        for place in places:
            self._allow(place, size, write=False)
        total = self.memory.load(places[-1], size)
        for place in places[:-1]:
            total = self.flow.make("select", self.flow.make("eq", address, place), self.memory.load(place, size), total)
        return total

    def store(self, address: Operand, size: int, value: Operand) -> None:
        """The lowest `size` bytes of a word to an address."""
        place = self.flow.constant(address)
        self.accesses += 1
        if place is None:
            raise Stopped(f"at {self.at:#010x} it writes to an address that depends on the inputs")
        self._allow(place, size, write=True)
        self.memory.store(place, size, value)

    def _allow(self, address: int, size: int, write: bool) -> None:
        self.memory.check(address, size, write, self.at)

    def jump(self, target: Operand) -> None:
        """To an address in a register."""
        place = self.flow.constant(target)
        if place is None:
            raise Stopped(f"at {self.at:#010x} it jumps to an address that depends on the inputs")
        self.pc = place & ~1

    def called(self) -> None:
        """Before a jump to a function: it returns behind the call."""
        self.returns.append((self.pc, self.stack_pointer()))

    def returned(self) -> None:
        """After a jump: if it is where the last call returns to, the function has ended."""
        if self.returns and self.pc == self.returns[-1][0]:
            self.returns.pop()
