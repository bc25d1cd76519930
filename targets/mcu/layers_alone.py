"""Each stage of a firmware alone, on an emulated core."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from edgeml.targets.c import CProgram
from edgeml.targets.c.alone import StageCase, check_stages, entry_points, stage_cases

from .cores import Core
from .emulator import Emulator
from .firmware import Firmware
from .image import Image
from .image_build import library_image

__all__ = ["layers_alone", "traced_image"]


def traced_image(firmware: Firmware, core: Core, optimize: str = "-O2") -> Image:
    """The firmware with its traced entry point, and one for each stage."""
    layout = firmware.program.layout
    source = f"src/{layout.name}.c"
    files = {**firmware.files, source: firmware.files[source] + "\n" + entry_points(layout)}
    functions = tuple(case.function for case in stage_cases(layout))
    return library_image(replace(firmware, files=files), core, trace=True, optimize=optimize, also=functions)


def layers_alone(emulator: Emulator, program: CProgram) -> int:
    """Run each stage at the corners of its input range, in an emulator of a `traced_image`; the number of inputs that
    were run. CheckFailed where a stage gives other integers than its layers."""
    layout = program.layout
    alignment = layout.dialect.alignment
    x, x1, y, scratch = (
        emulator.allocate(max(1, size), alignment)
        for size in (
            max((stage.job.inputs[0].bytes for stage in layout.stages if stage.job.inputs), default=0),
            max((stage.job.inputs[1].bytes for stage in layout.stages if len(stage.job.inputs) > 1), default=0),
            max(stage.output.bytes for stage in layout.stages),
            max(stage.code.scratch_bytes for stage in layout.stages),
        )
    )

    def call(case: StageCase) -> npt.NDArray[np.int32]:
        output = case.stage.output
        found = np.empty((len(case.expected), output.padded), case.dtype)
        for row, stored in enumerate(zip(*case.inputs, strict=True)):
            for address, values in zip((x, x1), stored, strict=False):
                emulator.write(address, values.tobytes())
            emulator.call(case.function, x, x1, y, scratch)
            found[row] = np.frombuffer(emulator.read(y, output.bytes), case.dtype)
        return case.values(found)

    return check_stages(layout, call, f"on {emulator.core.title}")
