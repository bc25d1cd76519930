"""Options of a command that are declared elsewhere, as those of forms and targets: parsed, and shown in help.

A form or a target of anybody's package gets its flags by declaring options (`edgeml.options`), and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand

from ..errors import EdgemlError, InputError, printable
from ..meant_name import name_remedy

if TYPE_CHECKING:
    from ..options import Option, Owner

__all__ = ["DeclaredOptions", "Section", "given_options"]

_GIVEN = "edgeml.cli.declared_options"
_HELP = frozenset({"--help", "-h"})


class DeclaredOptions(TyperCommand):
    """A command that takes declared options beside its own parameters; `given_options` tells what was given.

    Here they are those of forms and targets; a subclass may name other owners.
    """

    def owners(self, args: Sequence[str]) -> Iterator[Owner]:
        """Who declares the options, for a command line of these words: the form and the target asked for come first,
        and the others are looked for only if an option is none of theirs."""
        from ..options.installed import form_owner, installed_owners, target_owner
        from ..profile import load_profile

        # A form or a target that there is not is told where it is used.
        if form := _value_of(args, "--to"):
            with suppress(EdgemlError):
                yield form_owner(form)
        if target := _value_of(args, "--target") or _value_of(args, "--board"):
            with suppress(EdgemlError):
                yield target_owner(load_profile(target).kind)
        yield from installed_owners()

    def sections(self) -> list[Section]:
        """The options for help, each where it is declared first."""
        return _sections(self.owners(()))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take the declared options out of the words, then parse the others as ever."""
        if not ctx.resilient_parsing and not _HELP & set(args):
            args, ctx.meta[_GIVEN] = _split(args, self.params, _Declared(self.owners(args)))
        return super().parse_args(ctx, args)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """The command's own options, then those of each form and target."""
        super().format_options(ctx, formatter)
        for section in self.sections():
            with formatter.section(section.title):
                if section.options:
                    formatter.write_dl([(option.usage, option.description) for option in section.options])
                if section.note:
                    formatter.write_text(section.note)


def given_options(context: typer.Context, pairs: Iterable[str]) -> dict[str, str]:
    """The options given as flags and as KEY=VALUE (`pairs`), by name, as text; InputError for one given twice."""
    given: dict[str, str] = dict(context.meta.get(_GIVEN, {}))
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name.isidentifier():
            raise InputError(f"--option {pair}", "is not of the form KEY=VALUE")
        if name in given:
            raise InputError(f"--option {pair}", f"{name} is given twice")
        given[name] = value
    return given


@dataclass(frozen=True)
class Section:
    """Declared options that belong together. `note` names those of other sections that hold here, too."""

    title: str
    options: tuple[Option, ...]
    note: str = ""


def _sections(owners: Iterable[Owner]) -> list[Section]:
    shown: dict[Option, str] = {}
    found: list[Section] = []
    for owner in owners:
        new = [option for option in owner.options if option not in shown]
        groups = dict.fromkeys(option.group for option in new)
        own = [Section(_titled(owner, group), tuple(o for o in new if o.group == group)) for group in groups]
        if again := [option for option in owner.options if option in shown]:
            own = own or [Section(_titled(owner, ""), ())]
            own[0] = replace(own[0], note=_again(again, shown))
        found += own
        shown |= dict.fromkeys(new, owner.said)
    return found


def _again(options: Sequence[Option], shown: Mapping[Option, str]) -> str:
    """`As form quantized: --bits, --seed.`"""
    homes = dict.fromkeys(shown[option] for option in options)
    flags = {home: ", ".join(option.flag for option in options if shown[option] == home) for home in homes}
    return " ".join(f"As {home}: {named}." for home, named in flags.items())


def _titled(owner: Owner, group: str) -> str:
    title = f"{owner.said[:1].upper()}{owner.said[1:]}"
    return f"{title}, {group}" if group else title


def _split(args: Sequence[str], parameters: Sequence[Any], declared: _Declared) -> tuple[list[str], dict[str, str]]:
    """The words that are left without the declared options, and these by name, as text, in the order of declaration; of
    one given twice, the last.

    Raises InputError for an option that is not known, or lacks its value.
    """
    own = {name: not each.is_flag for each in parameters if each.param_type_name == "option" for name in each.opts}
    others: list[str] = []
    given: dict[str, str] = {}
    rest = list(args)
    while rest:
        word = rest.pop(0)
        flag, sign, value = word.partition("=")
        if word == "--":
            others += [word, *rest]
            break
        if flag in own or not word.startswith("--"):
            others.append(word)
            if own.get(word) and rest:
                others.append(rest.pop(0))
            continue
        name, alone = declared.named(flag, own)
        if sign and alone == "false":
            raise InputError(f"option {flag}", "takes no value")
        if not sign:
            if not alone and not rest:
                raise InputError(f"option {flag}", "needs a value", "See --help")
            value = alone or rest.pop(0)
        given[name] = value
    return others, {name: given[name] for name in declared.in_order(given)}


class _Declared:
    """The options that a command line may use: those of its form and target, found first, and all others."""

    def __init__(self, further: Iterator[Owner]) -> None:
        self._owners: list[Owner] = []
        self._further = further

    def named(self, flag: str, own: Iterable[str]) -> tuple[str, str]:
        """The option's name, and its value if the flag stands alone (text; "" if it does not). InputError if there is
        none; `own` are the command's own flags, one of which may be meant."""
        for owner in self._each_owner():
            for option in owner.options:
                truth = option.kind.metavar == ""
                if flag == option.flag:
                    return option.name, "true" if truth else ""
                if truth and flag == option.negation:
                    return option.name, "false"
        known = dict.fromkeys((*own, *(o.flag for owner in self._each_owner() for o in owner.options)))
        raise InputError(f"option {printable(flag, 60)}", "is not known", name_remedy(flag, known, "See --help"))

    def in_order(self, names: Iterable[str]) -> list[str]:
        """The names as they are declared: the same options in another order make the same manifest."""
        wanted, ordered = set(names), dict[str, None]()
        for owner in self._each_owner() if wanted else ():
            ordered |= dict.fromkeys(option.name for option in owner.options if option.name in wanted)
            if len(ordered) == len(wanted):
                break
        return list(ordered)

    def _each_owner(self) -> Iterator[Owner]:
        yield from self._owners
        for owner in self._further:
            self._owners.append(owner)
            yield owner


def _value_of(args: Sequence[str], flag: str) -> str:
    """What the words say behind a flag; "" if they do not."""
    found = ""
    for word, following in pairwise((*args, "")):
        if word == flag or word.startswith(f"{flag}="):
            found = word.partition("=")[2] if "=" in word else following
    return found
