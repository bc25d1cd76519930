"""The name of a network made into a C identifier: the one place where that is done.

A network may be called `all`, `stdint`, `edgeml_hil` or by 300 letters. What its C is called becomes file names, CMake
targets, include guards and the beginning of every symbol, and each of those has names that are taken.
"""

from __future__ import annotations

import hashlib

__all__ = ["c_name"]

_LONGEST = 60
_TAKEN = (
    # targets that CMake keeps for itself, and words of its commands
    "all all_build clean cmake debug depend edit_cache general help install interface list_install_components none "
    "optimized package package_source preinstall private project public rebuild_cache run_tests test zero_check "
    # libraries that programs link to
    "c dl gcc m nosys pthread rt stdc "
    # headers of C, POSIX and compilers, which <name.h> on the include path would hide
    "aio alloca alltypes arm_mve arm_neon assert binary byteswap complex cpio cpuid ctype dirent dlfcn elf "
    "endian err errno error fcntl features fenv float fmtmsg fnmatch ftw getopt glob grp iconv ifaddrs immintrin "
    "inttypes iso646 langinfo libgen limits link locale malloc math memory monetary mqueue ndbm netdb nl_types "
    "poll pwd regex sched search semaphore setjmp signal spawn stab stdalign stdarg stdatomic stdbool stddef stdint "
    "stdio stdlib stdnoreturn string strings stropts syslog tar termios tgmath threads time uchar ucontext ulimit "
    "unistd unwind utime utmpx values wait wchar wctype wordexp "
    # headers of Arduino, FreeRTOS, Zephyr and CMSIS
    "arduino client cmsis_compiler cmsis_gcc croutine event_groups freertos list main new portable portmacro print "
    "printable projdefs queue semphr server spi stream task timers wire zephyr "
    # names of ours, and of devices in Windows
    "crc32 hil include src aux com1 com2 com3 com4 com5 com6 com7 com8 com9 con lpt1 lpt2 lpt3 nul prn"
)


_ENDS = (
    "_constants",
    "_counts",
    "_frame_ring",
    "_hil",
    "_monitor",
    "_probabilities",
    "_self_test",
    "_sensor",
    "_test",
    "_trace",
)
"""What the files of a network and its switches are called behind its name: `net_hil.h` is that of `net`."""


def c_name(name: str) -> str:
    """The name of a network in C: its own (letters, digits and underscores) wherever that can be.

    `model_` comes in front of what is taken: words of build systems, system headers, names that begin with an
    underscore (the compiler's) or with `edgeml` (the kernels'). `_model` comes behind a name that ends like the files
    of another network: `net_hil` can be in one firmware with `net`. A name of more than 60 letters keeps its first 51
    and ends in 8 hexadecimal digits of its SHA-256.
    """
    lower = name.lower()
    if lower in _TAKEN.split() or lower.startswith(("_", "edgeml")) or lower.endswith("intrin"):
        name = f"model_{name}"
    if name.lower().endswith(_ENDS):
        name = f"{name}_model"
    if len(name) > _LONGEST:
        name = f"{name[: _LONGEST - 9]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    return name
