"""C programs on processors that this machine is not: built by Zig, run by QEMU's user mode.

They need no C library, which Zig would first build for each processor, in most of a minute: three calls of Linux read,
write and end.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeml.targets.cpu.compiler import find_compiler

__all__ = ["MACHINES", "Machine"]

_BEFORE = """#include <stddef.h>
#include <stdint.h>

static long system_call(long number, long first, const void *second, size_t third);
static int receive(void *to, size_t count);
static int answer(const void *from, size_t count);
void *memcpy(void *restrict to, const void *restrict from, size_t count);
void *memset(void *to, int value, size_t count);
"""
_AFTER = """
/* Byte by byte: what compilers call by themselves. */
void *memcpy(void *restrict to, const void *restrict from, size_t count)
{
    for (size_t i = 0; i < count; i++) { ((volatile char *)to)[i] = ((const char *)from)[i]; }
    return to;
}

void *memset(void *to, int value, size_t count)
{
    for (size_t i = 0; i < count; i++) { ((volatile char *)to)[i] = (char)value; }
    return to;
}

/* All `count` bytes from the standard input; 0 where it ends before. */
static int receive(void *to, size_t count)
{
    for (size_t done = 0; done < count;) {
        const long got = system_call(READ, 0, (char *)to + done, count - done);
        if (got <= 0) { return 0; }
        done += (size_t)got;
    }
    return 1;
}

/* All `count` bytes to the standard output; 0 where that takes no more. */
static int answer(const void *from, size_t count)
{
    for (size_t done = 0; done < count;) {
        const long put = system_call(WRITE, 1, (const char *)from + done, count - done);
        if (put <= 0) { return 0; }
        done += (size_t)put;
    }
    return 1;
}

void _start(void)
{
    system_call(END, run(), NULL, 0);
    for (;;) { }
}
"""


@dataclass(frozen=True)
class Machine:
    """A kind of processor under Linux.

    Parameters
    ----------
    target : Zig's name of it. emulator : QEMU's program. order : of the bytes in a word, as numpy has it.
    calls : C with the numbers READ, WRITE and END of Linux, and `system_call`, negative where it fails.
    """

    target: str
    emulator: str
    order: str
    calls: str

    def missing(self) -> str:
        """What is not installed that it takes to build and run; empty if all is."""
        if find_compiler("zig") is None or shutil.which(self.emulator) is None:
            return f"needs the package ziglang and the program {self.emulator} (Debian: qemu-user)"
        return ""

    def run(self, text: str, sent: bytes, folder: Path, flags: Sequence[str] = ()) -> bytes:
        """What `static int run(void)` of the C text answers to the bytes `sent`, with `receive(to, count)` and
        `answer(from, count)`; files that it includes lie in `folder`.

        Raises
        ------
        ToolFailed : the compiler refuses it. subprocess.CalledProcessError : `run` does not return 0.
        """
        zig = find_compiler("zig")
        assert zig is not None, self.missing()
        (folder / "main.c").write_text(f"{_BEFORE}{text}{self.calls}{_AFTER}", encoding="utf-8")
        arguments = ["-target", self.target, "-static", "-O1", "-ffreestanding", "-nostdlib", *flags]
        zig.run([*arguments, "main.c", "-o", "main"], folder)
        program = [self.emulator, "-cpu", "max"] if self.target.startswith("aarch64") else [self.emulator]
        return subprocess.run([*program, folder / "main"], input=sent, capture_output=True, check=True).stdout


MACHINES = {
    "aarch64": Machine(
        "aarch64-freestanding-none",
        "qemu-aarch64",
        "<",
        """
enum { READ = 63, WRITE = 64, END = 93 };

static long system_call(long number, long first, const void *second, size_t third)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = first;
    register const void *x1 __asm__("x1") = second;
    register size_t x2 __asm__("x2") = third;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    return x0;
}
""",
    ),
    "powerpc": Machine(
        "powerpc-freestanding-eabi",
        "qemu-ppc",
        ">",
        """
enum { READ = 3, WRITE = 4, END = 1 };

static long system_call(long number, long first, const void *second, size_t third)
{
    register long r0 __asm__("r0") = number;
    register long r3 __asm__("r3") = first;
    register const void *r4 __asm__("r4") = second;
    register size_t r5 __asm__("r5") = third;
    __asm__ volatile("sc\\n\\tbns+ 1f\\n\\tneg 3, 3\\n1:" : "+r"(r0), "+r"(r3), "+r"(r4), "+r"(r5) : : "memory", "cr0");
    return r3;
}
""",
    ),
}
"""Arm with 64 bits, and a processor that keeps the highest byte of a word first."""
