"""Runs firmware functions on the Cortex-M55 of QEMU, which has the vector extension that Unicorn lacks.

The core is that of the board MPS3 AN547 (memory map: Arm, AN552), stopped from its reset on. Code and data are put into
its memories over GDB's protocol, and functions are called with registers set; any exception ends the call.
"""

from __future__ import annotations

import re
import shutil
import socket
import struct
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from edgeml.errors import CheckFailed, MissingTool, ToolFailed
from edgeml.system.bound_program import BoundProgram
from edgeml.system.scratch import ScratchFolder
from edgeml.system.time_limit import OPTION, seconds_for

from .boards import qemu_missing
from .cores import Core
from .emulator import Call
from .gdb_remote import GdbRemote
from .image import Image

__all__ = ["QEMU_CORE", "QemuCore"]

QEMU_CORE = "m55"
"""The core that is emulated; those like it run its code, too."""
_MACHINE, _PROGRAM = "mps3-an547", "qemu-system-arm"
_CODE_END, _VECTORS, _BEGIN, _RETURN, _FAULT = 0x60000, 0x60000, 0x61000, 0x62000, 0x63000
_DATA, _DATA_END, _STACK_END = 0x2000_0000, 0x2007_0000, 0x2008_0000
_SCRATCH, _SCRATCH_END = 0x2100_0000, 0x2110_0000
_SP, _LR, _PC, _XPSR, _D0 = 13, 14, 15, 25, 26
_THUMB_STATE = 0x0100_0000
_REGISTERS = 15
_START_SECONDS, _SECONDS = 30.0, 120.0
# ldr r0, =CPACR; ldr r1, [r0]; orr r1, r1, #0xf00000; str r1, [r0]; dsb; isb: coprocessors 10 and 11 may be used.
# ldr r0, =VTOR; ldr r1, =_VECTORS; str r1, [r0]; dsb; isb; b .
_BEGINNING = bytes.fromhex(
    "0848 0168 41f47001 0160 bff34f8f bff36f8f 0548 0549 0160 bff34f8f bff36f8f fee7 0000 88ed00e0 08ed00e0"
) + struct.pack("<I", _VECTORS)
_BEGUN = _BEGIN + 0x20
_STAY = bytes.fromhex("fee7")
_REGISTER = re.compile(r"\bR\d\d=([0-9a-f]{8})")
_SINGLE = ("one-insn-per-tb on", "singlestep on")
"""Commands of QEMU's monitor, of 8.1 and of before, that make each instruction a block of its own."""


