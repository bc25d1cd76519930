"""Runs firmware functions in Unicorn: the real machine code, instruction by instruction, inside this process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from edgeml.errors import CheckFailed, InputError, MissingTool
from edgeml.extras import install_extra
from edgeml.system.time_limit import seconds_for, timed_out

from .cores import Core
from .image import Image
from .toolchain import MemoryMap

__all__ = ["Call", "Emulator", "emulator_missing", "emulator_version"]

_STACK_BASE, _STACK_SIZE = 0x3000_0000, 0x10000
_SCRATCH = 0x3100_0000
_RETURN = 0x3200_0000
_PAGE = 0x1000
_PATTERN = 0xA5
_SECONDS = 120.0


def emulator_missing() -> str:
    """Empty if Unicorn can be imported; else what to install."""
    import importlib.util

    for module, package in (("unicorn", "unicorn"), ("elftools", "pyelftools")):
        if importlib.util.find_spec(module) is None:
            return f"{package}: {install_extra('mcu')}"
    return ""


def emulator_version() -> str:
    """For reports: `Unicorn 2.1.4`."""
    from importlib.metadata import version

    return f"Unicorn {version('unicorn')}"


def _microseconds(seconds: float) -> int:
    return max(1, round(seconds * 1e6))


def _round_up(size: int) -> int:
    return -(-size // _PAGE) * _PAGE


@dataclass(frozen=True)
class Call:
    """What one call of a firmware function did.

    Parameters
    ----------
    result : the value it returned, unsigned 32 bit.
    instructions : number executed; 0 where they were not counted.
    by_function : instructions by name of the function they belong to, callees not included.
    by_layer : instructions from each marked function's entry to its return, callees included.
    stack : bytes of stack that were touched; 0 where the stack was not watched.
    """

    result: int
    instructions: int = 0
    by_function: dict[str, int] = field(default_factory=dict)
    by_layer: dict[str, int] = field(default_factory=dict)
    stack: int = 0


class Emulator:
    """A core with `image` in its flash, whose functions can be called.

    Flash is read-only, everything outside flash, RAM, stack and the scratch memory is unmapped: a stray access stops
    the run and is reported with its address and function.
    """

    def __init__(
        self,
        core: Core,
        image: Image,
        *,
        memory: MemoryMap | None = None,
        scratch: int = 1 << 20,
        code_in_ram: bool = False,
    ) -> None:
        if missing := emulator_missing():
            raise MissingTool("emulator", f"needs {missing}")
        if not core.unicorn_model:
            raise InputError("emulator", f"Unicorn has no {core.title}", "Run it on its board in QEMU")
        import unicorn
        from unicorn import arm_const, riscv_const

        self._unicorn = unicorn
        self._core = core
        self._image = image
        self._memory = memory = memory or MemoryMap()
        if core.architecture == "arm":
            self._uc = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
            self._uc.ctl_set_cpu_model(getattr(arm_const, core.unicorn_model))
            registers = [getattr(arm_const, f"UC_ARM_REG_R{i}") for i in range(4)]
            self._arguments, self._result = registers, registers[0]
            self._sp, self._lr = arm_const.UC_ARM_REG_SP, arm_const.UC_ARM_REG_LR
            self._pc = arm_const.UC_ARM_REG_PC
            self._thumb = 1
        else:
            self._uc = unicorn.Uc(unicorn.UC_ARCH_RISCV, unicorn.UC_MODE_RISCV32)
            self._uc.ctl_set_cpu_model(getattr(riscv_const, core.unicorn_model))
            registers = [getattr(riscv_const, f"UC_RISCV_REG_A{i}") for i in range(8)]
            self._arguments, self._result = registers, registers[0]
            self._sp, self._lr = riscv_const.UC_RISCV_REG_SP, riscv_const.UC_RISCV_REG_RA
            self._pc = riscv_const.UC_RISCV_REG_PC
            self._thumb = 0
        uc = self._uc
        read_execute = unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC
        read_write = unicorn.UC_PROT_READ | unicorn.UC_PROT_WRITE
        uc.mem_map(memory.flash, _round_up(memory.flash_size), read_execute)
        uc.mem_map(memory.ram, _round_up(memory.ram_size), unicorn.UC_PROT_ALL if code_in_ram else read_write)
        uc.mem_map(_STACK_BASE, _STACK_SIZE, read_write)
        uc.mem_map(_SCRATCH, _round_up(scratch), read_write)
        uc.mem_map(_RETURN, _PAGE, read_execute)
        for segment in image.segments:
            if segment.content:
                uc.mem_write(segment.address, segment.content)
        self._scratch_next, self._scratch_end = _SCRATCH, _SCRATCH + _round_up(scratch)
        self._functions = image.functions()
        self._lengths: dict[tuple[int, int], int] = {}
        self._owners: dict[int, str] = {}
        self._next = 0

    @property
    def core(self) -> Core:
        """The core that is emulated."""
        return self._core

    @property
    def image(self) -> Image:
        """The image that is loaded."""
        return self._image

    def allocate(self, size: int, alignment: int = 8) -> int:
        """Address of `size` bytes of memory that the caller owns."""
        address = -(-self._scratch_next // alignment) * alignment
        if address + size > self._scratch_end:
            raise CheckFailed("emulator", f"{size} bytes do not fit the scratch memory")
        self._scratch_next = address + size
        return address

    def write(self, address: int, content: bytes) -> None:
        """Put bytes into memory (flash too: that is how a test damages weights)."""
        self._uc.mem_write(address, content)

    def read(self, address: int, size: int) -> bytes:
        """Bytes from memory."""
        return bytes(self._uc.mem_read(address, size))

    def call(
        self,
        function: str,
        *arguments: int,
        count: bool = False,
        layers: tuple[str, ...] = (),
        watch_stack: bool = False,
    ) -> Call:
        """Call `function` with up to four (RISC-V: eight) 32-bit arguments.

        count : count instructions by block. layers : functions whose inclusive counts are wanted.
        Raises CheckFailed where the code faults or does not return.
        """
        uc, top = self._uc, _STACK_BASE + _STACK_SIZE
        if len(arguments) > len(self._arguments):
            raise CheckFailed(function, f"takes {len(arguments)} arguments; at most {len(self._arguments)} are passed")
        for register, value in zip(self._arguments, arguments, strict=False):
            uc.reg_write(register, value & 0xFFFF_FFFF)
        uc.reg_write(self._sp, top)
        uc.reg_write(self._lr, _RETURN | self._thumb)
        if watch_stack:
            uc.mem_write(_STACK_BASE, bytes([_PATTERN]) * _STACK_SIZE)
        counts: dict[tuple[int, int], int] = {}
        inclusive: dict[str, int] = {}
        hook = None
        if count:
            uc.ctl_flush_tb()  # blocks that were translated before would not call the hook
            hook = self._install_counter(counts, inclusive, layers)
        seconds = seconds_for(_SECONDS)
        start = time.monotonic()
        try:
            uc.emu_start(self._image.address(function) | self._thumb, _RETURN, timeout=_microseconds(seconds))
        except self._unicorn.UcError as error:
            address = uc.reg_read(self._pc)
            raise CheckFailed(
                f"{self._core.title}, {function}", f"faults in {self._owner(address)} at {address:#010x} ({error})"
            ) from error
        finally:
            if hook is not None:
                uc.hook_del(hook)
                uc.ctl_flush_tb()
        if uc.reg_read(self._pc) & ~1 != _RETURN:
            if time.monotonic() - start >= seconds:
                raise timed_out(f"emulated {self._core.title}, {function}", seconds)
            raise CheckFailed(f"{self._core.title}, {function}", f"stopped at {uc.reg_read(self._pc):#010x}")
        by_function: dict[str, int] = {}
        for (address, size), times in counts.items():
            owner = self._owner(address)
            by_function[owner] = by_function.get(owner, 0) + times * self._length(address, size)
        stack = 0
        if watch_stack:
            content = bytes(uc.mem_read(_STACK_BASE, _STACK_SIZE))
            stack = len(content.lstrip(bytes([_PATTERN])))
        return Call(uc.reg_read(self._result) & 0xFFFF_FFFF, sum(by_function.values()), by_function, inclusive, stack)

    def add_device(
        self, address: int, size: int, read: Callable[[int], int], write: Callable[[int, int], None]
    ) -> None:
        """Registers at `address`: read(offset) gives a value, write(offset, value) takes one."""
        self._uc.mmio_map(
            address,
            size,
            lambda uc, offset, width, data: read(offset) & 0xFFFF_FFFF,
            None,
            lambda uc, offset, width, value, data: write(offset, value),
            None,
        )

    def count_into(self, counter: Callable[[int], None]) -> None:
        """Call counter(instructions) for every block that runs from now on."""
        self._uc.hook_add(
            self._unicorn.UC_HOOK_BLOCK, lambda uc, address, size, data: counter(self._length(address, size))
        )

    def blocks(self, function: str, *arguments: int) -> list[tuple[int, ...]]:
        """Call `function`: of each block of instructions that runs, in order, its address, the number of its
        instructions and the registers before it (Arm: r0 … r14; RISC-V: x0 … x31)."""
        from unicorn import arm_const, riscv_const

        arm = self._core.architecture == "arm"
        first, last = (arm_const.UC_ARM_REG_R0, 13) if arm else (riscv_const.UC_RISCV_REG_X0, 32)
        numbers = [first + place for place in range(last)] + ([self._sp, self._lr] if arm else [])
        found: list[tuple[int, ...]] = []

        def block(uc: Any, address: int, size: int, _: Any) -> None:
            count = self._length(address, size)
            found.append((address, count, *(value & 0xFFFF_FFFF for value in uc.reg_read_batch(numbers))))

        with self._hooked((self._unicorn.UC_HOOK_BLOCK, block)):
            self.call(function, *arguments)
        return found

    def call_watched(
        self, function: str, *arguments: int, block: Callable[[int, int], None], loaded: Callable[[int], None] | None
    ) -> None:
        """Call `function`; before each block of instructions call block(address, size), and for each load from flash
        loaded(address)."""
        hooks: list[tuple[Any, ...]] = [
            (self._unicorn.UC_HOOK_BLOCK, lambda uc, address, size, data: block(address, size))
        ]
        if loaded is not None:
            read, flash = self._unicorn.UC_HOOK_MEM_READ, self._memory
            ends = flash.flash, flash.flash + flash.flash_size - 1
            hooks.append((read, lambda uc, access, address, size, value, data: loaded(address), None, *ends))
        with self._hooked(*hooks):
            self.call(function, *arguments)

    def call_holding(
        self, function: str, *arguments: int, entry: int, contents: Mapping[int, bytes], place: int, size: int
    ) -> bytes:
        """Call `function`; whenever the code at `entry` is about to run, put `contents` into memory by address. The
        `size` bytes at `place` when that code has returned."""
        found: list[bytes] = []
        until: list[int] = []

        def instruction(uc: Any, address: int, size_: int, _: Any) -> None:
            if address == entry:
                until.append(uc.reg_read(self._lr) & ~self._thumb)
                for start, content in contents.items():
                    uc.mem_write(start, content)
            elif until and address == until[-1] and len(found) < len(until):
                found.append(bytes(uc.mem_read(place, size)))

        with self._hooked((self._unicorn.UC_HOOK_CODE, instruction)):
            self.call(function, *arguments)
        return found[-1]

    def call_with(self, function: str, *arguments: int, at: Mapping[int, Callable[[], None]]) -> None:
        """Call `function`; call those of `at` whenever the instruction at their address is about to run."""
        code = self._unicorn.UC_HOOK_CODE
        hooks = [(code, lambda uc, address, size, data: at[address](), None, place, place) for place in at]
        with self._hooked(*hooks):
            self.call(function, *arguments)

    def makes_access(self, function: str, *arguments: int, at: int, address: int, size: int, write: bool) -> bool:
        """Call `function`; whether the instruction at `at` reads or writes just these bytes."""
        found: set[tuple[int, int, bool]] = set()
        running = [0]

        def instruction(uc: Any, place: int, length: int, _: Any) -> None:
            running[0] = place

        def access(uc: Any, kind: int, place: int, length: int, value: int, _: Any) -> None:
            if running[0] == at:
                found.add((place, length, kind == self._unicorn.UC_MEM_WRITE))

        touched = self._unicorn.UC_HOOK_MEM_READ | self._unicorn.UC_HOOK_MEM_WRITE
        with self._hooked((self._unicorn.UC_HOOK_CODE, instruction), (touched, access)):
            self.call(function, *arguments)
        return (address, size, write) in found

    @contextmanager
    def _hooked(self, *hooks: tuple[Any, ...]) -> Iterator[None]:
        """With these hooks; code that was translated without them would not call them."""
        self._uc.ctl_flush_tb()
        added = [self._uc.hook_add(*hook) for hook in hooks]
        try:
            yield
        finally:
            for hook in added:
                self._uc.hook_del(hook)
            self._uc.ctl_flush_tb()

    @property
    def stack(self) -> tuple[int, int]:
        """The first address of the stack's memory, and the one behind its last."""
        return _STACK_BASE, _STACK_BASE + _STACK_SIZE

    @property
    def returns_to(self) -> int:
        """Where functions that are called return to."""
        return _RETURN

    def start(self, entry: int, stack: int = _STACK_BASE + _STACK_SIZE) -> None:
        """Make `entry` the next instruction that `resume` runs, with an empty stack below `stack`, its own if none."""
        self._uc.reg_write(self._sp, stack)
        self._next = entry & ~1

    def stop(self) -> None:
        """Called by a device: `resume` returns."""
        self._uc.emu_stop()

    def resume(self) -> None:
        """Run until a device calls `stop`; CheckFailed where the code faults or runs for too long."""
        seconds = seconds_for(_SECONDS)
        try:
            self._uc.emu_start(self._next | self._thumb, _RETURN, timeout=_microseconds(seconds))
        except self._unicorn.UcError as error:
            address = self._uc.reg_read(self._pc)
            raise CheckFailed(
                self._core.title, f"faults in {self._owner(address)} at {address:#010x} ({error})"
            ) from error
        self._next = self._uc.reg_read(self._pc) & ~1

    def _install_counter(
        self, counts: dict[tuple[int, int], int], inclusive: dict[str, int], layers: tuple[str, ...]
    ) -> Any:
        entries = {self._image.address(name): name for name in layers}
        open_calls: list[
            tuple[str, int]
        ] = []  # of functions that are running, where each returns to; the inner ones last

        def at_block(uc: Any, address: int, size: int, _: Any) -> None:
            key = (address, size)
            counts[key] = counts.get(key, 0) + 1
            if not entries:
                return
            while open_calls and address == open_calls[-1][1]:
                open_calls.pop()
            if address in entries and all(entries[address] != name for name, _ in open_calls):
                open_calls.append((entries[address], uc.reg_read(self._lr) & ~self._thumb))
            for name, _until in open_calls:
                inclusive[name] = inclusive.get(name, 0) + self._length(address, size)

        return self._uc.hook_add(self._unicorn.UC_HOOK_BLOCK, at_block)

    def _length(self, address: int, size: int) -> int:
        """Number of instructions in a block of `size` bytes."""
        key = (address, size)
        if key not in self._lengths:
            content = bytes(self._uc.mem_read(address, size))
            position = number = 0
            while position < size:
                low = content[position] | content[position + 1] << 8
                if self._core.architecture == "arm":
                    position += 4 if low >> 11 in (0b11101, 0b11110, 0b11111) else 2
                else:
                    position += 4 if low & 3 == 3 else 2
                number += 1
            self._lengths[key] = number
        return self._lengths[key]

    def _owner(self, address: int) -> str:
        if address not in self._owners:
            name = "?"
            for function in self._functions:
                if function.address <= address < function.address + max(function.size, 1):
                    name = function.name
            self._owners[address] = name
        return self._owners[address]
