"""What a network costs on a core: flash, RAM, stack and instructions, all read or counted, none estimated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from edgeml.errors import CheckFailed
from edgeml.metrics import NOT_SAID, TargetMetrics
from edgeml.network import Network, simulate
from edgeml.targets.c.source import used_constants

from .cores import Core
from .cycles import CycleCount, PartTime
from .dialect import kernel_names
from .emulator import Call, Emulator, emulator_missing
from .firmware import Firmware, firmware_files, self_test_vectors
from .image import Image
from .image_build import library_image
from .kernel_choice import BALANCED, SPEED, KernelCost, quickest
from .runner import NetworkRunner
from .toolchain import compiler_missing, compiler_version

__all__ = [
    "OPTIMIZATIONS",
    "Measurement",
    "choose_kernels",
    "kernel_costs",
    "measure",
    "measure_best",
    "measuring_missing",
]

OPTIMIZATIONS = ("-O2", "-Os")


def measuring_missing(core: Core | None = None) -> str:
    """Empty if firmware (for `core`) can be built and counted here; else what to install, or that nothing helps."""
    return (core.not_built if core else "") or compiler_missing() or emulator_missing()


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
    modelled : cycles, time and energy of that inference by model (`PartTime.figures`); empty where there is none.
    modelled_by : what they were computed by, in words.
    functions : like `layers`, by the prefix of each stage, those within another among them.
    """

    flash: int
    ram: int
    stack: int | None
    instructions: int | None
    layers: Mapping[str, Mapping[str, Any]]
    sections: Mapping[str, int]
    compiler: str
    optimize: str
    modelled: Mapping[str, float] = field(default_factory=dict)
    modelled_by: str | None = None
    functions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

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
            modelled=self.modelled or NOT_SAID,
            modelled_by=self.modelled_by,
        )


def measure(firmware: Firmware, core: Core, optimize: str = "-O2", part: PartTime | None = None) -> Measurement:
    """Build and, on a core that Unicorn has, run one inference; CheckFailed where it is not exact.

    part : what its cycles are computed by; not at all if None.
    """
    layout = firmware.program.layout
    image = library_image(firmware, core, optimize=optimize)
    call, cycles = _counted(firmware, core, image, part) if core.unicorn_model else (None, None)
    constants = {array.name: array.bytes for array in used_constants(layout)}
    functions: dict[str, dict[str, Any]] = {}
    for stage in layout.functions:
        symbol = image.symbols.get(stage.job.prefix)
        within = [functions[inner.job.prefix]["code_bytes"] for inner in stage.code.stages]
        functions[stage.job.prefix] = {
            "kernel": stage.code.kernel,
            **({"instructions": call.by_layer.get(stage.job.prefix, 0)} if call else {}),
            "constant_bytes": sum(constants[array.name] for array in stage.code.constants),
            "code_bytes": (symbol.size if symbol else 0) + sum(within),
        }
    return Measurement(
        image.flash,
        image.ram + firmware.program.arena_bytes,
        call.stack if call else None,
        call.instructions if call else None,
        {stage.name: functions[stage.job.prefix] for stage in layout.stages},
        image.sections,
        compiler_version(),
        optimize,
        part.figures(cycles) if part and cycles else {},
        part.described if part and cycles else None,
        functions,
    )


def _counted(firmware: Firmware, core: Core, image: Image, part: PartTime | None) -> tuple[Call, CycleCount | None]:
    network = firmware.program.layout.network
    runner = NetworkRunner(Emulator(core, image), firmware.program)
    vectors = self_test_vectors(network)[:1]
    outputs, call = runner.counted(vectors[0])
    if outputs != simulate(network, vectors)[0].tolist():
        raise CheckFailed(f"{core.title}, {network.name}", "the firmware does not give the network's integers")
    return call, runner.cycles(vectors[0], part) if part else None


def measure_best(firmware: Firmware, core: Core, part: PartTime | None = None, wanted: str = BALANCED) -> Measurement:
    """With the optimization that fits the core: -Os, which makes the least code, where it takes at most an eighth more
    instructions than -O2 (as where kernels are in assembly), else -O2, as where none can be counted. wanted : `speed`
    takes the one of fewer cycles by model, or instructions where there is none."""
    quick, small = (measure(firmware, core, optimize, part) for optimize in OPTIMIZATIONS)
    if small.instructions is None or quick.instructions is None:
        return quick
    if wanted == SPEED:
        both = (
            (quick.modelled.get("cycles", quick.instructions), quick),
            (small.modelled.get("cycles", small.instructions), small),
        )
        return min(both, key=lambda pair: pair[0])[1]
    return small if 8 * small.instructions <= 9 * quick.instructions else quick


def kernel_costs(network: Network, core: Core) -> dict[str, list[KernelCost]]:
    """What each kernel of a core costs wherever it applies, by the prefix of the stage.

    Each is built into the whole network and run once. Where one computes the thresholds behind a layer with it, the
    stage of those thresholds counts with the other kernels' too. Empty for a core that Unicorn has not: its kernels
    keep the core's order.
    """
    if not core.unicorn_model:
        return {}
    prefixes = [stage.job.prefix for stage in firmware_files(network, core, {}).program.layout.functions]
    built = {name: firmware_files(network, core, dict.fromkeys(prefixes, name)) for name in kernel_names(core)}
    nodes: dict[str, set[str]] = {}
    for firmware in built.values():
        for stage in firmware.program.layout.functions:
            nodes.setdefault(stage.job.prefix, set()).update(node.name for node in stage.job.nodes)
    costs: dict[str, list[KernelCost]] = {}
    for kernel, firmware in built.items():
        stages = firmware.program.layout.functions
        own = [stage.job.prefix for stage in stages if stage.code.kernel == kernel and not stage.code.stages]
        if not own:
            continue
        found = measure(firmware, core).functions
        for prefix in own:
            parts = [found[stage.job.prefix] for stage in stages if stage.job.nodes[0].name in nodes[prefix]]
            size = sum(part["constant_bytes"] + part["code_bytes"] for part in parts)
            cost = KernelCost(size, sum(part["instructions"] for part in parts), kernel)
            costs.setdefault(prefix, []).append(cost)
    return dict(sorted(costs.items()))


def choose_kernels(network: Network, core: Core, wanted: str = BALANCED) -> dict[str, str]:
    """The kernel of each dense stage, by prefix, counted on this very network and core: see `quickest`."""
    return quickest(kernel_costs(network, core), wanted)
