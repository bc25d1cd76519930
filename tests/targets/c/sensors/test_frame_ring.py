"""The ring of frames: each window is the last frames in order, as numpy cuts them; other sizes are refused."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from edgeml.targets.c import generate
from edgeml.targets.cpu.dialect import cpu_dialect
from tests.targets.cpu.bodies import the_compiler
from tests.targets.mcu.networks import random_network

_MAIN = """
#include "net_frame_ring.h"
#include "net_sensor.h"
#include <stdio.h>
#include <stdlib.h>

int main(int count, char **arguments)
{
    static net_frames frames;
    static float readings[NET_INPUTS];
    TYPE frame[NET_INPUTS];
    const size_t features = (size_t)atoi(arguments[count - 1]);
    if (net_frames_start(&frames, features)) {
        return 2;
    }
    for (;;) {
        for (size_t i = 0; i < features; i++) {
            if (scanf("%f", readings + i) != 1) {
                return 0;
            }
        }
        net_quantize_features(readings, features, frame);
        const TYPE *const window = net_frames_push(&frames, frame);
        for (size_t i = 0; window && i < NET_INPUTS; i++) {
            printf("%d ", window[i]);
        }
        printf("\\n");
    }
}
"""


@pytest.fixture(scope="module", params=[False, True])
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bool]:
    folder = tmp_path_factory.mktemp("ring")
    generate(random_network(1, (12, 3), 2, signed=request.param), cpu_dialect()).write(folder)
    (folder / "main.c").write_text(_MAIN.replace("TYPE", "int8_t" if request.param else "uint8_t"))
    flags = ["-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-fsanitize=undefined"]
    the_compiler().run([*flags, "-fsanitize-undefined-trap-on-error", "main.c", "net_sensor.c", "-o", "main"], folder)
    return folder / "main", request.param


@pytest.mark.parametrize("features", [1, 2, 3, 4, 6, 12])
def test_windows_are_the_last_frames_in_order(program: tuple[Path, bool], features: int) -> None:
    path, signed = program
    readings = np.random.default_rng(features).integers(-100 if signed else 0, 120, 12 * features * 3 + features)
    readings = readings[: len(readings) // features * features]
    given = " ".join(map(str, readings))
    done = subprocess.run([path, str(features)], input=given, capture_output=True, text=True, timeout=60, check=True)
    windows = [[int(word) for word in line.split()] for line in done.stdout.splitlines()]
    ends = range(features, len(readings) + 1, features)
    assert windows == [readings[end - 12 : end].tolist() if end >= 12 else [] for end in ends]
    assert len(windows) > 2 * 12 // features


@pytest.mark.parametrize("features", [0, 5, 8, 24])
def test_frames_that_do_not_make_the_input_are_refused(program: tuple[Path, bool], features: int) -> None:
    assert subprocess.run([program[0], str(features)], input="", text=True, timeout=60, check=False).returncode == 2