class QemuCore:
    """A Cortex-M55 with `image` in its memory, whose functions can be called; see `Emulator`."""

    def __init__(self, core: Core, image: Image) -> None:
        if missing := qemu_missing():
            raise MissingTool("emulator", f"needs {missing}")
        self._core, self._image, self._next = core, image, _SCRATCH
        self._remote = self._started()
        for segment in image.segments:
            end = segment.address + segment.size
            if not (end <= _CODE_END or _DATA <= segment.address <= end <= _DATA_END):
                raise CheckFailed(f"firmware for {core.title}", f"does not fit the memory of QEMU's {_MACHINE}")
            self._remote.write(segment.address, segment.content)
        faults = struct.pack("<16I", _STACK_END, *[_FAULT | 1] * 15)
        for place, content in ((_VECTORS, faults), (_BEGIN, _BEGINNING), (_RETURN, _STAY), (_FAULT, _STAY)):
            self._remote.write(place, content)
        for place in (_RETURN, _FAULT, _BEGUN):
            self._remote.stop_at(place, True)
        if all(self._remote.monitor(command) for command in _SINGLE):
            raise ToolFailed(f"QEMU's {core.title}", "does not run single instructions", "Install QEMU 7.2 or later")
        self._begin()

    def _started(self) -> GdbRemote:
        program = shutil.which(_PROGRAM)
        assert program is not None
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(seconds_for(_START_SECONDS))
            host, port = server.getsockname()
            debugger = [
                "-chardev",
                f"socket,id=gdb,host={host},port={port},server=off,nodelay=on",
                "-gdb",
                "chardev:gdb",
            ]
            quiet = ["-display", "none", "-monitor", "none", "-serial", "none"]
            running = BoundProgram([program, "-machine", _MACHINE, "-S", *quiet, *debugger])
            try:
                connection, _ = server.accept()
            except OSError as error:
                problem = f"does not start: {running.end() or error}"
                raise ToolFailed(f"qemu-{_MACHINE}", problem, f"Allow it more by {OPTION}") from error
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        remote = GdbRemote(connection, f"QEMU's {self._core.title}")
        weakref.finalize(self, _ended, running, remote)
        return remote

    def _begin(self) -> None:
        """Let code use the vector extension, and send exceptions to where they are seen."""
        self._jump(_BEGIN)
        self._remote.resume(seconds_for(_SECONDS))
        if self._pc() != _BEGUN:
            raise CheckFailed(f"QEMU's {self._core.title}", f"does not start: it is at {self._pc():#010x}")

    @property
    def remote(self) -> GdbRemote:
        """The machine, over GDB's protocol."""
        return self._remote

    @property
    def core(self) -> Core:
        """The core that is emulated."""
        return self._core

    @property
    def image(self) -> Image:
        """The image that is loaded."""
        return self._image

    @property
    def stack(self) -> tuple[int, int]:
        """The first address of the stack's memory, and the one behind its last."""
        return _DATA_END, _STACK_END

    @property
    def returns_to(self) -> int:
        """Where functions that are called return to."""
        return _RETURN

    def allocate(self, size: int, alignment: int = 8) -> int:
        """Address of `size` bytes of memory that the caller owns."""
        address = -(-self._next // alignment) * alignment
        if address + size > _SCRATCH_END:
            raise CheckFailed("emulator", f"{size} bytes do not fit the scratch memory")
        self._next = address + size
        return address

    def write(self, address: int, content: bytes) -> None:
        """Put bytes into memory."""
        self._remote.write(address, content)

    def read(self, address: int, size: int) -> bytes:
        """Bytes from memory."""
        return self._remote.read(address, size)

    def call(self, function: str, *arguments: int) -> Call:
        """Call `function` with up to four 32-bit arguments. CheckFailed where the code faults or does not return."""
        self._enter(function, arguments)
        for _ in self._stops(function):
            raise CheckFailed(f"{self._core.title}, {function}", f"stopped at {self._pc():#010x}")
        return Call(self._remote.registers(1)[0])

    def blocks(self, function: str, *arguments: int) -> list[tuple[int, ...]]:
        """Call `function`: of each instruction, in order, its address, 1, and r0 … r14 before it."""
        with ScratchFolder("trace") as folder:
            self._remote.monitor(f'logfile "{folder / "trace"}"')
            self._remote.monitor("log exec,cpu,nochain")
            try:
                self.call(function, *arguments)
            finally:
                self._remote.monitor("log none")
            return list(_instructions((folder / "trace").read_text(encoding="utf-8", errors="replace")))

    def call_holding(
        self, function: str, *arguments: int, entry: int, contents: Mapping[int, bytes], place: int, size: int
    ) -> bytes:
        """Call `function`; whenever the code at `entry` is about to run, put `contents` into memory by address. The
        `size` bytes at `place` when that code has returned."""
        found = b""
        self._enter(function, arguments)
        with self._stopping_at(entry):
            for pc in self._stops(function):
                if pc == entry:
                    for start, content in contents.items():
                        self._remote.write(start, content)
                    behind = self._remote.registers(_REGISTERS)[_LR] & ~1
                    self._remote.stop_at(behind, True)
                else:
                    found = self._remote.read(place, size)
                    self._remote.stop_at(pc, False)
                    continue
                self._pass(entry)
        return found

    def makes_access(self, function: str, *arguments: int, at: int, address: int, size: int, write: bool) -> bool:
        """Call `function`; whether the instruction at `at` reads or writes any of these bytes."""
        self._enter(function, arguments)
        self._remote.watch(address, size, write, True)
        try:
            for pc in self._stops(function):
                if pc == at:
                    return True
                self._remote.watch(address, size, write, False)
                self._remote.step()
                self._remote.watch(address, size, write, True)
        except CheckFailed:  # it goes on to an exception
            pass
        finally:
            self._remote.watch(address, size, write, False)
        return False

    def _enter(self, function: str, arguments: tuple[int, ...]) -> None:
        for number, value in enumerate(arguments):
            self._remote.write_register(number, value & 0xFFFF_FFFF)
        for number in range(16):
            self._remote.write_register(_D0 + number, 0, 8)
        self._remote.write_register(_LR, _RETURN | 1)
        self._jump(self._image.address(function))

    def _jump(self, address: int) -> None:
        self._remote.write_register(_SP, _STACK_END)
        self._remote.write_register(_XPSR, _THUMB_STATE)
        self._remote.write_register(_PC, address)

    def _pc(self) -> int:
        return self._remote.registers(_PC + 1)[_PC]

    def _stops(self, function: str) -> Iterator[int]:
        """Where it stops on its way to the function's end."""
        seconds = seconds_for(_SECONDS)
        while True:
            self._remote.resume(seconds)
            pc = self._pc()
            if pc == _RETURN:
                return
            if pc == _FAULT:
                self._fault(function)
            yield pc

    def _fault(self, function: str) -> None:
        """Raise CheckFailed naming the instruction, and begin anew."""
        stack = self._remote.registers(_PC)[_SP]
        address = struct.unpack("<I", self._remote.read(stack + 24, 4))[0]
        owners = [f.name for f in self._image.functions() if f.address <= address < f.address + max(f.size, 1)]
        self._remote.monitor("system_reset")
        self._begin()
        raise CheckFailed(f"{self._core.title}, {function}", f"faults in {(*owners, '?')[0]} at {address:#010x}")

    @contextmanager
    def _stopping_at(self, address: int) -> Iterator[None]:
        self._remote.stop_at(address, True)
        try:
            yield
        finally:
            self._remote.stop_at(address, False)

    def _pass(self, address: int) -> None:
        """Run the instruction at an address where it stops."""
        self._remote.stop_at(address, False)
        self._remote.step()
        self._remote.stop_at(address, True)


def _instructions(trace: str) -> Iterator[tuple[int, ...]]:
    """What QEMU wrote down before each block of one instruction: address, 1, r0 … r14."""
    before: tuple[int, ...] = ()
    for piece in trace.split("Trace ")[1:]:
        if before:
            yield before
        *registers, pc = (int(value, 16) for value in _REGISTER.findall(piece))
        # A block that was left before it ran is begun again.
        before = () if "Stopped execution" in piece else (pc, 1, *registers)
    if before:
        yield before


def _ended(running: BoundProgram, remote: GdbRemote) -> None:
    remote.close()
    running.end()
