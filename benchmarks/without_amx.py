"""A process that gets no AMX from Linux, for libraries that take it where they can: XNNPACK, and so LiteRT."""

from __future__ import annotations

import ctypes
import platform
import struct
from pathlib import Path

__all__ = ["has_amx", "refuse_amx"]

_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ARCH_PRCTL, _REQUEST_PERMISSION = 158, 0x1023
_ALLOW, _FAIL_WITH_EPERM = 0x7FFF0000, 0x00050001
_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 38, 22, 2


def has_amx() -> bool:
    """Whether this processor has AMX, on Linux."""
    try:
        return "amx_int8" in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        return False


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p)]


def refuse_amx() -> None:
    """From now on this process asks in vain for AMX's registers (`arch_prctl(ARCH_REQ_XCOMP_PERM)`): for good, by a
    seccomp filter. Nothing on other machines than x86-64. RuntimeError where the kernel takes no filter."""
    if platform.machine() != "x86_64":
        return
    filtered = (
        (_LOAD, 0, 0, 0),  # number of the system call
        (_JUMP_IF_EQUAL, 0, 3, _ARCH_PRCTL),
        (_LOAD, 0, 0, 16),  # low half of its first argument
        (_JUMP_IF_EQUAL, 0, 1, _REQUEST_PERMISSION),
        (_RETURN, 0, 0, _FAIL_WITH_EPERM),
        (_RETURN, 0, 0, _ALLOW),
    )
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *each) for each in filtered))
    program = _Program(len(filtered), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or libc.prctl(_SECCOMP, _FILTER, ctypes.byref(program), 0, 0):
        raise RuntimeError(f"Linux takes no filter of system calls (errno {ctypes.get_errno()})")
