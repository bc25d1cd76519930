"""The executors `unicorn-<core>`: a bundle's firmware, built for the core and run in Unicorn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed
from edgeml.network import Monitored
from edgeml.plugins import Execution, Reception, Subject
from edgeml.system.regular_file import holds
from edgeml.targets.c.identifiers import c_name
from edgeml.targets.c.sensors.checked import check_counts, check_floats
from edgeml.targets.c.sensors.counts import counts_of

from .board_files import CODE as FOLDER
from .cores import CORES, Core, core
from .cycles import part_time
from .emulator import Emulator, emulator_version
from .firmware import Firmware, firmware_files
from .image_build import library_image
from .layers_alone import layers_alone, traced_image
from .measure import OPTIMIZATIONS, measuring_missing
from .runner import NetworkRunner
from .toolchain import compiler_version

if TYPE_CHECKING:
    from edgeml.bundle import Bundle
    from edgeml.faults.stored_form import StoredForm

__all__ = ["UnicornExecutor", "bundle_core", "checked_firmware", "is_firmware"]


def checked_firmware(bundle: Bundle) -> Firmware:
    """The firmware of a bundle, generated anew; its C is equal to what the bundle holds, byte for byte.

    A bundle may come from anybody, and a compiler must not be fed by anybody: what is built is this edgeml's own text.
    Raises CheckFailed naming the file that differs.
    """
    name = bundle.profile.values.get("core")
    if not isinstance(name, str):
        raise CheckFailed(f"{bundle.folder}/bundle.json", "does not name the core of the firmware")
    counts = counts_of(bundle.manifest)
    firmware = firmware_files(bundle.network, core(name), dict(bundle.target_metrics.kernels), counts)
    for path, text in firmware.files.items():
        if not path.endswith((".c", ".h")):
            continue
        if not holds(bundle.folder / FOLDER / path, text.encode()):
            raise CheckFailed(
                str(bundle.folder / FOLDER / path),
                "differs from the C that this edgeml generates for the bundle's network, and is not run",
                "Convert the model again, or compile that folder yourself if you trust it",
            )
    return firmware


def recorded_optimization(bundle: Bundle) -> str:
    """The compiler's optimization that the bundle's figures were measured with; -O2 where it tells none."""
    described = bundle.target_metrics.optimize
    return described if described in OPTIMIZATIONS else OPTIMIZATIONS[0]


def is_firmware(bundle: Bundle, name: str) -> bool:
    """Whether the bundle holds firmware that the core called `name` runs: its own, or that of a core like it."""
    profile = bundle.profile
    made_for = CORES.get(str(profile.values.get("core")))
    return (
        profile.kind == "mcu" and made_for is not None and made_for.runs_on(name) and (bundle.folder / FOLDER).is_dir()
    )


def bundle_core(bundle: Bundle) -> Core:
    """The core that a bundle's firmware was made for; InputError where that is none."""
    return core(str(bundle.profile.values.get("core")))


