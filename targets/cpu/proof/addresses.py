"""What is done with addresses beside reading and writing: differences and comparisons, within one object alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .frame import Frame
from .ir_module import Instruction, Local
from .ir_types import POINTER
from .numbers import NotFollowed, Wide

__all__ = ["address_as_number", "in_one_object"]


def address_as_number(frame: Frame, instruction: Instruction) -> Callable[[list[Any]], None]:
    """An address as an integer, of which nothing but a difference from another of the same object is followed."""
    target, a = frame.target(instruction), frame.operand(instruction.operands[0], instruction.types[0])
    all_of_them = [each for block in frame.function.blocks for each in block.instructions]
    numbers = [Local(each.target) for each in all_of_them if each.kind == "ptrtoint"]
    users = [each for each in all_of_them if Local(instruction.target) in each.operands]
    if any(user.kind != "sub" or not all(operand in numbers for operand in user.operands) for user in users):
        raise NotFollowed("an address as an integer")
    places = [frame.operand(operand, POINTER) for user in users for operand in user.operands]

    def number(frame: list[Any]) -> None:
        found = frame[a]
        for place in places:
            if isinstance(frame[place], int) and isinstance(found, int) and frame[place] >> 32 != found >> 32:
                raise NotFollowed("a difference of addresses of two objects")
        frame[target] = found

    return number


def in_one_object(a: Any, b: Any) -> None:
    """Raise NotFollowed unless two addresses are of one object: which of two objects lies first is not known."""
    halves = [each.high if isinstance(each, Wide) else each >> 32 for each in (a, b) if each is not None]
    if len(halves) == 2 and halves[0] != halves[1]:
        raise NotFollowed("a comparison of addresses of two objects")
