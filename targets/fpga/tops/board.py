"""The emulated board `verilator`: a bundle's UART top, simulated behind a pseudo-terminal."""

from __future__ import annotations

import importlib.util
import os
import select
import subprocess
from typing import TYPE_CHECKING

from edgeml.errors import CheckFailed
from edgeml.extras import install_extra
from edgeml.hil.link import SerialLink
from edgeml.system.scratch import ScratchFolder

from ..budget import budget_of
from ..files import verify_bundle
from ..tools.programs import compiler, find_verilator
from .simulation import BoardProgram, compile_board
from .uart import FOLDER, uart_top

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["VerilatorBoard", "VerilatorLink"]

_START_SECONDS = 30.0
_END_SECONDS = 10.0


class VerilatorLink(SerialLink):
    """The port of a simulated board; closing it ends the simulation."""

    def __init__(self, program: BoardProgram, scratch: ScratchFolder | None = None) -> None:
        self._scratch = scratch
        self._process = subprocess.Popen(
            program.command("pty"), cwd=program.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        try:
            super().__init__(self._port_name())
        except BaseException:
            self._end()
            raise

    def _port_name(self) -> str:
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], _START_SECONDS)
        name = os.fsdecode(self._process.stdout.readline().strip()) if ready else ""
        if not name:
            raise CheckFailed("emulated board 'verilator'", "does not start: no pseudo-terminal can be had")
        return name

    def _end(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()  # the program ends by itself then
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        if self._scratch is not None:
            self._scratch.remove()

    def close(self) -> None:
        super().close()
        self._end()


class VerilatorBoard:
    """Compiles the UART top of an FPGA bundle by Verilator and runs it."""

    def applies(self, bundle: Bundle) -> bool:
        """Bundles with a UART top."""
        return f"{FOLDER}/sources.f" in bundle.manifest.get("files", {})

    def missing(self, bundle: Bundle) -> str:
        """Needs Verilator, a C++ compiler, pyserial, and a system with pseudo-terminals."""
        if os.name != "posix":
            return "a system with pseudo-terminals (Linux, macOS)"
        if find_verilator() is None or compiler() is None:
            return install_extra("fpga")
        return "" if importlib.util.find_spec("serial") is not None else install_extra("hil")

    def start(self, bundle: Bundle) -> VerilatorLink:
        """Make the top again from the network, compare it with the bundle's, compile it and start it."""
        built = verify_bundle(bundle)
        top = uart_top(bundle.network, built, built.at_its_clock(budget_of(bundle.profile)))
        scratch = ScratchFolder("board")
        try:
            return VerilatorLink(compile_board(built, top, scratch.path), scratch)
        except BaseException:
            scratch.remove()
            raise
