"""`edgeml convert`: what belongs to every conversion; forms and targets declare the other options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError
from ..judging.monitor_option import MONITOR
from ..meant_name import name_remedy
from .app import Budget, Json, Quiet, Require, TimeLimit, app
from .declared_options import DeclaredOptions, given_options

OnBoard = Annotated[
    str | None, typer.Option(metavar="NAME|profile.toml", help="Instead of --target: a board, its clock and its pins.")
]

Beside = Annotated[
    list[str] | None,
    typer.Option("--beside", metavar="FORM", help="Compare with this form in the report; can be repeated."),
]
AsOption = Annotated[
    list[str] | None,
    typer.Option("--option", metavar="KEY=VALUE", help="An option of the form or the target, by its name."),
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Exit code 1, and no bundle, if integers are far from the float model.")
]


@app.command(
    cls=DeclaredOptions,
    epilog="Example: edgeml convert model.pt2 --to quantized --target host --bits 2 --data digits.npz -o build/digits",
)
def convert(
    context: typer.Context,
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="model.pt2, model.onnx, model.keras or module.py:factory")
    ],
    to: Annotated[str, typer.Option("--to", metavar="FORM", help="quantized, spiking or tflite")],
    target: Annotated[str | None, typer.Option(metavar="NAME|profile.toml", help="See 'edgeml targets'.")] = None,
    board: OnBoard = None,
    data: Annotated[Path | None, typer.Option(help=".npz with x, y; or .npy, .csv, .parquet")] = None,
    task: Annotated[str | None, typer.Option(metavar="classes|binary|values", help="What it answers.")] = None,
    labels: Annotated[str | None, typer.Option(metavar="A,B,…", help="Class names, in the outputs' order.")] = None,
    split: Annotated[str | None, typer.Option(metavar="stratified|tail", help="Which fifth is held back.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The bundle's folder.")] = None,
    weights: Annotated[Path | None, typer.Option(help=".safetensors for module.py:factory")] = None,
    name: Annotated[str | None, typer.Option(help="Prefix of generated code.")] = None,
    option: AsOption = None,
    budget: Budget = None,
    monitor: Annotated[float | None, typer.Option(metavar="RATE", help=MONITOR.help)] = None,
    beside: Beside = None,
    require: Require = None,
    strict: Strict = False,
    time_limit: TimeLimit = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Convert a trained model into a verified bundle."""
    from ..pipeline import convert as run
    from ..report.terminal_summary import show_bundle
    from ..terminal import Terminal
    from ..verification.coverage import check_names
    from ..verification.verdict import Verdict
    from .outcome import end

    check_names(require or ())
    target = _target(target, board)
    terminal = Terminal(as_json, quiet)
    with terminal.progress() as (progress, announce):
        bundle = run(
            model,
            to=to,
            target=target,
            data=data,
            output=output,
            weights=weights,
            name=name,
            options=given_options(context, option or ()),
            strict=strict,
            budget=budget,
            monitor=monitor,
            beside=beside or (),
            time_limit=time_limit,
            task=task,
            labels=labels or (),
            split=split,
            progress=progress,
            announce=announce,
            remark=terminal.remark,
        )
    terminal.result({"bundle": str(bundle.folder), **bundle.manifest}, lambda: show_bundle(terminal, bundle))
    end([Verdict(**verdict) for verdict in bundle.manifest["verification"]], require or ())


def _target(target: str | None, board: str | None) -> str:
    """What is converted for; InputError unless one of the two is said, and a name behind `--board` is a board's."""
    from ..profile import board_names

    if (target is None) == (board is None):
        raise InputError("edgeml convert", "needs --target, or --board instead", "See 'edgeml targets'")
    if board is None:
        assert target is not None
        return target
    if not board.endswith(".toml") and board not in board_names():
        remedy = name_remedy(board, board_names(), f"Boards: {', '.join(board_names())}; or pass a .toml")
        raise InputError(f"board {board!r}", "is not known", remedy)
    return board
