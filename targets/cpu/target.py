"""The target of kind `cpu`."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgeml.errors import InputError
from edgeml.network import Network
from edgeml.plugins import RuleResult
from edgeml.profile import Profile
from edgeml.profile_fields import Field, Word
from edgeml.targets.c import MOST_CONSTANTS, generate

from .compiler import Compiler, find_compiler
from .dialect import CPU_DIALECT

__all__ = ["CpuTarget"]

_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
"""Machines by other names of theirs."""


class CpuTarget:
    """Emits `c/`: the network as C99, and `c/lib/`: a shared library built from it where a compiler is there."""

    profile_fields: Mapping[str, Field] = {
        "machine": Word(("host", *sorted(set(_MACHINES.values())))),
        **dict.fromkeys(("arch", "zig_target", "zig_cpu"), Word()),
    }

    def rules(self, network: Network, profile: Profile) -> list[RuleResult]:
        """The number of constants is bounded: they become C text that a compiler must read."""
        weights = sum(array.size for node in network.nodes for array in node.layer.parts()[1].values())
        return [
            RuleResult(
                "constants fit generated C",
                weights <= MOST_CONSTANTS,
                f"{weights} weights, biases and thresholds; at most {MOST_CONSTANTS}",
                remedy="Use a smaller network",
            )
        ]

    def estimate(self, network: Network, profile: Profile, options: Mapping[str, Any]) -> dict[str, float]:
        """Bytes of constants and of working memory for one sample."""
        program = generate(network, CPU_DIALECT)
        return {"flash_bytes": float(program.constant_bytes), "ram_bytes": float(program.arena_bytes)}

    def emit(self, network: Network, profile: Profile, folder: Path, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Write `c/`; returns the bytes of constants, arena and library, and the kernel of each layer."""
        program = generate(network, CPU_DIALECT)
        program.write(folder / "c")
        metrics: dict[str, Any] = {
            "constant_bytes": program.constant_bytes,
            "arena_bytes": program.arena_bytes,
            "batch_arena_bytes": program.arena_bytes * CPU_DIALECT.tile,
            "kernels": {step.name: step.code.kernel for step in program.plan.steps if step.code.kernel},
        }
        compiler, flags = _compiler_for(profile)
        if compiler is None:
            metrics["library"] = None
            return metrics
        library = folder / "c" / "lib" / f"lib{program.plan.name}.so"
        library.parent.mkdir()
        compiler.shared_library([folder / "c" / f"{program.plan.name}.c"], library, flags)
        shutil.copyfile(folder / "c" / f"{program.plan.name}.h", library.with_name(f"{program.plan.name}.h"))
        metrics["library"] = {
            "path": f"c/lib/{library.name}",
            "bytes": library.stat().st_size,
            "compiler": compiler.version,
            "flags": " ".join(flags),
        }
        return metrics


def _text(profile: Profile, key: str, default: str = "") -> str:
    value = profile.values.get(key, default)
    if not isinstance(value, str) or not all(part.isalnum() or part in "-_.+" for part in value):
        raise InputError(
            f"profile {profile.name}", f"{key} must be letters, digits, '-', '_', '.', '+'; found {value!r}"
        )
    return value


def _compiler_for(profile: Profile) -> tuple[Compiler | None, tuple[str, ...]]:
    """The compiler that can build for the profile's machine, and its flags."""
    machine, arch = _text(profile, "machine", "host"), _text(profile, "arch")
    zig_target, zig_cpu = _text(profile, "zig_target"), _text(profile, "zig_cpu")
    here = platform.machine().lower()
    compiler = find_compiler() if machine in ("host", _MACHINES.get(here, here)) else find_compiler("zig")
    if compiler is None:
        return None, ()
    if machine == "host":
        return compiler, compiler.native_flags()
    if compiler.zig:
        return compiler, ("-target", zig_target, *([f"-mcpu={zig_cpu}"] if zig_cpu else []))
    return compiler, (f"-march={arch}",) if arch else ()
