"""The memory of a program that is followed for all inputs: bytes, and which of them it may touch."""

from __future__ import annotations

from dataclasses import dataclass

from edgeml.errors import CheckFailed
from edgeml.proof.words.dataflow import Dataflow, Node, Operand

__all__ = ["Byte", "Memory", "OutsideObject", "Region"]


@dataclass(frozen=True)
class Region:
    """Bytes start … end − 1 that may be read, and written if `writable`."""

    name: str
    start: int
    end: int
    writable: bool


class OutsideObject(CheckFailed):
    """An access that lies in no object that it is meant for.

    Attributes
    ----------
    at : the instruction's address. address, size : the bytes. write : whether they are written.
    """

    def __init__(self, at: int, address: int, size: int, write: bool) -> None:
        verb = "writes" if write else "reads"
        super().__init__(f"the instruction at {at:#010x}", f"{verb} {size} bytes at {address:#010x}, where it must not")
        self.at, self.address, self.size, self.write = at, address, size, write


Byte = int | tuple[Node, int]
"""A constant, or byte k of a word."""


class Memory:
    """Bytes by address, over those of a parent that does not change meanwhile.

    A read of what nobody wrote gives a word of which nothing is known.

    Attributes
    ----------
    seen : the bytes of the parent that were asked for, if that is watched; else None. used : regions of all accesses.
    """

    def __init__(self, flow: Dataflow, flash: dict[int, bytes], parent: Memory | None = None) -> None:
        self._flow = flow
        self._flash = flash
        self._parent = parent
        self.written: dict[int, Byte] = {}
        self.regions: list[Region] = list(parent.regions) if parent else []
        self.seen: dict[int, Byte | None] | None = None
        self.used: set[Region] = parent.used if parent else set()

    def child(self) -> Memory:
        """The same memory, to be changed apart from this one."""
        return Memory(self._flow, self._flash, self)

    def watched(self) -> Memory:
        """A child that notes what is taken from this one, and the regions that are touched."""
        memory = self.child()
        memory.seen, memory.used = {}, set()
        return memory

    def byte(self, address: int, *, noted: bool = True) -> Byte | None:
        """The byte at an address; None if nobody wrote it. noted : as one that what is computed depends on."""
        memory: Memory | None = self
        seen: dict[int, Byte | None] | None = None
        while memory is not None:
            if address in memory.written:
                found: Byte | None = memory.written[address]
                break
            seen = seen if memory.seen is None else memory.seen
            memory = memory._parent
        else:
            found = self._flash_byte(address)
        if noted and seen is not None:
            seen[address] = found
        return found

    def _flash_byte(self, address: int) -> int | None:
        for start, content in self._flash.items():
            if start <= address < start + len(content):
                return content[address - start]
        return None

    def check(self, address: int, size: int, write: bool, at: int) -> None:
        """Raise OutsideObject for an access of the instruction at `at` that lies in no region."""
        for region in self.regions:
            if region.start <= address and address + size <= region.end and (region.writable or not write):
                self.used.add(region)
                return
        raise OutsideObject(at, address, size, write)

    def load(self, address: int, size: int) -> Operand:
        """A number of `size` bytes, zeros above it."""
        found = [self.byte(address + place) for place in range(size)]
        if all(isinstance(byte, int) for byte in found):
            return int.from_bytes(bytes(byte for byte in found if isinstance(byte, int)), "little")
        first = found[0]
        if isinstance(first, tuple) and size == 4 and found == [(first[0], place) for place in range(4)]:
            return first[0]
        total: Operand = 0
        for place, byte in enumerate(found):
            if byte is None:
                return self._flow.unknown(f"bytes at {address:#010x} that nobody wrote")
            total = self._flow.make("add", total, self._flow.make("shl", self._one(byte), 8 * place))
        return total

    def _one(self, byte: Byte) -> Operand:
        if isinstance(byte, int):
            return byte
        word = self._flow.make("shr", byte[0], 8 * byte[1]) if byte[1] else byte[0]
        return self._flow.make("and", word, 255)

    def store(self, address: int, size: int, value: Operand) -> None:
        """The lowest `size` bytes of a word."""
        for place in range(size):
            self.written[address + place] = (value >> 8 * place) & 255 if isinstance(value, int) else (value, place)

    def entries(self, first: int, last: int, step: int, size: int) -> list[int] | None:
        """Constants at first, first + step … last; None if some are not constants."""
        found = [self.load(address, size) for address in range(first, last + 1, step)]
        return [item for item in found if isinstance(item, int)] if all(isinstance(i, int) for i in found) else None
