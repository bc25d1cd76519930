"""The cores that firmware is built for: what the compiler, the emulators and the kernels must know of each."""

from __future__ import annotations

from dataclasses import dataclass

from edgeml.errors import InputError

__all__ = ["CORES", "UNICORN_CORES", "Core", "core"]


@dataclass(frozen=True)
class Core:
    """A microcontroller core.

    Parameters
    ----------
    name : the short name in executors and files, e.g. `m4`.
    title : for people, e.g. `Cortex-M4`.
    architecture : `arm` (Thumb) or `riscv` (RV32).
    zig_target, zig_cpu : what `zig cc -target … -mcpu=…` takes.
    gcc_flags : the same core for GCC, for generated READMEs and toolchain files.
    unicorn_model : name of Unicorn's CPU model constant; empty where Unicorn has no such core.
    dsp : has the Arm DSP extension (SMLAD, UXTAB16 …).
    mve : has the M-profile vector extension.
    """

    name: str
    title: str
    architecture: str
    zig_target: str
    zig_cpu: str
    gcc_flags: str
    unicorn_model: str
    dsp: bool = False
    mve: bool = False


_THUMB = "thumb-freestanding-eabi"
_MTHUMB = "-mthumb -mcpu="

CORES: dict[str, Core] = {
    item.name: item
    for item in (
        Core("m0", "Cortex-M0+", "arm", _THUMB, "cortex_m0plus", f"{_MTHUMB}cortex-m0plus", "UC_CPU_ARM_CORTEX_M0"),
        Core("m3", "Cortex-M3", "arm", _THUMB, "cortex_m3", f"{_MTHUMB}cortex-m3", "UC_CPU_ARM_CORTEX_M3"),
        Core("m4", "Cortex-M4", "arm", _THUMB, "cortex_m4", f"{_MTHUMB}cortex-m4", "UC_CPU_ARM_CORTEX_M4", dsp=True),
        Core("m7", "Cortex-M7", "arm", _THUMB, "cortex_m7", f"{_MTHUMB}cortex-m7", "UC_CPU_ARM_CORTEX_M7", dsp=True),
        Core(
            "m33",
            "Cortex-M33",
            "arm",
            _THUMB,
            "cortex_m33+dsp",
            f"{_MTHUMB}cortex-m33",
            "UC_CPU_ARM_CORTEX_M33",
            dsp=True,
        ),
        Core(
            "m55",
            "Cortex-M55",
            "arm",
            _THUMB,
            "cortex_m55+mve",
            f"{_MTHUMB}cortex-m55 -mfloat-abi=hard",
            "",
            dsp=True,
            mve=True,
        ),
        Core(
            "rv32",
            "RV32IMC",
            "riscv",
            "riscv32-freestanding-none",
            "generic_rv32+m+c",
            "-march=rv32imc -mabi=ilp32",
            "UC_CPU_RISCV32_ANY",
        ),
    )
}
"""All cores by short name. The M0 is emulated for the M0+: both run the same ARMv6-M instructions."""

UNICORN_CORES: tuple[str, ...] = tuple(name for name, item in CORES.items() if item.unicorn_model)
"""The cores that Unicorn emulates. The Cortex-M55 runs in QEMU alone."""


def core(name: str) -> Core:
    """The core called `name`; InputError naming the known ones where there is none."""
    if name not in CORES:
        raise InputError(f"core {name!r}", "is not known", f"Known cores: {', '.join(CORES)}")
    return CORES[name]
