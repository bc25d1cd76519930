"""What the integers are worth: how well they answer, beside the float model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .json_values import mapping, number, numbers, text

__all__ = ["Answers", "Confusion", "Fidelity", "JudgedOn"]


QUALITIES = ("accuracy", "r2", "mae", "mse")
"""What stands in metrics, each as {"float": …, "integer": …}: accuracy of classes, the others of values."""


@dataclass(frozen=True)
class JudgedOn:
    """The samples that qualities were found on: how many (None: not said), and whether they are all that were given."""

    samples: int | None
    all_samples: bool

    def __str__(self) -> str:
        if self.samples is None:
            return "the held-back samples"
        many = "s" if self.samples != 1 else ""
        if self.all_samples:
            return f"all {self.samples:,} sample{many} given"
        return f"{self.samples:,} held-back sample{many}"


@dataclass(frozen=True)
class Fidelity:
    """The distance of the integers from the float model: whether their bits explain it, and a sentence."""

    within: bool
    note: str


@dataclass(frozen=True)
class Confusion:
    """Right and wrong answers: samples and right answers by class, and, of few classes, counts [class][answer]."""

    samples: Sequence[float]
    right: Sequence[float]
    counts: Sequence[Sequence[Any]] | None


@dataclass(frozen=True)
class Answers:
    """What a manifest's `metrics` say of the answers.

    Parameters
    ----------
    qualities : accuracy (of classes), r2, mae, mse (of values), each by what was judged: `float`, `integer` …
    agreement : share of samples that the float model answers alike.
    judged_on, fidelity, confusion : see there.
    """

    qualities: Mapping[str, Mapping[str, int | float]]
    agreement: float | None
    judged_on: JudgedOn
    fidelity: Fidelity | None
    confusion: Confusion | None

    @classmethod
    def from_json(cls, metrics: Any) -> Answers:
        """What of a manifest's `metrics` is sound."""
        said = mapping(metrics)
        judged = mapping(said.get("judged_on"))
        samples = judged.get("samples")
        whole = samples if isinstance(samples, int) and not isinstance(samples, bool) else None
        fidelity = mapping(said.get("fidelity"))
        return cls(
            {name: numbers(said.get(name)) for name in QUALITIES},
            number(said.get("agreement")),
            JudgedOn(whole, judged.get("split") == "all"),
            Fidelity(bool(fidelity.get("within", True)), text(fidelity.get("note"))) if fidelity else None,
            _confusion(said.get("confusion")),
        )

    def quality(self, name: str, of: str) -> float | None:
        """A quality of `float`, `integer` …; None if it is not said."""
        return number(self.qualities[name].get(of))


def _confusion(document: Any) -> Confusion | None:
    said = mapping(document)
    samples, right, counts = said.get("samples"), said.get("right"), said.get("counts")
    if not isinstance(samples, list) or not isinstance(right, list) or len(samples) != len(right):
        return None
    if any(number(count) is None for count in (*samples, *right)):
        return None
    return Confusion(samples, right, counts if isinstance(counts, list) else None)
