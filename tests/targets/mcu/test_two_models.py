"""Several networks in one firmware: their folders compile side by side and link into one program, where each is exact.

The names are ones that could clash: a network may be called like a file or a guard of another one.
"""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("unicorn", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("ziglang", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("elftools", reason="pip install 'edgeml-exact[toolchain]'")

from edgeml.hil.device import Device
from edgeml.network import Network, simulate
from edgeml.targets.c.sensors.counts import Count
from edgeml.targets.mcu.cores import core
from edgeml.targets.mcu.emulator import Emulator
from edgeml.targets.mcu.firmware import Firmware, firmware_files
from edgeml.targets.mcu.image import read_image
from edgeml.targets.mcu.runner import NetworkRunner
from edgeml.targets.mcu.toolchain import build
from tests.hil.compiled_device import PerfectLink, compiled_devices

from .networks import random_inputs, random_network

NAMES = ("net", "net_sensor", "net_counts", "net_hil", "net_self_test", "net_constants", "net_test", "net_layer")


def networks() -> list[Network]:
    """One of each name, no two alike."""
    return [
        random_network(seed, (10 + seed, 6, 2 + seed), (2, 4, 8)[seed % 3], name=name)
        for seed, name in enumerate(NAMES)
    ]


def together(core_name: str, folder: Path) -> tuple[list[Firmware], bytes]:
    """Both folders beside one another, as a firmware engineer has them, and both on the include path."""
    chip = core(core_name)
    firmwares = [firmware_files(network, chip, {}, [Count(0.5)]) for network in networks()[:2]]
    for firmware in firmwares:
        for path, text in firmware.files.items():
            target = folder / firmware.program.layout.name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
    sources = [path for part in ("src", "hil") for path in sorted(folder.glob(f"*/{part}/*.c"))]
    sources = [path for path in sources if path.name != "board_template.c"]
    include = [folder / firmware.program.layout.name / part for firmware in firmwares for part in ("include", "hil")]
    entries = ("invoke", "self_test", "quantize", "quantize_s16", "dequantize", "hil_start", "hil_receive")
    keep = [f"{firmware.program.layout.name}_{entry}" for firmware in firmwares for entry in entries]
    return firmwares, build(chip, sources, include=include, keep=keep)


@pytest.mark.parametrize("core_name", ["m4", pytest.param("rv32", marks=pytest.mark.slow)])
def test_networks_in_one_firmware_are_exact(core_name: str, tmp_path: Path) -> None:
    firmwares, elf = together(core_name, tmp_path)
    emulator = Emulator(core(core_name), read_image(elf))
    for firmware in firmwares:
        network = firmware.program.layout.network
        runner = NetworkRunner(emulator, firmware.program)
        q = random_inputs(network, 1, 10)
        np.testing.assert_array_equal(runner.invoke(q), simulate(network, q), network.name)
        assert runner.self_test() == 0
        x = np.linspace(-3, 300, q.size, dtype=np.float32).reshape(q.shape)
        np.testing.assert_array_equal(runner.quantize(x), network.quantizer.quantize(x.astype(np.float64)))


def test_no_two_folders_have_a_file_or_a_guard_in_common_but_the_same_one() -> None:
    """What has the same name in the folders of two networks has the same text."""
    parts = ("include/", "src/", "hil/")
    texts = [
        {
            path.split("/", 1)[1]: text
            for path, text in firmware_files(network, core("m4"), {}, [Count(0.5)]).files.items()
            if path.startswith(parts) and path != "hil/board_template.c" and "For build systems" not in text
        }
        for network in networks()
    ]
    for one, other in combinations(texts, 2):
        for path in one.keys() & other.keys():
            assert one[path] == other[path], path


def test_devices_of_several_networks_answer_in_one_program(tmp_path: Path) -> None:
    given = networks()[:2]
    for network, side in zip(given, compiled_devices(given, tmp_path), strict=True):
        device = Device(PerfectLink(side), network)
        q = random_inputs(network, 1, 5)
        np.testing.assert_array_equal(device.infer(q).outputs, simulate(network, q))
        assert device.self_test() == 0
