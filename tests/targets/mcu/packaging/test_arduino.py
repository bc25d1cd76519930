"""The folder as a library of Arduino and of PlatformIO: the sketch as C++ on readings of a pin, and the manifests."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from .packaged import STAND_INS, answer_to, labelled_network, run, written

ZIG = [sys.executable, "-m", "ziglang"]
C, CPP = (["gcc"], ["g++"]) if shutil.which("g++") else ([*ZIG, "cc"], [*ZIG, "c++"])
WARNINGS = ["-Wall", "-Wextra", "-Werror"]


@pytest.mark.parametrize("signed", [False, True])
def test_the_sketch_answers_as_golden_does_to_readings_of_a_pin(signed: bool, tmp_path: Path) -> None:
    """As Arduino builds it: C of src/ as C, the sketch as C++, src/ alone on the include path."""
    network = labelled_network(signed)
    written(network, tmp_path)
    sources = sorted((tmp_path / "src").glob("*.c"))
    run([*C, "-std=gnu11", *WARNINGS, "-Isrc", "-c", *sources], tmp_path)
    run(
        [
            *CPP,
            *("-std=gnu++17", *WARNINGS, "-Isrc", f"-I{STAND_INS / 'arduino'}", "-include", "Arduino.h"),
            f'-DSKETCH="{tmp_path / "examples" / "sensor" / "sensor.ino"}"',
            *(STAND_INS / "arduino" / "main.cpp", *(f"{source.stem}.o" for source in sources), "-o", "sketch"),
        ],
        tmp_path,
    )
    answers = set()
    for seed in range(6):
        readings = np.random.default_rng(seed).integers(0, 300, network.input_size).tolist()
        answer, label, _ = answer_to(network, readings)
        printed = run([tmp_path / "sketch"], tmp_path, given=" ".join(map(str, readings)))
        assert printed == f"self-test: passed\n{answer} {label}\n"
        answers.add(answer)
    assert len(answers) > 1


def test_platformio_finds_the_network_and_its_device_of_hardware_in_the_loop(tmp_path: Path) -> None:
    """What library.json selects (https://docs.platformio.org/en/latest/manifests/library-json/fields/build) is all that
    is needed, and compiles."""
    firmware = written(labelled_network(), tmp_path)
    manifest = json.loads(firmware.files["library.json"])
    build = manifest["build"]
    selected = [
        path
        for pattern in build["srcFilter"]
        for path in sorted((tmp_path / build["srcDir"]).glob(pattern.removeprefix("+<").removesuffix(">")))
    ]
    names = [path.name for path in selected]
    assert names == ["net.c", "net_constants.c", "net_probabilities.c", "net_sensor.c", "net_hil.c"]
    assert [path.relative_to(tmp_path).as_posix() for path in selected[:-1]] == sorted(
        [*firmware.sources, *firmware.sensor_sources]
    )
    user = "".join(f'#include "{header}"\n' for header in manifest["headers"])
    (tmp_path / "user.c").write_text(
        f"{user}int main(void) {{ return (void *)net_hil_start == (void *)net_hil_receive; }}"
    )
    flags = [flag.replace("-I ", "-I") for flag in build["flags"]]
    run([*C, *WARNINGS, f"-I{build['includeDir']}", *flags, "user.c", *selected, "-o", "user"], tmp_path)
    run([tmp_path / "user"], tmp_path)
    for example in manifest["examples"]:
        assert all((tmp_path / example["base"] / file).is_file() for file in example["files"])
