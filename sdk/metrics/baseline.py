"""What the float model was worth that integers came from, where these came alone: found by an earlier conversion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .answers import QUALITIES, JudgedOn
from .json_values import mapping, number, numbers, text

__all__ = ["DATA_NOT_GIVEN", "OTHER_DATA", "SAME_DATA", "Baseline"]

SAME_DATA, OTHER_DATA, DATA_NOT_GIVEN = "same", "other", "none"
_LONGEST_NAME = 120
_SAID = {
    SAME_DATA: "The data given now are the same, by their SHA-256.",
    OTHER_DATA: "The data given now are others, or split otherwise.",
    DATA_NOT_GIVEN: "No data were given now.",
}


@dataclass(frozen=True)
class Baseline:
    """The qualities of a float model, and of its integers, as the conversion found them that made the integers.

    conversion : its form and target, in words. qualities : as `Answers.qualities`, each `float` and `integer`.
    data : what that conversion said of its data (`Dataset.described`).
    now : whether the data of the conversion that tells it are the same: `SAME_DATA`, `OTHER_DATA`, `DATA_NOT_GIVEN`.
    """

    conversion: str
    qualities: Mapping[str, Mapping[str, int | float]]
    data: Mapping[str, Any]
    now: str

    @classmethod
    def from_json(cls, document: Any) -> Baseline | None:
        """What of a manifest's `metrics.baseline` is sound; None where there is no quality of a float model."""
        said = mapping(document)
        found = {name: numbers(said.get(name)) for name in QUALITIES}
        qualities = {name: values for name, values in found.items() if "float" in values}
        if not qualities:
            return None
        now = text(said.get("now"))
        conversion = text(said.get("conversion"))[:_LONGEST_NAME]
        return cls(conversion, qualities, mapping(said.get("data")), now if now in _SAID else DATA_NOT_GIVEN)

    def as_json(self) -> dict[str, Any]:
        """As it stands in a manifest."""
        return {"conversion": self.conversion, **self.qualities, "data": dict(self.data), "now": self.now}

    @property
    def headline(self) -> str:
        """What the float model had."""
        name = self._telling
        return f"The float model had {_TITLES[name]}{self.qualities[name]['float']:{_FORMS[name]}}."

    @property
    def origin(self) -> str:
        """Where that is from: the conversion, the samples, and whether they are the ones of now."""
        name = self._telling
        integer = number(self.qualities[name].get("integer"))
        beside = "" if integer is None else f", its integers {integer:{_FORMS[name]}}"
        return f"Found when it was converted ({self.conversion}), on {self._judged_on}{beside}. {_SAID[self.now]}"

    @property
    def _telling(self) -> str:
        """The quality that is told: the first there is of those that people ask for first."""
        return next(name for name in QUALITIES if name in self.qualities)

    @property
    def _judged_on(self) -> JudgedOn:
        held_back = self.data.get("held_back")
        return JudgedOn(held_back if isinstance(held_back, int) and not isinstance(held_back, bool) else None, False)


_TITLES = {"accuracy": "", "r2": "R² ", "mae": "a mean absolute error of ", "mse": "a mean squared error of "}
_FORMS = {"accuracy": ".2%", "r2": ".4f", "mae": ".4g", "mse": ".4g"}
