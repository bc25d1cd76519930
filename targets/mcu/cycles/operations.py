"""A block of machine code as the operations that its time hangs on."""

from __future__ import annotations

from .operation import Operation
from .riscv import riscv
from .thumb_narrow import narrow
from .thumb_wide import wide

__all__ = ["Operation", "operations"]

_WIDE = (0b11101, 0b11110, 0b11111)


def operations(architecture: str, code: bytes) -> tuple[Operation, ...]:
    """The instructions of `code`, in order; `architecture` is `arm` (Thumb) or `riscv` (RV32IMC)."""
    found: list[Operation] = []
    position = 0
    while position < len(code):
        half = int.from_bytes(code[position : position + 2], "little")
        if architecture == "arm":
            if half >> 11 in _WIDE:
                one = wide(half, int.from_bytes(code[position + 2 : position + 4], "little"))
            else:
                one = narrow(half)
        else:
            size = 4 if half & 3 == 3 else 2
            one = riscv(int.from_bytes(code[position : position + 4], "little"), size)
        found.append(one)
        position += one.size
    return tuple(found)
