"""Other people's runtimes on the same shapes: TensorFlow Lite Micro's arena, and emlearn built and counted as ours."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from edgeml.errors import EdgemlError
from edgeml.targets.mcu.cores import core
from edgeml.targets.mcu.emulator import Emulator
from edgeml.targets.mcu.image import read_image
from edgeml.targets.mcu.toolchain import build

__all__ = ["peers"]

_MOST_EMLEARN_MACS = 100_000
_ALLOCATIONS = """
import sys
from tflite_micro.python.tflite_micro import runtime
runtime.Interpreter.from_file(sys.argv[1]).print_allocations()
"""

# What emlearn's headers include, as far as a network of ReLU layers calls it (nothing of it).
_STUBS = {
    "math.h": "#define INFINITY __builtin_inff()\nfloat expf(float);\nfloat logf(float);\nfloat tanhf(float);\n"
    '#define NAN __builtin_nanf("")\n#define fabsf(x) __builtin_fabsf(x)\n',
    "stdlib.h": "#include <stddef.h>\n",
    "stdio.h": "int printf(const char *, ...);\n",
    "string.h": "#include <stddef.h>\n",
}
_EMLEARN = """
#include <math.h>
float expf(float x) {{ return x; }}
float logf(float x) {{ return x; }}
float tanhf(float x) {{ return x; }}
#include <eml_net.h>
{arrays}
static float a[{widest}], b[{widest}];
int run(const float *x);
int run(const float *x)
{{
    static const EmlNetLayer layers[] = {{{layers}}};
    EmlNet net = {{{count}, layers, a, b, {widest}}};
    return (int)eml_net_infer(&net, x, {inputs});
}}
"""


def peers(shape: Sequence[int]) -> list[str]:
    """One line for each peer: what was found, or why it could not be run here."""
    return [_tflite_micro(shape), _emlearn(shape)]


def _tflite_micro(shape: Sequence[int]) -> str:
    if importlib.util.find_spec("tflite_micro") is None:
        return "TensorFlow Lite Micro: not installed (pip install tflite-micro)"
    from torch import nn

    from edgeml.pipeline import convert

    layers: list[Any] = []
    for index, (inputs, outputs) in enumerate(pairwise(shape)):
        layers += [nn.ReLU()] if index else []
        layers.append(nn.Linear(inputs, outputs))
    samples = np.random.default_rng(0).random((64, shape[0]), dtype=np.float32)
    with tempfile.TemporaryDirectory() as folder:
        try:
            made = convert(nn.Sequential(*layers), to="tflite", target="host", data=samples, output=Path(folder) / "m")
        except EdgemlError as error:
            return f"TensorFlow Lite Micro: no model to run ({error})"
        (model,) = made.folder.rglob("*.tflite")
        command = [sys.executable, "-c", _ALLOCATIONS, str(model)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    found = re.search(r"Arena allocation total (\d+) bytes", done.stdout + done.stderr)
    return (
        f"TensorFlow Lite Micro: arena of {found[1]} bytes (its own recorder, with this machine's 64-bit pointers)"
        if found
        else "TensorFlow Lite Micro: told no allocations"
    )


def _emlearn(shape: Sequence[int]) -> str:
    macs = sum(inputs * outputs for inputs, outputs in pairwise(shape))
    spec = importlib.util.find_spec("emlearn")
    if spec is None or not spec.submodule_search_locations:
        return "emlearn: not installed (pip install --no-deps emlearn)"
    if macs > _MOST_EMLEARN_MACS:
        return "emlearn: left out, counting its software floating point takes minutes at this size"
    generator = np.random.default_rng(0)
    arrays, entries = [], []
    for index, (inputs, outputs) in enumerate(pairwise(shape)):
        weights = ",".join(f"{value:.4f}f" for value in generator.normal(0, 0.1, inputs * outputs))
        arrays.append(f"static const float w{index}[] = {{{weights}}}, b{index}[{outputs}] = {{0}};")
        last = index == len(shape) - 2
        kind = "EmlNetActivationIdentity" if last else "EmlNetActivationRelu"
        entries.append(f"{{{outputs}, {inputs}, w{index}, b{index}, {kind}}}")
    widest = max(shape)
    text = _EMLEARN.format(
        arrays="\n".join(arrays), widest=widest, layers=", ".join(entries), count=len(entries), inputs=shape[0]
    )
    chip = core("m4")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for header, content in _STUBS.items():
            (folder / header).write_text(content, encoding="utf-8")
        (folder / "run.c").write_text(text, encoding="utf-8")
        headers = Path(next(iter(spec.submodule_search_locations)))
        try:
            content = build(
                chip,
                [folder / "run.c"],
                include=[folder, headers],
                keep=["run"],
                warnings=("-w",),
                where="emlearn",
            )
        except EdgemlError as error:
            return f"emlearn: does not build without a C library ({str(error)[-300:]})"
    image = read_image(content)
    emulator = Emulator(chip, image)
    features = emulator.allocate(4 * shape[0])
    emulator.write(features, generator.random(shape[0], dtype=np.float32).tobytes())
    call = emulator.call("run", features, count=True)
    if call.result:
        return f"emlearn: refuses the network (error {call.result})"
    return (
        f"emlearn (float32, m4 without a floating-point unit): {call.instructions / macs:.1f} instructions per"
        f" multiply-accumulate, flash {image.flash}, RAM {image.ram}"
    )
