"""What the terminal says of a bundle: the answer, what it is worth, who verified it, and where it lies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.markup import escape

from ..bundle import Bundle
from ..data.checks import WARNING
from ..errors import printable
from ..judging.scores import said
from ..network import decision_rule
from ..terminal import Terminal
from ..verification.coverage import coverage
from ..verification.verdict import Verdict
from .synthesis import COLUMNS, clock_said, figures

__all__ = ["show_bundle", "show_synthesis"]


def show_bundle(terminal: Terminal, bundle: Bundle) -> None:
    """Print what a conversion found: accuracy, notes, verification, where the bundle lies.

    What nobody may overlook comes first: that nothing of the target ran, and the notes that are warnings."""

    manifest = bundle.manifest
    verdicts = [Verdict(**verdict) for verdict in manifest["verification"]]
    terminal.warning(coverage(verdicts, bundle.profile.name).sentence)
    warnings = [note for note in manifest["notes"] if note.startswith(WARNING)]
    for note in warnings:
        terminal.warning(note.removeprefix(WARNING))
    terminal.line(f"[bold]answer[/bold]     {escape(printable(decision_rule(bundle.network), 1000))}")
    for name, text in said(manifest["metrics"]):
        terminal.line(f"[bold]{name:9}[/bold]  {text}")
    if "agreement" in manifest["metrics"]:
        terminal.line(
            f"[bold]agreement[/bold]  {manifest['metrics']['agreement']:.2%} of answers equal the float model's"
        )
    for note in manifest["notes"]:
        if note not in warnings:
            terminal.plain(f"note       {note}")
    show_synthesis(terminal, manifest["metrics"].get("target"))
    terminal.verdicts(verdicts)
    terminal.plain(f"{bundle.form} for {bundle.profile.name}: {bundle.folder}, report in {bundle.folder}/report.html")


def show_synthesis(terminal: Terminal, target: Any) -> None:
    """Print the clock and what of the part is used, where a target's metrics hold a synthesis."""
    if not isinstance(target, Mapping):
        return
    if said := clock_said(target):
        terminal.plain(f"clock      {said}")
    if rows := figures(target):
        terminal.table("", COLUMNS, [[row[column] for column in COLUMNS] for row in rows])
