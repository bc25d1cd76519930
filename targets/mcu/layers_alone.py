"""Each step of a firmware alone, on an emulated core."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from edgeml.targets.c import CProgram
from edgeml.targets.c.alone import StepCase, check_steps, entry_points, step_cases

from .cores import Core
from .emulator import Emulator
from .firmware import Firmware
from .image import Image
from .image_build import library_image

__all__ = ["layers_alone", "traced_image"]


def traced_image(firmware: Firmware, core: Core, optimize: str = "-O2") -> Image:
    """The firmware with its traced entry point, and one for each step."""
    plan = firmware.program.plan
    source = f"src/{plan.name}.c"
    files = {**firmware.files, source: firmware.files[source] + "\n" + entry_points(plan)}
    functions = tuple(case.function for case in step_cases(plan))
    return library_image(replace(firmware, files=files), core, trace=True, optimize=optimize, also=functions)


def layers_alone(emulator: Emulator, program: CProgram) -> int:
    """Run each step at the corners of its input range, in an emulator of a `traced_image`; the number of inputs that
    were run. CheckFailed where a step gives other integers than its layers."""
    plan = program.plan
    alignment = plan.dialect.alignment
    x, x1, y, scratch = (
        emulator.allocate(max(1, size), alignment)
        for size in (
            max((step.job.inputs[0].bytes for step in plan.steps if step.job.inputs), default=0),
            max((step.job.inputs[1].bytes for step in plan.steps if len(step.job.inputs) > 1), default=0),
            max(step.output.bytes for step in plan.steps),
            max(step.code.scratch_bytes for step in plan.steps),
        )
    )

    def call(case: StepCase) -> npt.NDArray[np.int32]:
        output = case.step.output
        found = np.empty((len(case.expected), output.padded), case.dtype)
        for row, stored in enumerate(zip(*case.inputs, strict=True)):
            for address, values in zip((x, x1), stored, strict=False):
                emulator.write(address, values.tobytes())
            emulator.call(case.function, x, x1, y, scratch)
            found[row] = np.frombuffer(emulator.read(y, output.bytes), case.dtype)
        return case.values(found)

    return check_steps(plan, call, f"on {emulator.core.title}")
