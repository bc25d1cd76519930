"""What verification ran: the target's own artifact, or only relatives of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import InputError, MissingTool
from ..meant_name import name_remedy
from ..plugins.executor import executors
from .verdict import Verdict

__all__ = ["Coverage", "check_names", "coverage", "require"]

_UNSAID = "something of this bundle, it does not say what"


@dataclass(frozen=True)
class Coverage:
    """Whether the target's own artifact ran.

    Parameters
    ----------
    target_ran : at least one executor of the target's own artifact ran to its end.
    sentence : empty if so; else what did not run, what did, and what to install.
    """

    target_ran: bool
    sentence: str = ""

    def as_json(self) -> dict[str, Any]:
        """JSON-able fields."""
        return {"target_ran": self.target_ran, "sentence": self.sentence}


def coverage(verdicts: Sequence[Verdict], target: str, *, chosen: bool = False) -> Coverage:
    """What `verdicts` say of the artifact made for `target`. Golden, held against itself, counts as nothing.

    chosen : whether the executors were chosen by the user, so that others may be able to run.
    """
    verdicts = [verdict for verdict in verdicts if verdict.question == "integers"]
    ended = [verdict for verdict in verdicts if verdict.status in ("exact", "mismatch")]
    if any(verdict.of_target for verdict in ended):
        return Coverage(True)
    relatives = [f"{verdict.name} ran {verdict.ran or _UNSAID}" for verdict in ended if verdict.name != "golden"]
    absent = [
        f"{verdict.name} {'could not run' if verdict.status == 'unavailable' else 'failed'}: {_short(verdict.detail)}"
        for verdict in verdicts
        if verdict.of_target and verdict.status in ("unavailable", "error")
    ]
    parts = [f"Nothing made for {target} ran here; its artifacts are not verified."]
    parts += [f"{'; '.join(relatives)}."] if relatives else ["Only golden ran, held against itself."]
    unseen = "No other executor was asked for." if chosen else "edgeml has no executor for it here."
    parts += [f"{'; '.join(absent)}."] if absent else [unseen]
    return Coverage(False, " ".join(parts))


def _short(detail: str) -> str:
    line = detail.strip().splitlines()[0] if detail.strip() else "no reason given"
    return line.rstrip(".") if len(line) <= 200 else f"{line[:199]}…"


def check_names(names: Sequence[str]) -> None:
    """InputError where one of `names` is not an executor's."""
    known = executors()
    if unknown := [name for name in names if name not in known]:
        raise InputError(f"executor {unknown[0]!r}", "is not known", name_remedy(unknown[0], known))


def require(verdicts: Sequence[Verdict], names: Sequence[str]) -> None:
    """MissingTool where one of the executors `names` did not run to its end."""
    by_name = {verdict.name: verdict for verdict in verdicts}
    for name in names:
        verdict = by_name.get(name)
        if verdict is None:
            raise MissingTool(f"executor {name!r}", "is required, and runs nothing that this bundle holds")
        if verdict.status not in ("exact", "mismatch"):
            problem = "cannot run here" if verdict.status == "unavailable" else "failed"
            raise MissingTool(f"executor {name!r}", f"is required and {problem}", verdict.detail)
