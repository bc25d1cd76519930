"""Types of LLVM's intermediate form, and how many bytes their values take."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "DOUBLE",
    "FLOAT",
    "LABEL",
    "POINTER",
    "VOID",
    "Array",
    "Integer",
    "Named",
    "Pointer",
    "Struct",
    "Type",
    "Vector",
]


@dataclass(frozen=True)
class Type:
    """Any of them."""

    @property
    def bytes(self) -> int:
        """Of a value in memory."""
        raise NotImplementedError

    @property
    def alignment(self) -> int:
        """Of it, where nothing else is said."""
        return self.bytes


@dataclass(frozen=True)
class Named(Type):
    """`void`, `label`, and floating point, which is not followed."""

    name: str
    size: int = 0

    @property
    def bytes(self) -> int:
        return self.size


@dataclass(frozen=True)
class Integer(Type):
    """An integer of so many bits."""

    bits: int

    @property
    def bytes(self) -> int:
        return -(-self.bits // 8)


@dataclass(frozen=True)
class Pointer(Type):
    """An address."""

    @property
    def bytes(self) -> int:
        return 8


@dataclass(frozen=True)
class Vector(Type):
    """So many elements, in a register."""

    count: int
    element: Type

    @property
    def bytes(self) -> int:
        return -(-self.count * self.bits // 8)

    @property
    def bits(self) -> int:
        """Of an element."""
        return self.element.bits if isinstance(self.element, Integer) else 8 * self.element.bytes


@dataclass(frozen=True)
class Array(Type):
    """So many elements, in memory."""

    count: int
    element: Type

    @property
    def bytes(self) -> int:
        return self.count * self.element.bytes

    @property
    def alignment(self) -> int:
        return self.element.alignment


@dataclass(frozen=True)
class Struct(Type):
    """Members one after the other; aligned unless packed."""

    members: tuple[Type, ...]
    packed: bool

    @property
    def bytes(self) -> int:
        end = self.offset(len(self.members))
        return end if self.packed else -(-end // self.alignment) * self.alignment

    @property
    def alignment(self) -> int:
        return 1 if self.packed else max((member.alignment for member in self.members), default=1)

    def offset(self, place: int) -> int:
        """Where a member begins; behind the last, where it would."""
        at = 0
        for number, member in enumerate(self.members):
            if not self.packed:
                at = -(-at // member.alignment) * member.alignment
            if number == place:
                return at
            at += member.bytes
        return at


POINTER = Pointer()
VOID, LABEL, FLOAT, DOUBLE = Named("void"), Named("label"), Named("float", 4), Named("double", 8)
