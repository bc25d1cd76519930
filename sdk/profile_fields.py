"""What a profile may say: a target declares its fields once, and a profile with others, or wrong ones, is refused."""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import InputError, printable
from .meant_name import name_remedy

__all__ = ["Field", "Flag", "Line", "ListOf", "Real", "Whole", "Word", "check_fields"]

_WORD = re.compile(r"[A-Za-z0-9_.+-]{0,64}")
_MOST_ITEMS = 64


@dataclass(frozen=True, kw_only=True)
class Field(ABC):
    """One value of a profile. `required`: a profile without it is refused."""

    required: bool = False

    @property
    @abstractmethod
    def meaning(self) -> str:
        """What the value must be, for people."""

    @abstractmethod
    def fits(self, value: Any) -> bool:
        """Whether the value is of this kind and within its bounds."""


@dataclass(frozen=True)
class Whole(Field):
    """A whole number from `low` to `high`."""

    low: int
    high: int

    @property
    def meaning(self) -> str:
        """The bounds."""
        return f"a whole number in {self.low} … {self.high}"

    def fits(self, value: Any) -> bool:
        """A bool is not a number here."""
        return type(value) is int and self.low <= value <= self.high


@dataclass(frozen=True)
class Real(Field):
    """A finite number greater than 0, at most `high`."""

    high: float

    @property
    def meaning(self) -> str:
        """The bounds."""
        return f"a number above 0, at most {self.high:g}"

    def fits(self, value: Any) -> bool:
        """Whole numbers are numbers too."""
        return type(value) in (int, float) and math.isfinite(value) and 0 < value <= self.high


@dataclass(frozen=True)
class Flag(Field):
    """true or false."""

    @property
    def meaning(self) -> str:
        """Both."""
        return "true or false"

    def fits(self, value: Any) -> bool:
        """Nothing else counts as true."""
        return type(value) is bool


@dataclass(frozen=True)
class Word(Field):
    """One of `choices`; where there are none, a name of letters, digits and `_ . + -`, which may become part of a
    command or of generated text."""

    choices: tuple[str, ...] = ()

    @property
    def meaning(self) -> str:
        """The choices."""
        return f"one of {', '.join(self.choices)}" if self.choices else "a name of letters, digits and _ . + -"

    def fits(self, value: Any) -> bool:
        """Compared as text."""
        if not isinstance(value, str):
            return False
        return value in self.choices if self.choices else _WORD.fullmatch(value) is not None


@dataclass(frozen=True)
class Line(Field):
    """A line of printable ASCII, for people; it may become a comment of generated text."""

    longest: int = 300

    @property
    def meaning(self) -> str:
        """What it may hold."""
        return f"a line of at most {self.longest} printable ASCII characters"

    def fits(self, value: Any) -> bool:
        """No end of a line, no backslash, which would continue a comment."""
        return (
            isinstance(value, str)
            and len(value) <= self.longest
            and all(" " <= character <= "~" and character != "\\" for character in value)
        )


@dataclass(frozen=True)
class ListOf(Field):
    """A list of 1 to 64 values of one field."""

    item: Field

    @property
    def meaning(self) -> str:
        """That of the items."""
        return f"a list, each item {self.item.meaning}"

    def fits(self, value: Any) -> bool:
        """Every item fits."""
        return isinstance(value, (list, tuple)) and 1 <= len(value) <= _MOST_ITEMS and all(map(self.item.fits, value))


_OF_ANY_KIND: Mapping[str, Field] = {"active_power_mw": Real(1e6)}


def check_fields(where: str, values: Mapping[str, Any], fields: Mapping[str, Field]) -> None:
    """Hold a profile's values against the fields of its target; InputError names the first that is wrong.

    Parameters
    ----------
    where : what the profile is called in errors.
    values : as TOML or JSON gives them.
    fields : as the target declares them; those that every target has come on top.
    """
    known = {**_OF_ANY_KIND, **fields}
    for name, value in values.items():
        if name not in known:
            problem = f"{printable(name, 40)!r} is not a field of this kind of target"
            raise InputError(where, problem, name_remedy(name, sorted(known)))
        if not known[name].fits(value):
            raise InputError(where, f"{name} must be {known[name].meaning}; found {printable(repr(value), 60)}")
    for name, field in known.items():
        if field.required and name not in values:
            raise InputError(where, f"lacks {name}, {field.meaning}")
