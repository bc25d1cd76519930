"""Constant arrays as C text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

__all__ = ["ConstantArray"]

_LINE = 116
_SMALLEST_INT32 = "(-2147483647 - 1)"


@dataclass(frozen=True, eq=False)
class ConstantArray:
    """A `static const` array.

    Parameters
    ----------
    name : C identifier, unique in the program; arrays of the same name must be the same.
    ctype : `int8_t`, `uint8_t`, `int16_t`, `uint16_t`, `int32_t` or `uint32_t`.
    values : integers, stored in the order of the array; any shape.
    comment : one line on the meaning and layout of the values.
    shared : whether other programs define the same array under the same name; one of them does then, where they are
        compiled together.
    """

    name: str
    ctype: str
    values: npt.NDArray[Any]
    comment: str = ""
    shared: bool = False

    def __post_init__(self) -> None:
        bits = 8 * self.item_bytes
        low, high = (0, 2**bits - 1) if self.ctype.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        if self.values.size == 0 or int(self.values.min()) < low or int(self.values.max()) > high:
            raise ValueError(f"{self.name}: values do not fit {self.ctype}")

    @property
    def item_bytes(self) -> int:
        """Bytes of one element."""
        return int(self.ctype.strip("uint_")) // 8

    @property
    def bytes(self) -> int:
        """Bytes of read-only memory that it takes."""
        return int(self.values.size) * self.item_bytes

    def text(self, alignment: int) -> str:
        """The definition, aligned to `alignment` bytes."""
        flat = self.values.ravel().tolist()
        words = [str(value) for value in flat]
        if self.ctype == "int32_t" and -(2**31) in flat:
            words = [_SMALLEST_INT32 if value == -(2**31) else word for value, word in zip(flat, words, strict=True)]
        width = max(map(len, words))
        per_line = max(1, _LINE // (width + 2))
        lines = [
            "    " + ", ".join(word.rjust(width) for word in words[start : start + per_line])
            for start in range(0, len(words), per_line)
        ]
        comment = f"/* {self.comment} */\n" if self.comment else ""
        body = ",\n".join(lines)
        declaration = f"static const EDGEML_ALIGNED({alignment}) {self.ctype} {self.name}[{len(words)}]"
        definition = f"{comment}{declaration} = {{\n{body}\n}};\n"
        guard = f"{self.name.upper()}_DEFINED"
        return f"#if !defined({guard})\n#define {guard}\n{definition}#endif\n" if self.shared else definition
