"""The commands of the example."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from edgeml.errors import EdgemlError
from edgeml.terminal import Terminal

__all__ = ["app", "main"]

app = typer.Typer(
    name="python -m examples.can_ids",
    help="A 2-bit intrusion detector for automotive CAN, from a log to a chip.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Logs = Annotated[list[Path], typer.Argument(metavar="LOG…", help="candump, HCRL Car-Hacking or table of traces.")]
Attack = Annotated[str, typer.Option(help="HCRL: what the injected frames are. candump: what all frames are.")]
Size = Annotated[int, typer.Option("--frames", help="Frames in a window.")]
Gaps = Annotated[bool, typer.Option("--gaps", help="Add the time between frames to the features.")]
Most = Annotated[int, typer.Option(help="Training windows, classes balanced; 0: all, as they come.")]
HeldBack = Annotated[float, typer.Option(help="Share of each trace's time held back for testing.")]
Seed = Annotated[int, typer.Option(help="The same seed gives the same result.")]


@app.callback()
def commands() -> None:
    """A 2-bit intrusion detector for automotive CAN, from a log to a chip."""


@app.command(epilog="Example: python -m examples.can_ids prepare drive.csv -o can.npz")
def prepare(
    logs: Logs,
    output: Annotated[Path, typer.Option("--output", "-o", help="An .npz with x, y, x_test, y_test, labels.")],
    attack: Attack = "",
    frames: Size = 4,
    gaps: Gaps = False,
    most: Most = 100_000,
    held_back: HeldBack = 0.2,
    seed: Seed = 0,
) -> None:
    """Write windows as data for `edgeml convert --data` and `edgeml explore`, split by time."""
    from .dataset import prepared, save_arrays, show_counts
    from .readers import read_logs
    from .windows import Recipe

    data = prepared(read_logs(logs, attack), Recipe(frames, gaps), held_back, most, seed)
    save_arrays(output, data.arrays)
    show_counts(Terminal(), data)


def main() -> None:
    """Run the command line; a user's mistake gives one line and an exit code, never a traceback."""
    try:
        app()
    except EdgemlError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
