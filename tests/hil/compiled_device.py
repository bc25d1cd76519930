"""The device's side of the protocol, compiled for this machine: the very C that boards run, behind a Python link."""

from __future__ import annotations

import ctypes
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from edgeml.network import Network
from edgeml.targets.cpu.compiler import find_compiler
from edgeml.targets.mcu.cores import CORES
from edgeml.targets.mcu.firmware import firmware_files

_BOARD = """
static uint32_t ticks;
static uint32_t cycles(void *context) { (void)context; return ticks += 7u; }
"""
_MODEL = """
static void (*{name}_sink)(uint8_t byte);
static void {name}_write(void *context, uint8_t byte) {{ (void)context; {name}_sink(byte); }}
void {name}_device_start(void (*write)(uint8_t));
void {name}_device_start(void (*write)(uint8_t)) {{
    const edgeml_hil_board board = {{{name}_write, cycles, NULL, 1000000u}};
    {name}_sink = write;
    {name}_hil_start(&board);
}}
"""


def compiled_devices(networks: Sequence[Network], folder: Path, core: str = "m0") -> list[CompiledDevice]:
    """The devices of all networks in one program, as in a firmware of several models."""
    compiler = find_compiler()
    assert compiler is not None
    firmwares = [firmware_files(network, CORES[core], {}) for network in networks]
    names = [firmware.program.layout.name for firmware in firmwares]
    flags = ["-std=c99", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-shared", "-fPIC"]
    flags += ["-fsanitize=undefined", "-fsanitize-undefined-trap-on-error"]
    sources = ["board.c"]
    for name, firmware in zip(names, firmwares, strict=True):
        for path, text in firmware.files.items():
            (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / name / path).write_text(text, encoding="utf-8")
        hil = [path for path in firmware.files if re.fullmatch(r"hil/.*hil\.c", path)]
        sources += [f"{name}/{path}" for path in (*firmware.sources, *firmware.sensor_sources, *hil)]
        flags += [f"-D{firmware.program.layout.macro}_WITH_TRACE", f"-I{name}/include", f"-I{name}/hil"]
    headers = "".join(f'#include "{name}.h"\n#include "{name}_hil.h"\n#include "{name}_sensor.h"\n' for name in names)
    board = headers + _BOARD + "".join(_MODEL.format(name=name) for name in names)
    (folder / "board.c").write_text(board, encoding="utf-8")
    command = [*compiler.command, *flags, *sources, "-o", "device.so"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    library = ctypes.CDLL(str(folder / "device.so"))
    return [CompiledDevice(library, name) for name in names]


class CompiledDevice:
    """`receive(bytes)` gives what the device sends back; `reset()` is a reset of the device."""

    def __init__(self, library: ctypes.CDLL, name: str) -> None:
        self._start, self._receive = (getattr(library, f"{name}_{part}") for part in ("device_start", "hil_receive"))
        self._receive.argtypes = (ctypes.c_char_p, ctypes.c_size_t)
        self._sent = bytearray()
        self._callback = ctypes.CFUNCTYPE(None, ctypes.c_uint8)(self._sent.append)
        self.reset()

    def reset(self) -> None:
        """Forget whatever was under way."""
        self._start(self._callback)

    def receive(self, content: bytes) -> bytes:
        """Hand over bytes; what the device answers."""
        self._receive(content, len(content))
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