class UnicornExecutor:
    """Runs the firmware of bundles made for one core.

    `measures` holds instructions of the first vector, in all and by layer, its cycles and time by model, and the
    bytes of flash, RAM and stack.
    """

    counts_instructions = True
    runs_monitor = True

    def __init__(self, name: str) -> None:
        self._core: Core = core(name)

    def applies(self, bundle: Bundle) -> bool:
        """Bundles with firmware for this core."""
        return is_firmware(bundle, self._core.name)

    def subject(self, bundle: Bundle) -> Subject:
        """The firmware, on a model of its core."""
        made_for = bundle_core(bundle)
        where = f"the firmware's C on an emulated {self._core.title}"
        if made_for == self._core:
            return Subject(where, True)
        return Subject(f"{where}, which has all instructions of {made_for.title}", True)

    def missing(self, bundle: Bundle) -> str:
        """Needs zig cc, Unicorn and pyelftools."""
        return measuring_missing()

    def run(self, bundle: Bundle, q: npt.NDArray[np.int32], *, trace: bool, options: Mapping[str, Any]) -> Execution:
        """Run q [samples, inputs]; CheckFailed where the bundle's C is not what this edgeml generates."""
        firmware, chip = checked_firmware(bundle), bundle_core(bundle)
        q = bundle.network.check_input(q)
        optimize = recorded_optimization(bundle)
        image = library_image(firmware, chip, optimize=optimize)
        runner = NetworkRunner(Emulator(chip, image), firmware.program)
        outputs = runner.invoke(q)
        measures: dict[str, Any] = {"flash_bytes": image.flash, "ram_bytes": image.ram + firmware.program.arena_bytes}
        if len(q):
            _, call = runner.counted(q[0])
            part = part_time(chip, bundle.profile.values)
            names = {stage.job.prefix: stage.name for stage in firmware.program.layout.stages}
            measures |= {
                "instructions": call.instructions,
                "instructions_by_layer": {
                    name: call.by_layer[prefix] for prefix, name in names.items() if prefix in call.by_layer
                },
                "stack_bytes": call.stack,
                **({"modelled": part.figures(runner.cycles(q[0], part))} if part else {}),
            }
        said: Monitored | None = None
        if options.get("monitor") and bundle.network.monitor is not None:
            said, measures["instructions_monitored"] = self._monitored(firmware, chip, optimize, q, outputs)
        layers: dict[str, npt.NDArray[np.int32]] = {}
        if trace:
            emulator = Emulator(chip, traced_image(firmware, chip, optimize))
            traced = NetworkRunner(emulator, firmware.program)
            traced_outputs, layers = traced.trace(q)
            if not np.array_equal(traced_outputs, outputs):
                raise CheckFailed(f"{chip.title}", "the traced and the plain entry point of the C differ")
        detail = f"{chip.title}, {compiler_version()}, {emulator_version()}"
        if trace:
            detail += f"; {layers_alone(emulator, firmware.program)} corners of layers alone"
        return Execution(outputs, layers, detail, measures, monitored=said)

    def _monitored(
        self, firmware: Firmware, chip: Core, optimize: str, q: npt.NDArray[np.int32], outputs: npt.NDArray[np.int32]
    ) -> tuple[Monitored, int]:
        """What the monitor says of q, and the instructions of the first sample; CheckFailed where the network gives
        other outputs with it."""
        image = library_image(firmware, chip, optimize=optimize, monitor=True)
        runner = NetworkRunner(Emulator(chip, image), firmware.program)
        found, said, instructions = runner.monitored(q)
        if not np.array_equal(found, outputs):
            raise CheckFailed(f"{chip.title}", "the monitored and the plain entry point of the C differ")
        return said, instructions

    def stored(self, bundle: Bundle) -> StoredForm:
        """The firmware's constants as they lie in flash; CheckFailed where the bundle's C is not what this edgeml
        generates, InputError where a layer's flipped bits have no definition."""
        from .faults import FlippedFirmware

        return FlippedFirmware(checked_firmware(bundle), bundle_core(bundle), recorded_optimization(bundle))

    def receive(self, bundle: Bundle, x: npt.NDArray[np.float64]) -> Reception:
        """What an application gets for real numbers x [samples, inputs] as floats from the firmware's own functions.

        CheckFailed where these give other input integers than the network's quantizer, for floats or for raw counts
        that were stated.
        """
        firmware, name, chip = checked_firmware(bundle), c_name(bundle.network.name), bundle_core(bundle)
        image = library_image(firmware, chip, optimize=recorded_optimization(bundle), sensor=True)
        runner = NetworkRunner(Emulator(chip, image), firmware.program)
        quantizer, source = bundle.network.quantizer, f"{bundle.folder / FOLDER / 'src' / name}"
        q = check_floats(quantizer, runner.quantize, x, f"{source}_sensor.c")
        detail = f"by {name}_quantize and {name}_dequantize"
        if counts := counts_of(bundle.manifest):
            check_counts(quantizer, runner.quantize_counts, counts, f"{source}_counts.c")
            detail = f"{detail}; counts by {name}_quantize_s16"
        real = runner.dequantize(runner.invoke(q)).astype(np.float64)
        return Reception(real, detail, float32=True)


unicorn_m0 = UnicornExecutor("m0")
unicorn_m3 = UnicornExecutor("m3")
unicorn_m4 = UnicornExecutor("m4")
unicorn_m7 = UnicornExecutor("m7")
unicorn_m33 = UnicornExecutor("m33")
unicorn_rv32 = UnicornExecutor("rv32")
