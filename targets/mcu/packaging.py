"""What build systems and test benches ask for beside the C: filled in from the templates in `firmware_stubs`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from edgeml.network import Network
from edgeml.network.network_file import model_hash
from edgeml.targets.c import CProgram
from edgeml.targets.c.stub_text import stub_text

from .cores import Core
from .hil_learning import learning_values

__all__ = ["SENSOR_PARTS", "packaging_files"]

SENSOR_PARTS = ("_sensor", "_counts", "_probabilities", "_adaptation", "_monitor")
"""Endings of the C files beside the network's, as far as a network has them."""

_TEMPLATES = {
    "CMakeLists.txt": "CMakeLists.txt",
    "library.properties": "library.properties",
    "library.json": "library.json",
    "examples/sensor/sensor.ino": "sensor.ino",
    "idf_component.yml": "idf_component.yml",
    "examples/esp_idf/CMakeLists.txt": "esp_idf_CMakeLists.txt",
    "examples/esp_idf/main/CMakeLists.txt": "esp_idf_main_CMakeLists.txt",
    "zephyr/module.yml": "zephyr_module.yml",
    "zephyr/CMakeLists.txt": "zephyr_CMakeLists.txt",
    "zephyr/Kconfig": "zephyr_Kconfig",
    "samples/classify/CMakeLists.txt": "zephyr_sample_CMakeLists.txt",
    "samples/classify/prj.conf": "zephyr_sample_prj.conf",
    "samples/classify/sample.yaml": "zephyr_sample.yaml",
    "edgeml.@NAME@.pdsc": "pack.pdsc",
    "Cargo.toml": "Cargo.toml",
    "rust/build.rs": "rust_build.rs",
    "rust/lib.rs": "rust_lib.rs",
    "micropython.mk": "micropython.mk",
    "micropython.cmake": "micropython.cmake",
    "micropython/@NAME@_module.c": "micropython_module.c",
    "README.md": "README.md",
    "test/@NAME@_test.c": "test.c",
    "hil/@NAME@_hil.h": "hil.h",
    "hil/@NAME@_hil.c": "hil.c",
    "hil/board_template.c": "board_template.c",
}
_MAIN_PROGRAMS = {
    "examples/esp_idf/main/main.c": {
        "SYSTEM": "ESP-IDF",
        "SYSTEM_INCLUDES": '\n#include "freertos/FreeRTOS.h"\n#include "freertos/task.h"\n',
        "SYSTEM_MAIN": "void app_main(void)",
        "SYSTEM_WAIT": "vTaskDelay(pdMS_TO_TICKS(1000));",
    },
    "samples/classify/src/main.c": {
        "SYSTEM": "Zephyr",
        "SYSTEM_INCLUDES": "\n#include <zephyr/kernel.h>\n",
        "SYSTEM_MAIN": "int main(void)",
        "SYSTEM_WAIT": "k_msleep(1000);",
    },
}
"""What differs between the systems for which there is the same program, `main.c.in`."""

_COPIED = {
    "hil/edgeml_hil.h": "c/hil/edgeml_hil.h",
    "hil/edgeml_hil_device.h": "c/hil/edgeml_hil_device.h",
    "hil/crc32.h": "c/edgeml/crc32.h",
}
_GNU_PREFIX = {"arm": "arm-none-eabi-", "riscv": "riscv64-unknown-elf-", "xtensa": "xtensa-esp32-elf-"}
_PLAIN = re.compile(r"[A-Za-z0-9 _.,+-]")
_FRAME_BYTES = 1024
"""Samples that fit so many bytes go into one frame by default (at least one does)."""


def packaging_files(program: CProgram, core: Core) -> dict[str, str]:
    """Text by path relative to the firmware folder."""
    network = program.layout.network
    digest = model_hash(network)
    octets = [f"0x{digest[i : i + 2]}" for i in range(0, len(digest), 2)]
    values = {
        "NAME": program.layout.name,
        "MACRO": program.layout.macro,
        "CORE": core.title,
        "GCC_FLAGS": core.gcc_flags,
        "ZIG_TARGET": core.zig_target,
        "ZIG_CPU": core.zig_cpu,
        "GNU_PREFIX": _GNU_PREFIX[core.architecture],
        "ALIGNMENT": str(program.layout.dialect.alignment),
        "INPUTS": str(network.input_size),
        "OUTPUTS": str(network.output_size),
        "ARENA": str(program.arena_bytes),
        "CONSTANTS": str(program.constant_bytes),
        "CTYPE": "int8_t" if network.quantizer.signed else "uint8_t",
        "HASH": digest,
        "HASH_BYTES": (",\n" + 5 * " ").join(", ".join(octets[i : i + 16]) for i in range(0, len(octets), 16)),
        "SAMPLES": str(max(1, min(64, _FRAME_BYTES // network.input_size))),
        "FORM": _form(network),
    }
    name = program.layout.name
    parts = [part for part in SENSOR_PARTS if f"{name}{part}.c" in program.files]
    sources = [f"src/{name}{part}.c" for part in ("", "_constants", *parts)]
    values |= {
        "SOURCE_COUNT": str(len(sources)),
        "RUST_SOURCES": ", ".join(f'"{path}"' for path in sources),
        "RUST_TYPE": "i8" if network.quantizer.signed else "u8",
        "LABEL_COUNT": str(len(network.output.labels)),
        "RUST_LABELS": ", ".join(_rust_text(label) for label in network.output.labels),
        "MAKE_SOURCES": " ".join(f"$({program.layout.macro}_FOLDER)/{path}" for path in sources),
        "CMAKE_SOURCES": "\n  ".join(f"${{CMAKE_CURRENT_LIST_DIR}}/{path}" for path in sources),
        "ZEPHYR_SOURCES": " ".join(f"../{path}" for path in sources),
        "PACK_FILES": "\n".join(
            [f'        <file category="header" name="include/{name}{part}.h"/>' for part in ("", *parts, "_frame_ring")]
            + [f'        <file category="source" name="{path}"/>' for path in sources]
        ),
    }

    values = {**learning_values(network, stub_text("packaging/hil_learning.c.in")), **values}

    def filled(text: str, more: Mapping[str, str] = MappingProxyType({})) -> str:
        for key, value in {**more, **values}.items():
            text = text.replace(f"@{key}@", value)
        return text

    files = {filled(path): filled(stub_text(f"packaging/{name}.in")) for path, name in _TEMPLATES.items()}
    main = stub_text("packaging/main.c.in")
    files.update({path: filled(main, system) for path, system in _MAIN_PROGRAMS.items()})
    files.update({path: stub_text(stub) for path, stub in _COPIED.items()})
    if network.adaptation is not None:
        files["hil/edgeml_hil_learning.h"] = stub_text("c/hil/edgeml_hil_learning.h")
    return files


def _rust_text(text: str) -> str:
    """Text as a string literal of Rust: whatever is not a plain character by its number."""
    characters = text.encode("utf-8", "replace").decode()
    return '"' + "".join(each if _PLAIN.fullmatch(each) else f"\\u{{{ord(each):x}}}" for each in characters) + '"'


def _form(network: Network) -> str:
    """Which form the network is of, told by its layers: for people who look at what a device says of itself."""
    kinds = {node.layer.kind for node in network.nodes}
    if any("neuron" in kind or "spik" in kind for kind in kinds):
        return "spiking"
    return "tflite" if kinds & {"requantize", "lookup"} else "quantized"
