"""The command-line application, and the options that many commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..version import __version__

__all__ = ["Budget", "BundlePath", "Executors", "Json", "Quiet", "Require", "TimeLimit", "app"]

app = typer.Typer(
    name="edgeml",
    help="Trained MLPs onto FPGAs, microcontrollers, CPUs and neuromorphic chips, bit for bit.",
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done; 1 a check failed; 2 the input is wrong; 3 a tool is missing. "
    "Add --debug to any command for a traceback.",
)


@app.callback()
def alone(
    context: typer.Context, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False
) -> None:
    """Trained MLPs onto FPGAs, microcontrollers, CPUs and neuromorphic chips, bit for bit."""
    if version:
        print(f"edgeml {__version__}")
    elif context.invoked_subcommand is None:
        print(context.get_help())


Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no remarks.")]
BundlePath = Annotated[Path, typer.Argument(metavar="BUNDLE", help="A folder that 'edgeml convert' wrote.")]
Require = Annotated[
    list[str] | None,
    typer.Option("--require", metavar="NAME", help="Exit code 3 unless this executor ran; can be repeated."),
]
Budget = Annotated[
    str | None,
    typer.Option(metavar="COST=MOST", help="Choose bits and inputs of layers: luts=700, flash=4k, instructions=5k."),
]
TimeLimit = Annotated[
    float | None,
    typer.Option("--time-limit", metavar="SECONDS", help="Processor time of each call of a tool, instead of its own."),
]
Executors = Annotated[list[str] | None, typer.Option("--on", metavar="NAME", help="Executor; can be repeated.")]
