"""`edgeml certify`: how far inputs may move before the class can be another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .app import BundlePath, Json, Quiet, app


@app.command(epilog="Example: edgeml certify build/digits --data digits.npz --radius 1 --radius 4")
def certify(
    bundle: BundlePath,
    data: Annotated[
        Path | None, typer.Option(help="Samples: the held-back ones of a data file; else those that the bundle keeps.")
    ] = None,
    radius: Annotated[
        list[int] | None, typer.Option(metavar="STEPS", min=1, help="Steps of the input integers; can be repeated.")
    ] = None,
    samples: Annotated[int, typer.Option(min=1, help="Most samples to look at, spread over all.")] = 100,
    boxes: Annotated[int, typer.Option(min=1, help="Boxes of inputs that each radius may be divided into.")] = 64,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """For each sample, the largest change of its input integers under which the class cannot change, proved."""
    from ..bundle import load
    from ..guarantees.bundle_certificate import certify_bundle
    from ..report.guarantees import guarantees_sentence
    from ..terminal import Terminal

    terminal = Terminal(as_json, quiet)
    loaded = load(bundle)
    with terminal.progress(lines=True) as (_, announce):
        found = certify_bundle(loaded, data, radius or [1, 2, 4], samples=samples, boxes=boxes, announce=announce)

    def show() -> None:
        rows = [
            [f"±{row['radius']}", *(f"{row[key]:.1%}" for key in ("certified", "changed", "open"))]
            + ([f"{row['right']:.1%}"] if "right" in row else [])
            for row in found["radii"]
        ]
        right = ["certified and right"] if "right" in found["radii"][0] else []
        terminal.table("", ["steps of each input", "cannot change", "can change", "not known", *right], rows)
        terminal.plain(guarantees_sentence(found))

    terminal.result({"bundle": str(bundle), **found}, show)
