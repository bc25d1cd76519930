"""A declaration: one option of a form or a target."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from ..errors import InputError
from ..meant_name import name_remedy
from .kinds import Choice, Kind, shown

__all__ = ["Option", "TakesOptions"]

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True)
class Option:
    """One option: its name, what its value may be, and what it does.

    Parameters
    ----------
    name : lower-case letters, digits and underscores; `weight_bits` is `--weight-bits` on the command line.
    kind : what the value may be (see `kinds`).
    help : one sentence, what it does.
    default : what holds if it is not given; None: what `otherwise` says.
    otherwise : in words, what holds if it is not given and there is no one default.
    group : of which use of the form it is, such as `--encoding rate`; "" for all of them.
    explored : the values that `edgeml explore` tries; () if it leaves the option alone.
    """

    name: str
    kind: Kind
    help: str
    default: Any = None
    otherwise: str = ""
    group: str = ""
    explored: tuple[Any, ...] = ()

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"an option's name is of a-z, 0-9 and _, found {self.name!r}")
        for value in (self.default, *self.explored):
            if value is not None:
                self._require(value)

    def _require(self, value: Any) -> None:
        try:
            self.kind.read(value)
        except ValueError:
            raise ValueError(f"option {self.name}: {value!r} is not {self.kind.meaning}") from None

    @property
    def flag(self) -> str:
        """As on the command line."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def negation(self) -> str:
        """The flag that says false, of one that is true or false."""
        return f"--no-{self.flag[2:]}"

    @property
    def usage(self) -> str:
        """The flag and what stands for its value."""
        return f"{self.flag} {self.kind.metavar}".rstrip()

    @property
    def default_said(self) -> str:
        """What holds if the option is not given, in words."""
        if self.default is None:
            return self.otherwise
        if isinstance(self.default, tuple):
            return ",".join(map(str, self.default))
        return str(self.default).lower() if isinstance(self.default, bool) else str(self.default)

    @property
    def description(self) -> str:
        """The help, with the range and the default, on one line."""
        default = f"Default: {self.default_said}." if self.default_said and self.default is not False else ""
        if self.default is True:
            default = f"{self.negation} turns it off."
        return " ".join(part for part in (self.help, self.kind.told, default) if part)

    def read(self, value: Any) -> Any:
        """The value as the manifest keeps it; InputError if it does not fit, with the range and what was found."""
        try:
            return self.kind.read(value)
        except ValueError:
            problem = f"must be {self.kind.meaning}, found {shown(value)}"
        raise InputError(f"option {self.name}", problem, self._remedy(value))

    def meant(self, value: Any) -> Any:
        """What a given value means to the form or the target; InputError if it does not fit."""
        return self.kind.meant(self.read(value))

    def _remedy(self, value: Any) -> str:
        if not isinstance(self.kind, Choice) or not isinstance(value, str):
            return ""
        return name_remedy(value, self.kind.words, "")


@runtime_checkable
class TakesOptions(Protocol):
    """A form or a target that takes options."""

    @property
    def options(self) -> tuple[Option, ...]:
        """Its declarations. A name may be declared twice with different groups, if uses of a form differ in it."""
        ...
