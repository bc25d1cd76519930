"""Firmware with flipped bits: its constants in an emulated core's flash, and in this machine's memory."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed, MissingTool
from edgeml.faults.stored_form import Bytes, Disturbed
from edgeml.targets.c.alone import entry_points
from edgeml.targets.c.stored.network import StoredConstants
from edgeml.targets.c.stored.on_this_machine import WritableLibrary
from edgeml.targets.cpu.compiler import find_compiler, missing_compiler
from edgeml.targets.cpu.shared_library import build_library

from .cores import Core
from .emulator import Emulator
from .firmware import Firmware
from .image_build import library_image
from .measure import measuring_missing
from .runner import NetworkRunner

__all__ = ["FlippedFirmware", "FlippedFlash"]


class FlippedFlash:
    """Firmware on an emulated core, whose flash is written before it runs.

    Parameters
    ----------
    stored : the firmware's constants. optimize : as the firmware was measured with.
    """

    def __init__(self, stored: StoredConstants, firmware: Firmware, core: Core, optimize: str) -> None:
        self._stored = stored
        image = library_image(firmware, core, optimize=optimize)
        self._emulator = Emulator(core, image)
        self._runner = NetworkRunner(self._emulator, firmware.program)
        stages = firmware.program.layout.stages
        lost = [stage.name for stage in stages[1:] if stage.job.prefix not in image.symbols]
        self._followed = "" if not lost else f"layer {lost[0]} is not a function of its own in the image"

    def run(self, content: Bytes, q: npt.NDArray[np.int32], disturbed: Disturbed | None) -> npt.NDArray[np.int32]:
        """Outputs int32 [samples, outputs] of `<name>_invoke`; tensors are disturbed when the layer behind them begins.
        CheckFailed where the core faults."""
        for array in self._stored.arrays:
            start = self._stored.starts[array.name]
            address = self._emulator.image.address(array.name)
            self._emulator.write(address, content[start : start + array.bytes].tobytes())
        if not disturbed:
            return self._runner.invoke(q)
        if self._followed:
            raise CheckFailed("activations", self._followed)
        stages = self._stored.layout.stages
        rows = []
        for row in range(len(q)):
            at: dict[int, Callable[[], None]] = {}
            for before, behind in pairwise(stages):
                if before.name in disturbed:
                    place, mask = self._runner.arena + before.offset, disturbed[before.name][row]
                    at[self._emulator.image.address(behind.job.prefix)] = self._xor(place, mask)
            rows.append(self._runner.invoke_with(q[row], at))
        return np.array(rows, np.int32)

    def _xor(self, place: int, mask: Bytes) -> Callable[[], None]:
        def change() -> None:
            old = np.frombuffer(self._emulator.read(place, len(mask)), np.uint8)
            self._emulator.write(place, (old ^ mask).tobytes())

        return change


_READ_ALIKE = frozenset({"w8_dsp"})
"""Kernels whose portable C gives what the core gives for every content; others shift and rotate by constants."""


class FlippedFirmware(StoredConstants):
    """The stored form of a firmware folder: see `edgeml.faults.stored_form.StoredForm`."""

    def __init__(self, firmware: Firmware, core: Core, optimize: str) -> None:
        super().__init__(firmware.program.layout)
        self._firmware, self._core, self._optimize = firmware, core, optimize
        self._ready: dict[str, FlippedFlash | WritableLibrary] = {}
        emulated = f"unicorn-{core.name}"
        missing = {
            emulated: core.not_built or ("" if core.unicorn_model else f"Unicorn has no {core.title}"),
            "native": missing_compiler() or self._portable_differs(),
        }
        missing[emulated] = missing[emulated] or measuring_missing()
        self.devices = tuple(name for name, why in missing.items() if not why)
        self.absent = {name: why for name, why in missing.items() if why}

    def device(
        self, name: str, content: Bytes, q: npt.NDArray[np.int32], disturbed: Disturbed | None = None
    ) -> npt.NDArray[Any]:
        """The firmware on its emulated core, or its portable C on this machine."""
        if name not in self._ready:
            on_core = name != "native"
            self._ready[name] = (
                FlippedFlash(self, self._firmware, self._core, self._optimize) if on_core else self._native()
            )
        return self._ready[name].run(content, q, disturbed)

    def _portable_differs(self) -> str:
        """Why the portable C is not held to the definition, which is that of the core's instructions; "" if it is."""
        kernels = {stage.code.kernel for stage in self.layout.stages if stage.code.kernel}
        if others := sorted(kernels - _READ_ALIKE):
            return f"the portable C of {', '.join(others)} reads what no trained network holds in another way"
        return ""

    def _native(self) -> WritableLibrary:
        compiler = find_compiler()
        if compiler is None:
            raise MissingTool("native", missing_compiler())
        sources = self._firmware.sources
        files = {path: text for path, text in self._firmware.files.items() if path.endswith((".c", ".h"))}
        files[sources[0]] += "\n" + entry_points(self.layout)
        aligned = f"EDGEML_ALIGNED({self.layout.dialect.alignment})"
        constants = files[sources[1]]
        for array in self.arrays:  # the code declares them as constant, and cannot look into them
            for before in ("extern", aligned):
                plain = f"{before} {array.ctype} {array.name}["
                constant = plain.replace(before, f"const {before}" if before == aligned else f"{before} const")
                constants = constants.replace(constant, plain)
        files[sources[1]] = constants
        return WritableLibrary(self, build_library(compiler, files, sources, []))
