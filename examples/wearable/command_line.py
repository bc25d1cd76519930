"""The command of the example."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from edgeml.errors import EdgemlError, InputError
from edgeml.terminal import Terminal

__all__ = ["app", "main"]

app = typer.Typer(
    name="python -m examples.wearable",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command(epilog="Example: python -m examples.wearable --people 8,9,10 -o build/wearable")
def wearable(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the model, the data and the bundles.")] = (
        Path("build/wearable")
    ),
    people: Annotated[str, typer.Option(help="Who is held back: numbers of 1 … 10.")] = "8,9,10",
    bits: Annotated[int, typer.Option(help="Weights and activations.")] = 2,
    epochs: Annotated[int, typer.Option(help="Of the float model.")] = 40,
    quantized_epochs: Annotated[int, typer.Option(help="Of the quantized one.")] = 40,
    spiking_epochs: Annotated[int, typer.Option(help="Of the network of leaky neurons; 0: leave it out.")] = 15,
    seed: Annotated[int, typer.Option(help="The same seed gives the same result.")] = 0,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Leave everyone out in turn, and let the watch learn on its wearer.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Train on some people, convert to a Cortex-M4 and to spikes, verify, and say what each is worth on the others."""
    if calibrate:
        from .calibration import PEOPLE
        from .calibration import calibrate as on_each

        on_each(PEOPLE, bits, epochs, quantized_epochs, seed, output, Terminal(as_json))
        return
    from .session import Plan, run

    parts = [part.strip() for part in people.split(",")]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise InputError("option people", f"must be numbers with commas between, found {people!r}")
    held_back = tuple(int(part) for part in parts)
    run(Plan(held_back, bits, epochs, quantized_epochs, spiking_epochs, seed), output, Terminal(as_json))


def main() -> None:
    """Run the command line; a user's mistake gives one line and an exit code, never a traceback."""
    try:
        app()
    except EdgemlError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
