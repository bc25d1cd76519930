"""How a command that verified ends: what it says on stderr, and its exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from ..errors import MissingTool
from ..verification.coverage import require as check_required

if TYPE_CHECKING:
    from ..verification.verdict import Verdict

__all__ = ["end"]


def end(verdicts: Sequence[Verdict], required: Sequence[str] = ()) -> None:
    """Leave with 1 where an executor found a difference or failed, else with 3 where a required one did not run."""
    failed = [verdict for verdict in verdicts if verdict.status == "error"]
    for verdict in failed:
        print(f"edgeml: executor {verdict.name} failed: {verdict.detail}", file=sys.stderr)
    if failed or any(verdict.refutes for verdict in verdicts):
        raise typer.Exit(1)
    try:
        check_required(verdicts, required)
    except MissingTool as error:
        print(f"edgeml: {error}", file=sys.stderr)
        raise typer.Exit(error.exit_code) from error
