"""The executors `qemu-<board>`: a bundle's firmware on an emulated board, over its UART."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed
from edgeml.hil.device import Device
from edgeml.plugins import Execution, Subject
from edgeml.system.time_limit import seconds_for

from .boards import ICOUNT_NANOSECONDS, QemuBoard
from .boards import qemu_an385 as _an385
from .boards import qemu_an386 as _an386
from .boards import qemu_an500 as _an500
from .boards import qemu_an505 as _an505
from .boards import qemu_an547 as _an547
from .toolchain import compiler_version

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["QemuExecutor", "qemu_version"]

_ANSWER_SECONDS = 60.0


def qemu_version() -> str:
    """For reports: `QEMU 7.2.22`."""
    import shutil
    import subprocess

    program = shutil.which("qemu-system-arm")
    if program is None:
        return "no QEMU"
    done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30, check=False)
    words = done.stdout.split()
    return f"QEMU {words[3]}" if len(words) > 3 else "QEMU"


class QemuExecutor:
    """Runs the firmware of bundles made for the board's core, speaking to it as to a real one.

    `measures` holds the instructions of the first vector, told by the board's clock, which runs by instructions.
    """

    counts_instructions = True

    def __init__(self, board: QemuBoard) -> None:
        self._board = board

    def applies(self, bundle: Bundle) -> bool:
        """Bundles with firmware for the board's core."""
        return self._board.applies(bundle)

    def subject(self, bundle: Bundle) -> Subject:
        """The firmware, on a model of a board with its core."""
        return Subject(f"the firmware on QEMU's {self._board.board.qemu}", True)

    def missing(self, bundle: Bundle) -> str:
        """Needs QEMU and zig cc."""
        return self._board.missing(bundle)

    def run(self, bundle: Bundle, q: npt.NDArray[np.int32], *, trace: bool, options: Mapping[str, Any]) -> Execution:
        """Run q [samples, inputs]; with `trace`, the integers of each layer are read of every sample."""
        from edgeml.hil.session import traced_layers

        q = bundle.network.check_input(q)
        link = self._board.start(bundle)
        try:
            device = Device(link, bundle.network, timeout=seconds_for(_ANSWER_SECONDS), attempts=2)
            outputs = device.run(q)
            measures: dict[str, Any] = {}
            if len(q):
                ticks = device.infer(q[:1]).count
                measures["instructions"] = round(ticks * 1e9 / self._board.board.clock_hz / ICOUNT_NANOSECONDS)
            layers: dict[str, npt.NDArray[np.int32]] = {}
            names = traced_layers(bundle, device.info.trace_size) if trace and len(q) else ()
            if names:
                values = np.stack([device.trace(row).trace for row in q])  # type: ignore[misc]
                ends = np.cumsum([bundle.network.sizes[name] for name in names])
                layers = dict(zip(names, np.split(values, ends[:-1], axis=1), strict=True))
        finally:
            link.close()
        if names and not np.array_equal(layers.get(bundle.network.nodes[-1].name, outputs), outputs):
            raise CheckFailed(device.name, "the traced and the plain entry point of the C differ")
        return Execution(outputs, layers, f"{qemu_version()} {self._board.board.qemu}, {compiler_version()}", measures)


qemu_an385 = QemuExecutor(_an385)
qemu_an386 = QemuExecutor(_an386)
qemu_an500 = QemuExecutor(_an500)
qemu_an505 = QemuExecutor(_an505)
qemu_an547 = QemuExecutor(_an547)
