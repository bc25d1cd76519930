"""What a user gave as options, held against the declarations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import InputError, printable
from ..meant_name import name_remedy
from .kinds import shown
from .option import Option, TakesOptions

__all__ = ["Owner", "check_options", "owner_of", "read_values"]


@dataclass(frozen=True)
class Owner:
    """A form or a target as the owner of options.

    Parameters
    ----------
    said : for people, such as `form spiking`.
    remedy : how to convert with it, such as `Use --to spiking`.
    options : its declarations.
    """

    said: str
    remedy: str
    options: tuple[Option, ...]

    def declared(self, name: str) -> tuple[Option, ...]:
        """The declarations of that name; several, if uses of a form differ in it."""
        return tuple(option for option in self.options if option.name == name)

    def own(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Those of the options given that it takes."""
        return {name: value for name, value in given.items() if self.declared(name)}


def owner_of(said: str, remedy: str, plugin: object) -> Owner:
    """A plugin as an owner of options, of none if it takes none; InputError if what it declares are not options."""
    options = plugin.options if isinstance(plugin, TakesOptions) else ()
    if not isinstance(options, tuple) or not all(isinstance(option, Option) for option in options):
        raise InputError(said, "declares options that are not a tuple of edgeml.options.Option", "Ask its author")
    return Owner(said, remedy, options)


def check_options(
    given: Mapping[str, Any], owners: Sequence[Owner], elsewhere: Callable[[], Iterable[Owner]] = tuple
) -> dict[str, Any]:
    """The options that the user gave, each read by the declarations of its owners; those that are None left out.

    Parameters
    ----------
    given : by name; values as text or as Python's.
    owners : the form and the target of the conversion.
    elsewhere : the other forms and targets; called only to say where an option belongs.

    Raises
    ------
    InputError : an option is not known here (with where it belongs, or what was meant), or its value does not fit.
    """
    if not isinstance(given, Mapping):
        raise InputError("options", f"must be a mapping of names to values, found {shown(given)}")
    checked: dict[str, Any] = {}
    for name, value in given.items():
        if value is None:
            continue
        declared = [each for owner in owners if (each := owner.declared(name))]
        if not declared:
            raise _not_known(name, owners, elsewhere)
        for declarations in declared:
            checked[name] = _read(declarations, value)
    return checked


def read_values(options: Iterable[Option], given: Mapping[str, Any]) -> dict[str, Any]:
    """What each of the options means: as given, else its default (None if there is no one default).

    `options` declare each name once. Raises InputError as `check_options` does.
    """
    declared = tuple(options)
    checked = check_options(given, [Owner("", "", declared)])
    return {
        option.name: option.meant(checked[option.name]) if option.name in checked
        else None if option.default is None else option.meant(option.default)
        for option in declared
    }  # fmt: skip


def _read(declarations: Sequence[Option], value: Any) -> Any:
    """The value by the first declaration that it fits; InputError with all that it may be."""
    for option in declarations[:-1]:
        try:
            return option.read(value)
        except InputError:
            continue
    if len({option.kind.meaning for option in declarations}) == 1:
        return declarations[-1].read(value)
    try:
        return declarations[-1].read(value)
    except InputError as error:
        meanings = dict.fromkeys(f"{o.kind.meaning}{f' ({o.group})' if o.group else ''}" for o in declarations)
        raise InputError(error.where, f"must be {', or '.join(meanings)}; found {shown(value)}") from None


def _not_known(name: Any, owners: Sequence[Owner], elsewhere: Callable[[], Iterable[Owner]]) -> InputError:
    """The error for an option that none of the owners takes."""
    if not isinstance(name, str):
        return InputError(f"option {shown(name)}", "is not known: names of options are text")
    here = " and ".join(owner.said for owner in owners if owner.said)
    where, known = f"option {printable(name, 60)}", dict.fromkeys(o.name for owner in owners for o in owner.options)
    others = [owner for owner in elsewhere() if owner.declared(name)]
    if others:
        problem = f"belongs to {' and '.join(owner.said for owner in others)}, not to {here}"
        return InputError(where, problem, f"{others[0].remedy}, or leave it out")
    remedy = name_remedy(name.replace("-", "_"), sorted(known))
    return InputError(where, f"is not known{f' to {here}' if here else ''}", remedy)
