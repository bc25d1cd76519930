"""The UART top in Verilator: a program that is a board, bit by bit at the pins of its UART."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..board import Board
from ..design import Built
from ..tools.verilation import compile_program
from .board_top import simulation_models
from .uart import BAUD, UartTop

__all__ = ["CLOCKS_PER_BIT", "BoardProgram", "compile_board"]

CLOCKS_PER_BIT = 8
"""Of the UART of a top without a board: fewer than on any, so that inferences and not bits are what is simulated. A
board is simulated as it is: bits last what they last at `BAUD` by its own clock."""


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

    def command(self, mode: str, bit_time: float | None = None) -> list[str]:
        """How to start it: `pty` (a pseudo-terminal) or `pipe` (for tests). bit_time : clocks of a bit sent to it, as
        they last on the line by default."""
        return [str(self.path), mode, *([] if bit_time is None else [str(round(1000 * bit_time))])]


def compile_board(built: Built, top: UartTop, folder: Path) -> BoardProgram:
    """Compile a design and its UART top, or what is around it for a board, below `folder` (made if missing), lint
    included.

    Raises MissingTool without Verilator or a C++ compiler, EdgemlError if lint or compilation fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    models = {} if top.board is None else simulation_models(top.board)
    for name, content in {**built.files, **top.files, **models}.items():
        (folder / name).write_bytes(content)
    defines = _pins_of_top()
    flags: tuple[str, ...] = (f"-GBAUD={top.clock_hz // CLOCKS_PER_BIT}",)
    if top.board is not None:
        defines, flags = _pins_of_board(top.board), ()
    named = {"DESIGN_CLASS": f"V{top.outermost}", "DESIGN_HEADER": f'"V{top.outermost}.h"', **defines}
    (folder / "design.h").write_text("".join(f"#define {key} {value}\n" for key, value in named.items()), "utf-8")
    sources = [*(name for name in built.sources if name != f"{built.top}.v"), *top.sources, *models]
    path, detail = compile_program(folder, top.outermost, sources, "uart_harness.cpp", flags=("-Wall", *flags))
    return BoardProgram(path, folder, detail)


def _pins_of_top() -> dict[str, object]:
    return {
        "MILLICLOCKS_PER_BIT": f"{1000 * CLOCKS_PER_BIT}ULL",
        "PIN_CLOCK": "clk",
        "PIN_RESET": "reset_n",
        "RESET_LEVEL": 0,
        "PIN_BUSY": "busy",
        "BUSY_LEVEL": 1,
    }


def _pins_of_board(board: Board) -> dict[str, object]:
    """What the harness is told of a board: which of its ports is what, and what a bit lasts by its oscillator."""
    ports = board.ports
    defines: dict[str, object] = {
        "MILLICLOCKS_PER_BIT": f"{round(1000 * board.design_hz / BAUD)}ULL",
        "PIN_CLOCK": ports["clock"],
        "PIN_BUSY": ports["led"],
        "BUSY_LEVEL": board.led_lit,
    }
    if "clock_n" in ports:
        defines["PIN_CLOCK_N"] = ports["clock_n"]
    if "reset" in ports:
        defines |= {"PIN_RESET": ports["reset"], "RESET_LEVEL": board.reset_pressed}
    return defines
