"""Kinds that a package of a test added are forgotten behind it: edgeml keeps the classes that were defined."""

from __future__ import annotations

from collections.abc import Collection

from edgeml.frontends.float_operators import operator
from edgeml.network import layer

__all__ = ["forget_kinds"]


def forget_kinds(modules: Collection[str]) -> None:
    """Forget the layers and float operators that these modules define."""
    layers, operators = layer._KINDS, operator._KINDS
    for kind in [kind for kind, found in layers.items() if found.__module__ in modules]:
        del layers[kind]
    for kind in [kind for kind, found in operators.items() if found.__module__ in modules]:
        del operators[kind]
