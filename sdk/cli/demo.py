"""`edgeml demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .app import Json, Quiet, app


@app.command(epilog="Example: edgeml demo -o build/demo")
def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the model, the data and the bundles.")] = (
        Path("build/demo")
    ),
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a small MLP on real data (handwritten digits), convert it, verify it, and say what was found."""
    from ..demo import run
    from ..terminal import Terminal

    run(output, Terminal(as_json, quiet))
