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
    architecture : `arm` (Thumb), `riscv` (RV32) or `xtensa`.
    zig_target, zig_cpu : what `zig cc -target … -mcpu=…` takes; empty where zig has no such core: its C is written, and
        neither built nor run here.
    gcc_flags : the same core for GCC, for generated READMEs and toolchain files.
    unicorn_model : name of Unicorn's CPU model constant; empty where Unicorn has no such core.
    dsp : has the Arm DSP extension (SMLAD, UXTAB16 …).
    mve : has the M-profile vector extension.
    like : another core that has all instructions of this one, and emulators where this one has none.
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
    like: str = ""

    def runs_on(self, name: str) -> bool:
        """Whether an emulated core called `name` runs this core's code."""
        return name in (self.name, self.like)

    @property
    def not_built(self) -> str:
        """Empty if zig builds for this core; else why not."""
        return "" if self.zig_target else f"zig cc has no {self.title}"


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
        Core(
            *("m23", "Cortex-M23", "arm", _THUMB, "cortex_m23", f"{_MTHUMB}cortex-m23", "UC_CPU_ARM_CORTEX_M33"),
            like="m33",
        ),
        Core(
            *("m33-nodsp", "Cortex-M33 without DSP", "arm", _THUMB, "cortex_m33-dsp"),
            *(f"{_MTHUMB}cortex-m33+nodsp", "UC_CPU_ARM_CORTEX_M33"),
            like="m33",
        ),
        Core(
            *("m85", "Cortex-M85", "arm", _THUMB, "cortex_m85+mve", f"{_MTHUMB}cortex-m85 -mfloat-abi=hard", ""),
            dsp=True,
            mve=True,
            like="m55",
        ),
        Core(
            *("rv32e", "RV32EC", "riscv", "riscv32-freestanding-none", "generic_rv32+e+c"),
            *("-march=rv32ec -mabi=ilp32e", "UC_CPU_RISCV32_ANY"),
            like="rv32",
        ),
        Core("xtensa", "Xtensa", "xtensa", "", "", "", ""),
    )
}
"""All cores by short name. The M0 is emulated for the M0+: both run the same ARMv6-M instructions."""

UNICORN_CORES: tuple[str, ...] = tuple(name for name, item in CORES.items() if item.unicorn_model and not item.like)
"""The cores that Unicorn emulates. The Cortex-M55 runs in QEMU alone; cores that are like another run on that one."""


def core(name: str) -> Core:
    """The core called `name`; InputError naming the known ones where there is none."""
    if name not in CORES:
        raise InputError(f"core {name!r}", "is not known", f"Known cores: {', '.join(CORES)}")
    return CORES[name]
