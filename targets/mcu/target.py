"""The target of kind `mcu`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgeml.errors import CheckFailed, InputError
from edgeml.network import Network
from edgeml.plugins import RuleResult
from edgeml.profile import Profile

from .cores import Core
from .firmware import firmware_files
from .measure import choose_kernels, measure_best, measuring_missing
from .rules import measured_rules, profile_core, size_rules

__all__ = ["FOLDER", "McuTarget"]

FOLDER = "c"
"""The firmware folder within a bundle."""


class McuTarget:
    """Emits the firmware folder, with the kernel of each layer chosen by counting instructions on the core."""

    option_names: tuple[str, ...] = ("optimize",)
    """optimize: `speed` (default) or `size`, what the kernels are chosen by."""

    def rules(self, network: Network, profile: Profile) -> list[RuleResult]:
        """Flash and RAM of the profile, before anything is built."""
        return size_rules(network, profile)

    def emit(self, network: Network, profile: Profile, folder: Path, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Write `c/`. Metrics: core, kernels by layer, and, where compiler and emulator are there, what was measured.

        Raises CheckFailed where the built firmware passes the profile's flash or RAM.
        """
        core = profile_core(profile)
        wanted = options.get("optimize", "speed")
        if wanted not in ("speed", "size"):
            raise InputError("option 'optimize'", f"must be speed or size, found {wanted!r}")
        missing = measuring_missing()
        chosen = {} if missing else choose_kernels(network, core, wanted == "size")
        firmware = firmware_files(network, core, chosen)
        for name, text in firmware.files.items():
            path = folder / FOLDER / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        metrics: dict[str, Any] = {
            "core": core.name,
            "arena_bytes": firmware.program.arena_bytes,
            "constant_bytes": firmware.program.constant_bytes,
            "kernels": chosen,
            "trace": [step.name for step in firmware.program.plan.traced],
            "kernels_chosen_by": _chosen_by(core, missing),
        }
        if missing:
            return metrics
        found = measure_best(firmware, core)
        broken = [rule for rule in measured_rules(found, firmware.program, profile) if not rule.passed]
        if broken:
            raise CheckFailed(
                f"{profile.name}, {broken[0].rule}", f"layer {broken[0].layer}: {broken[0].detail}", broken[0].remedy
            )
        return {**metrics, **found.as_json()}


def _chosen_by(core: Core, missing: str) -> str:
    if missing:
        return f"default order: not measured, needs {missing}"
    return "instructions" if core.unicorn_model else f"default order: Unicorn has no {core.title}"
