"""What the terminal says of a bundle: the answer, what it is worth, who verified it, and where it lies."""

from __future__ import annotations

from rich.markup import escape

from ..bundle import Bundle
from ..data.checks import WARNING
from ..errors import printable
from ..judging.scores import said
from ..metrics import Answers, TargetMetrics
from ..metrics.baseline import Baseline
from ..network import decision_rule
from ..terminal import Terminal
from ..verification.coverage import coverage
from ..verification.verdict import Verdict
from .synthesis import COLUMNS, clock_said, figures, unfinished_said

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
    answers = Answers.from_json(manifest["metrics"])
    for name, text in said(answers):
        terminal.line(f"[bold]{name:9}[/bold]  {text}")
    if (baseline := Baseline.from_json(manifest["metrics"].get("baseline"))) is not None:
        terminal.plain(f"{'float':9}  {baseline.headline} {baseline.origin}")
    if answers.agreement is not None:
        terminal.line(f"[bold]agreement[/bold]  {answers.agreement:.2%} of answers equal the float model's")
    for note in manifest["notes"]:
        if note not in warnings:
            terminal.plain(f"note       {note}")
    show_synthesis(terminal, bundle.target_metrics)
    terminal.verdicts(verdicts)
    terminal.plain(f"{bundle.form} for {bundle.profile.name}: {bundle.folder}, report in {bundle.folder}/report.html")


def show_synthesis(terminal: Terminal, target: TargetMetrics) -> None:
    """Print the clock and what of the part is used, where a target's metrics hold a synthesis."""
    terminal.warning(unfinished_said(target))
    if said := clock_said(target):
        terminal.plain(f"clock      {said}")
    if rows := figures(target):
        terminal.table("", COLUMNS, [[row[column] for column in COLUMNS] for row in rows])
