"""How a target finds what it knows of a kind of layer: in a file of edgeml's own, or in a package of somebody's."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, Protocol, TypeVar

from edgeml.errors import EdgemlError, InputError
from edgeml.registry import Registry

__all__ = ["LayerKinds"]


class _OfKind(Protocol):
    """Something that says which kind of layer it is for."""

    @property
    def kind(self) -> str: ...


T = TypeVar("T", bound=_OfKind)


@dataclass(frozen=True)
class LayerKinds(Generic[T]):
    """Things of one class, one for each kind of layer. Nothing is imported before it is asked for by its kind.

    Parameters
    ----------
    package : a package of edgeml's with a module for each kind, called after it. attribute : the thing in the module.
    group : of the entry points by which other packages add kinds: the name is the kind, the value the thing.
    what : the word for such a thing in errors. cls : its class.
    """

    package: str
    attribute: str
    group: str
    what: str
    cls: type[T]

    @cached_property
    def own(self) -> frozenset[str]:
        """The kinds that edgeml has itself."""
        return frozenset(module.name for module in pkgutil.iter_modules(importlib.import_module(self.package).__path__))

    @cached_property
    def _others(self) -> Registry[T]:
        return Registry(self.group, self.what, self.cls)

    def names(self) -> list[str]:
        """All kinds: edgeml's own, and those of installed packages."""
        return sorted({*self.own, *self._others.all()})

    def get(self, kind: str) -> T | None:
        """The thing for a kind; None if nobody has one.

        Raises InputError if what an installed package offers under that name is of another kind, and what
        `Registered.load` raises.
        """
        where = f"{self.what} {kind!r}"
        if kind in self.own:
            found = getattr(importlib.import_module(f"{self.package}.{kind}"), self.attribute)
        else:
            others = self._others.all()
            if kind not in others:
                return None
            found = others[kind].load()
        if not isinstance(found, self.cls) or found.kind != kind:
            raise InputError(
                where, f"must be a {self.cls.__name__} of that kind, found {type(found).__name__}", "Mend its package"
            )
        return found

    def having(self, has: Callable[[T], bool]) -> list[str]:
        """The kinds whose thing has something. Packages that cannot be imported are left out."""
        kinds = []
        for kind in self.names():
            try:
                found = self.get(kind)
            except EdgemlError:
                continue
            if found is not None and has(found):
                kinds.append(kind)
        return kinds
