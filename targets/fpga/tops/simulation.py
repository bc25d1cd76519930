"""The UART top in Verilator: a program that is a board, bit by bit at the pins of its UART."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..design import Built
from ..tools.verilation import compile_program
from .uart import UartTop

__all__ = ["CLOCKS_PER_BIT", "BoardProgram", "compile_board"]

CLOCKS_PER_BIT = 8
"""Of the simulated UART: fewer than on a board, so that inferences and not bits are what is simulated."""


@dataclass(frozen=True)
class BoardProgram:
    """A compiled board.

    Parameters
    ----------
    path : of the program; it runs in `folder`, where the memory images lie. detail : the simulator, for people.
    """

    path: Path
    folder: Path
    detail: str

    def command(self, mode: str, bit_time: float = CLOCKS_PER_BIT) -> list[str]:
        """How to start it: `pty` (a pseudo-terminal) or `pipe` (for tests). bit_time : clocks of a bit sent to it."""
        return [str(self.path), mode, str(round(1000 * bit_time))]


def compile_board(built: Built, top: UartTop, folder: Path) -> BoardProgram:
    """Compile a design and its UART top below `folder` (made if missing), lint included.

    Raises MissingTool without Verilator or a C++ compiler, EdgemlError if lint or compilation fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in {**built.files, **top.files}.items():
        (folder / name).write_bytes(content)
    defines = {
        "DESIGN_CLASS": f"V{top.name}",
        "DESIGN_HEADER": f'"V{top.name}.h"',
        "CLOCKS_PER_BIT": CLOCKS_PER_BIT,
    }
    (folder / "design.h").write_text("".join(f"#define {key} {value}\n" for key, value in defines.items()), "utf-8")
    sources = [*(name for name in built.sources if name != f"{built.top}.v"), *top.sources]
    path, detail = compile_program(
        folder, top.name, sources, "uart_harness.cpp", flags=("-Wall", f"-GBAUD={top.clock_hz // CLOCKS_PER_BIT}")
    )
    return BoardProgram(path, folder, detail)
