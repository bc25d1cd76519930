"""The options of all installed forms and targets: for errors that say where an option belongs, for help and docs."""

from __future__ import annotations

from ..errors import EdgemlError
from ..plugins.converter import CONVERTERS
from ..plugins.target import TARGETS
from .checking import Owner, owner_of

__all__ = ["form_owner", "installed_owners", "target_owner"]


def form_owner(name: str) -> Owner:
    """The form of that name; InputError if it is not known."""
    return owner_of(f"form {name}", f"Use --to {name}", CONVERTERS.load(name))


def target_owner(kind: str) -> Owner:
    """The target for hardware of that kind; InputError if it is not known."""
    return owner_of(f"targets of kind {kind}", f"Use a --target of kind {kind}", TARGETS.load(kind))


def installed_owners() -> list[Owner]:
    """All forms, then all targets, by name. A package that cannot be imported, or declares nonsense, is left out: what
    is asked is about the others."""
    found = []
    for names, owner in ((CONVERTERS.all(), form_owner), (TARGETS.all(), target_owner)):
        for name in names:
            try:
                found.append(owner(name))
            except EdgemlError:
                continue
    return found
