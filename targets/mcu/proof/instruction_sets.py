"""The instruction set of each core that proofs can follow."""

from __future__ import annotations

from ..cores import UNICORN_CORES, Core
from ..qemu_core import QEMU_CORE
from .machine import InstructionSet
from .riscv import RiscV
from .thumb import Thumb

__all__ = ["followed_cores", "instruction_set"]


def followed_cores() -> tuple[str, ...]:
    """The names of the cores whose machine code is followed."""
    return (*UNICORN_CORES, QEMU_CORE)


def instruction_set(core: Core) -> InstructionSet:
    """Of one of `followed_cores`."""
    return RiscV() if core.architecture == "riscv" else Thumb(core.mve)
