"""What a network costs on a core: flash, RAM, stack and instructions, all read or counted, none estimated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from edgeml.errors import CheckFailed
from edgeml.metrics import TargetMetrics
from edgeml.network import Network, simulate
from edgeml.targets.c.source import used_constants

from .cores import Core
from .dialect import kernel_names
from .emulator import Call, Emulator, emulator_missing
from .firmware import Firmware, firmware_files, self_test_vectors
from .image import Image
from .image_build import library_image
from .runner import NetworkRunner
from .toolchain import compiler_missing, compiler_version

__all__ = ["OPTIMIZATIONS", "Measurement", "choose_kernels", "measure", "measure_best", "measuring_missing"]

OPTIMIZATIONS = ("-O2", "-Os")


def measuring_missing() -> str:
    """Empty if firmware can be built and counted here; else what to install."""
    return compiler_missing() or emulator_missing()


@dataclass(frozen=True)
class Measurement:
    """A network on a core.

    Parameters
    ----------
    flash : bytes of code and constants.
    ram : bytes of arena, and of variables with a place of their own (there are none as generated).
    stack : bytes of stack that an inference touches; None for a core that Unicorn has not.
    instructions : of one inference; None likewise.
    layers : by node, `kernel`, `instructions`, `constant_bytes`, `code_bytes`.
    sections : bytes by section of the image.
    compiler, optimize : what it was built with.
    """

    flash: int
    ram: int
    stack: int | None
    instructions: int | None
    layers: Mapping[str, Mapping[str, Any]]
    sections: Mapping[str, int]
    compiler: str
    optimize: str

    def added_to(self, metrics: TargetMetrics) -> TargetMetrics:
        """The target's figures with these, but for those that could not be measured."""
        return replace(
            metrics,
            flash_bytes=self.flash,
            ram_bytes=self.ram,
            stack_bytes=self.stack,
            instructions=self.instructions,
            layers=self.layers,
            sections=self.sections,
            compiler=self.compiler,
            optimize=self.optimize,
        )


def measure(firmware: Firmware, core: Core, optimize: str = "-O2") -> Measurement:
    """Build and, on a core that Unicorn has, run one inference; CheckFailed where it is not exact."""
    layout = firmware.program.layout
    image = library_image(firmware, core, optimize=optimize)
    call = _counted(firmware, core, image) if core.unicorn_model else None
    constants = {array.name: array.bytes for array in used_constants(layout)}
    layers: dict[str, dict[str, Any]] = {}
    for stage in layout.stages:
        symbol = image.symbols.get(stage.job.prefix)
        layers[stage.name] = {
            "kernel": stage.code.kernel,
            **({"instructions": call.by_layer.get(stage.job.prefix, 0)} if call else {}),
            "constant_bytes": sum(constants[array.name] for array in stage.code.constants),
            "code_bytes": symbol.size if symbol else 0,
        }
    return Measurement(
        image.flash,
        image.ram + firmware.program.arena_bytes,
        call.stack if call else None,
        call.instructions if call else None,
        layers,
        image.sections,
        compiler_version(),
        optimize,
    )


def _counted(firmware: Firmware, core: Core, image: Image) -> Call:
    network = firmware.program.layout.network
    runner = NetworkRunner(Emulator(core, image), firmware.program)
    vectors = self_test_vectors(network)[:1]
    outputs, call = runner.counted(vectors[0])
    if outputs != simulate(network, vectors)[0].tolist():
        raise CheckFailed(f"{core.title}, {network.name}", "the firmware does not give the network's integers")
    return call


def measure_best(firmware: Firmware, core: Core) -> Measurement:
    """With the optimization that fits the core: -Os, which makes the least code, where it takes at most an eighth more
    instructions than -O2 (as where kernels are in assembly), else -O2, as where none can be counted."""
    quick, small = (measure(firmware, core, optimize) for optimize in OPTIMIZATIONS)
    if small.instructions is None or quick.instructions is None:
        return quick
    return small if 8 * small.instructions <= 9 * quick.instructions else quick


def choose_kernels(network: Network, core: Core, smallest: bool = False) -> dict[str, str]:
    """The kernel of each dense stage, by prefix: of those that take at most an eighth more instructions than the
    quickest, counted on this very layer and core, the one of the fewest bytes; with `smallest`, of all.

    Every kernel of the core is built into the whole network, wherever it applies, and run once. Empty for a core that
    Unicorn has not: its kernels keep the core's order.
    """
    if not core.unicorn_model:
        return {}
    prefixes = [stage.job.prefix for stage in firmware_files(network, core, {}).program.layout.stages]
    costs: dict[str, list[tuple[int, int, str]]] = {}
    for kernel in kernel_names(core):
        firmware = firmware_files(network, core, dict.fromkeys(prefixes, kernel))
        stages = [stage for stage in firmware.program.layout.stages if stage.code.kernel == kernel]
        if not stages:
            continue
        found = measure(firmware, core)
        for stage in stages:
            values = found.layers[stage.name]
            size = values["constant_bytes"] + values["code_bytes"]
            costs.setdefault(stage.job.prefix, []).append((size, values["instructions"], kernel))
    chosen = {}
    for prefix, candidates in sorted(costs.items()):
        quickest = min(instructions for _, instructions, _ in candidates)
        allowed = [cost for cost in candidates if smallest or 8 * cost[1] <= 9 * quickest]
        chosen[prefix] = min(allowed)[2]
    return chosen
