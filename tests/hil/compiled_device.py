"""The device's side of the protocol, compiled for this machine: the very C that boards run, behind a Python link."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

from edgeml.network import Network
from edgeml.targets.cpu.compiler import find_compiler
from edgeml.targets.mcu.cores import CORES
from edgeml.targets.mcu.firmware import firmware_files

_BOARD = """
#include "{name}_hil.h"
static void (*sink)(uint8_t byte);
static void write_byte(void *context, uint8_t byte) {{ (void)context; sink(byte); }}
static uint32_t ticks;
static uint32_t cycles(void *context) {{ (void)context; return ticks += 7u; }}
void device_start(void (*write)(uint8_t));
void device_start(void (*write)(uint8_t)) {{
    const edgeml_hil_board board = {{write_byte, cycles, NULL, 1000000u}};
    sink = write;
    {name}_hil_start(&board);
}}
void device_receive(const uint8_t *bytes, size_t count);
void device_receive(const uint8_t *bytes, size_t count) {{ {name}_hil_receive(bytes, count); }}
"""


class CompiledDevice:
    """`receive(bytes)` gives what the device sends back; `reset()` is a reset of the device."""

    def __init__(self, network: Network, folder: Path, core: str = "m0") -> None:
        compiler = find_compiler()
        assert compiler is not None
        firmware = firmware_files(network, CORES[core], {})
        for name, text in {**firmware.files, "board.c": _BOARD.format(name=network.name)}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        sources = [*firmware.sources, f"hil/{network.name}_hil.c", "hil/edgeml_hil.c", "board.c"]
        flags = ["-std=c99", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-shared", "-fPIC"]
        flags += [f"-D{network.name.upper()}_WITH_TRACE", "-fsanitize=undefined", "-fsanitize-undefined-trap-on-error"]
        command = [*compiler.command, *flags, "-Iinclude", "-Ihil", *sources, "-o", "device.so"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
        self._library = ctypes.CDLL(str(folder / "device.so"))
        self._library.device_receive.argtypes = (ctypes.c_char_p, ctypes.c_size_t)
        self._sent = bytearray()
        self._callback = ctypes.CFUNCTYPE(None, ctypes.c_uint8)(self._sent.append)
        self.reset()

    def reset(self) -> None:
        """Forget whatever was under way."""
        self._library.device_start(self._callback)

    def receive(self, content: bytes) -> bytes:
        """Hand over bytes; what the device answers."""
        self._library.device_receive(content, len(content))
        sent = bytes(self._sent)
        self._sent.clear()
        return sent


class PerfectLink:
    """A link to a compiled device that loses nothing."""

    name = "compiled device"

    def __init__(self, device: CompiledDevice) -> None:
        self.device = device
        self.pending = b""
        self.time = 0.0

    def clock(self) -> float:
        """Time that passes only while somebody waits in vain."""
        return self.time

    def write(self, content: bytes) -> None:
        self.pending += self.device.receive(content)

    def read(self, timeout: float) -> bytes:
        if not self.pending:
            self.time += timeout
            return b""
        content, self.pending = self.pending, b""
        return content

    def close(self) -> None:
        pass
