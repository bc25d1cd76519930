"""What the value of an option may be, and how it is read: text from the command line as well as values from Python."""

from __future__ import annotations

import json
import math
import numbers
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..errors import InputError, printable

__all__ = ["Choice", "Flag", "Kind", "Real", "Structured", "Text", "Whole", "shown"]

_LONGEST_NUMBER = 40
_LONGEST_TEXT = 1000
_LONGEST_STRUCTURE = 2**16
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def shown(value: Any) -> str:
    """A value that was found, for a message; whatever it is."""
    try:
        return printable(repr(value), 60)
    except Exception:  # the value is the user's: an integer of 5000 digits and objects of any class refuse repr
        return f"a value of type {printable(type(value).__name__, 40)}"


class Kind(ABC):
    """A kind of value. Values that do not fit are refused with `meaning`."""

    @property
    @abstractmethod
    def meaning(self) -> str:
        """What the value must be, for people; follows "must be"."""

    @property
    def metavar(self) -> str:
        """What stands for the value in help, behind the flag."""
        return "TEXT"

    @property
    def told(self) -> str:
        """The meaning as a sentence for help; "" if `metavar` says it all."""
        return f"{self.meaning[:1].upper()}{self.meaning[1:]}."

    @abstractmethod
    def read(self, value: Any) -> Any:
        """The value as the bundle's manifest keeps it (JSON-able): text of a number becomes that number.

        Raises ValueError if it is not of this kind, or an InputError that says more.
        """

    def meant(self, read: Any) -> Any:
        """What a value that `read` gave means to the form or the target."""
        return read


@dataclass(frozen=True)
class Whole(Kind):
    """A whole number from `low` to `high`."""

    low: int
    high: int

    @property
    def meaning(self) -> str:
        """The bounds."""
        return f"a whole number in {self.low} … {_bound(self.high)}"

    @property
    def metavar(self) -> str:
        """N."""
        return "N"

    def read(self, value: Any) -> int:
        """Text of an integer, or an integer of Python or numpy; a bool is not a number here."""
        number = _integer_of(value)
        if number is None or not self.low <= number <= self.high:
            raise ValueError
        return number


@dataclass(frozen=True)
class Real(Kind):
    """A finite number from `low` to `high`; `open_low`: above `low`."""

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False

    @property
    def meaning(self) -> str:
        """The bounds, if there are any."""
        if self.open_low:
            return f"a number above {self.low:g}, at most {self.high:g}"
        if math.isinf(self.low) and math.isinf(self.high):
            return "a finite number"
        return f"a number in {self.low:g} … {self.high:g}"

    @property
    def metavar(self) -> str:
        """X."""
        return "X"

    def read(self, value: Any) -> int | float:
        """Text of a number, or a number of Python or numpy; whole numbers stay whole."""
        number = _real_of(value)
        if number is None or not self.low <= number <= self.high or (self.open_low and number == self.low):
            raise ValueError
        return number

    def meant(self, read: Any) -> float:
        """As a float."""
        return float(read)


@dataclass(frozen=True)
class Flag(Kind):
    """true or false; on the command line, the flag alone means true."""

    @property
    def meaning(self) -> str:
        """Both."""
        return "true or false"

    @property
    def metavar(self) -> str:
        """None: the flag stands alone."""
        return ""

    @property
    def told(self) -> str:
        """Nothing: who writes the flag means true."""
        return ""

    def read(self, value: Any) -> bool:
        """true, yes or 1, and false, no or 0, as text or as values."""
        if isinstance(value, bool):
            return value
        if not isinstance(value, (str, int)) or str(value)[:10].lower() not in _TRUTH:
            raise ValueError
        return _TRUTH[str(value).lower()]


@dataclass(frozen=True)
class Choice(Kind):
    """One of some words."""

    words: tuple[str, ...]

    @property
    def meaning(self) -> str:
        """The words."""
        return " or ".join(self.words) if len(self.words) <= 2 else f"one of {', '.join(self.words)}"

    @property
    def metavar(self) -> str:
        """The words if they are few, else NAME."""
        together = "|".join(self.words)
        return together if len(together) <= 24 else "NAME"

    @property
    def told(self) -> str:
        """The words, if they are too many for `metavar`."""
        return "" if self.metavar != "NAME" else super().told

    def read(self, value: Any) -> str:
        """A word, spelled so."""
        if not isinstance(value, str) or value not in self.words:
            raise ValueError
        return str(value)


@dataclass(frozen=True)
class Text(Kind):
    """Any printable text of 1 to 1000 characters."""

    @property
    def meaning(self) -> str:
        """Its length."""
        return f"printable text of 1 to {_LONGEST_TEXT} characters"

    def read(self, value: Any) -> str:
        """The text as it is."""
        if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_TEXT or not value.isprintable():
            raise ValueError
        return str(value)


@dataclass(frozen=True)
class Structured(Kind):
    """A value of a syntax of its own, as text or as mappings, lists and numbers.

    Parameters
    ----------
    form : stands for the value in help, such as `LAYER=BITS,…`.
    said : what the value must be; follows "must be".
    parse : gives what the value means; raises ValueError, or an InputError that says more.
    """

    form: str
    said: str
    parse: Callable[[Any], Any]

    @property
    def meaning(self) -> str:
        """As it was said."""
        return self.said

    @property
    def metavar(self) -> str:
        """The form."""
        return self.form

    @property
    def told(self) -> str:
        """Nothing beside the form."""
        return ""

    def read(self, value: Any) -> Any:
        """The value as it was given; text of a number becomes that number, if it means the same."""
        if isinstance(value, str):
            if len(value) > _LONGEST_STRUCTURE:
                raise ValueError
            return self._number_meant(value, self._parsed(value))
        self._parsed(value)
        try:
            text = json.dumps(value, allow_nan=False)
        except (TypeError, OverflowError, RecursionError):
            raise ValueError from None
        if len(text) > _LONGEST_STRUCTURE:
            raise ValueError
        return value

    def meant(self, read: Any) -> Any:
        """What `parse` gives."""
        return self._parsed(read)

    def _parsed(self, value: Any) -> Any:
        """What the value means; ValueError also where the parser trips over a value that it did not expect."""
        try:
            return self.parse(value)
        except (TypeError, AttributeError, LookupError, ArithmeticError):
            raise ValueError from None

    def _number_meant(self, text: str, meant: Any) -> str | int | float:
        number = _real_of(text)
        try:
            return text if number is None or self._parsed(number) != meant else number
        except (ValueError, InputError):
            return text


def _bound(high: int) -> str:
    """An upper bound for people: large powers of two as such."""
    if high >= 2**20 and (high & (high + 1)) == 0:
        return f"2^{(high + 1).bit_length() - 1} − 1"
    return str(high)


def _integer_of(value: Any) -> int | None:
    """`value` as an int if it is one or its text; None else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            return int(value) if len(value) <= _LONGEST_NUMBER else None
        except ValueError:
            return None
    try:
        return operator.index(value)
    except Exception:  # the value is the user's: its class may refuse in any way
        return None


def _real_of(value: Any) -> int | float | None:
    """`value` as a finite number if it is one or its text, whole numbers as int; None else."""
    if (whole := _integer_of(value)) is not None:
        return whole
    if isinstance(value, bool) or not isinstance(value, (str, numbers.Real)):
        return None
    if isinstance(value, str) and len(value) > _LONGEST_NUMBER:
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
