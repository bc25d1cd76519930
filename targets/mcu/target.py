"""The target of kind `mcu`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeml.errors import EdgemlError, InputError, MissingTool
from edgeml.extras import install_extra
from edgeml.metrics import TargetMetrics
from edgeml.network import Network
from edgeml.options import Choice, Option, read_values
from edgeml.plugins import NO_OPTIONS, SILENT, Listener, RuleResult, refuse_broken
from edgeml.profile import Profile
from edgeml.targets.c.sensors.counts import COUNTS, count_lines

from .board import board_of
from .board_files import CODE as FOLDER
from .board_image import make_image
from .cores import Core
from .cycles import part_time
from .estimated import estimated
from .firmware import Firmware, firmware_files
from .flashing import LOADERS, flash_command
from .kernel_choice import BALANCED, WANTED, quickest
from .measure import Measurement, kernel_costs, measure_best, measuring_missing
from .rules import PROFILE_FIELDS, budget, measured_rules, profile_core, size_rules

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["FOLDER", "OPTIONS", "McuTarget"]

OPTIONS = (
    Option(
        "optimize",
        Choice(WANTED),
        "What the kernels of layers are chosen by: flash spent on time where it pays, or one of both alone.",
        default=BALANCED,
    ),
    COUNTS,
)
"""All options of the target."""


class McuTarget:
    """Emits the firmware folder, with the kernel of each layer chosen by counting instructions on the core."""

    options = OPTIONS
    carries_adaptation = True

    profile_fields = PROFILE_FIELDS

    loaders = LOADERS

    def rules(self, network: Network, profile: Profile, options: Mapping[str, Any] = NO_OPTIONS) -> list[RuleResult]:
        """There is C for every layer; flash and RAM of the profile, before anything is built."""
        try:
            board_of(profile.name, profile.values)
            return size_rules(network, profile)
        except EdgemlError as error:  # a part without memory, or a package that cannot be imported
            return [RuleResult.broken("profile", error)]

    def estimate(self, network: Network, profile: Profile, options: Mapping[str, Any]) -> dict[str, float]:
        """Bytes of constants and code, of the arena, and the instructions of one inference, by the layers' shapes;
        nothing is built, and about a fifth may be wrong."""
        core = profile_core(profile)
        program = firmware_files(network, core, {}).program
        found = estimated(program, core, read_values(OPTIONS, options)["optimize"])
        return {
            "flash_bytes": round(found.flash_bytes),
            "ram_bytes": float(program.arena_bytes),
            "instructions": round(found.instructions),
        }

    def measure(self, network: Network, profile: Profile, options: Mapping[str, Any]) -> dict[str, float]:
        """What the built firmware takes, code and stack included, and the instructions of one inference on the
        emulated core; some seconds. The kernels keep the core's order unless layers take others by estimate; then, as
        `emit` does, all are counted. MissingTool where compiler or emulator are absent, InputError where there is
        no compiler for the core."""
        core = profile_core(profile)
        if core.not_built:
            raise InputError(f"measuring for {profile.name}", core.not_built, "Its estimate is what there is")
        if missing := measuring_missing():
            raise MissingTool("counting instructions", missing, install_extra("mcu"))
        firmware = firmware_files(network, core, {})
        wanted = read_values(OPTIONS, options)["optimize"]
        if estimated(firmware.program, core, wanted).spending:
            _, _, found = _built(network, core, wanted, profile, "")
            assert found is not None
        else:
            found = measure_best(firmware, core, wanted=wanted)
        counts = {"flash_bytes": float(found.flash), "ram_bytes": float(found.ram + (found.stack or 0))}
        return counts if found.instructions is None else {**counts, "instructions": float(found.instructions)}

    def emit(
        self,
        network: Network,
        profile: Profile,
        folder: Path,
        options: Mapping[str, Any] = NO_OPTIONS,
        listener: Listener = SILENT,
    ) -> Mapping[str, Any]:
        """Write `c/`. Metrics: core, kernels by layer, and, where compiler and emulator are there, what was measured.

        Raises CheckFailed if a rule is broken, or the built firmware passes the profile's flash or RAM.
        """
        refuse_broken(self.rules(network, profile, options), profile)
        core = profile_core(profile)
        wanted, counts = (read_values(OPTIONS, options)[name] for name in ("optimize", COUNTS.name))
        if counts:
            count_lines(network.quantizer, counts)  # refused before anything is built
        missing = measuring_missing(core)
        if core.not_built:
            listener.announce(f"C alone: {core.not_built}, so it is neither built nor run here")
        chosen, firmware, found = _built(network, core, wanted, profile, missing)
        for name, text in firmware_files(network, core, chosen, counts or ()).files.items():
            path = folder / FOLDER / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        metrics = TargetMetrics(
            core=core.name,
            arena_bytes=firmware.program.arena_bytes,
            arena_in_use=firmware.program.layout.in_use,
            constant_bytes=firmware.program.constant_bytes,
            kernels=chosen,
            trace=tuple(stage.name for stage in firmware.program.layout.traced),
            kernels_chosen_by=_chosen_by(core, missing),
        )
        if found is not None:
            refuse_broken(measured_rules(found, firmware.program, profile), profile)
            metrics = found.added_to(metrics)
        if board := board_of(profile.name, profile.values):
            listener.announce(f"image for {board.name}")
            kept = firmware_files(network, core, chosen, counts or ())
            image = make_image(kept, core, board, found, missing)
            for name, content in image.files.items():
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            metrics = replace(metrics, further={**metrics.further, **image.metrics})
        return metrics.as_json()

    def flash_command(self, bundle: Bundle, permanent: bool) -> list[str]:
        """The command that writes a bundle's image into its board's flash; see `plugins.Flashes`."""
        return flash_command(bundle)


def _built(
    network: Network, core: Core, wanted: str, profile: Profile, missing: str
) -> tuple[dict[str, str], Firmware, Measurement | None]:
    """The kernels, the firmware with them, and what was measured of it: the kernels that are wanted, or ones that
    are smaller yet as long as the whole takes more than the part's flash. If something is missing, none is chosen."""
    flash, part = budget(profile, "flash_bytes"), part_time(core, profile.values)
    if missing:
        return {}, firmware_files(network, core, {}), None
    costs = kernel_costs(network, core)
    most = sum(max(each.bytes for each in candidates) for candidates in costs.values())
    chosen, save = quickest(costs, wanted), 0
    firmware = firmware_files(network, core, chosen)
    found = measure_best(firmware, core, part, wanted)
    while found.flash > flash and save < most:
        save += found.flash - flash
        smaller = quickest(costs, wanted, save)
        if smaller != chosen:
            chosen, firmware = smaller, firmware_files(network, core, smaller)
            found = measure_best(firmware, core, part, wanted)
    return chosen, firmware, found


def _chosen_by(core: Core, missing: str) -> str:
    if missing:
        return f"default order: not measured, {core.not_built or f'needs {missing}'}"
    return "instructions" if core.unicorn_model else f"default order: Unicorn has no {core.title}"
