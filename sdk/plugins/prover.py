"""What can prove something of a bundle for all inputs must offer: a prover."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar, runtime_checkable

from ..proof.findings import Findings
from ..registry import Registered, Registry

__all__ = ["PROVERS", "Prover", "provers"]

_Bundle = TypeVar("_Bundle", contravariant=True)
"""Always `edgeml.bundle.Bundle`."""


@runtime_checkable
class Prover(Protocol[_Bundle]):
    """Proves what one kind of artifact computes. Its name is the folder of its certificate below `proof/`."""

    def applies(self, bundle: _Bundle) -> bool:
        """Whether the bundle holds what this prover is about."""
        ...

    def missing(self, bundle: _Bundle) -> str:
        """Empty if it can run here; else what is missing and how to install it. Must be quick."""
        ...

    def prove(self, bundle: _Bundle, *, announce: Callable[[str], None], seconds: float) -> Findings:
        """What is found within so much processor time. Raises EdgemlError where the artifact cannot be read at all."""
        ...


PROVERS: Registry[Prover[Any]] = Registry("edgeml.provers", "prover", Prover)  # type: ignore[type-abstract]


def provers(words: Iterable[str]) -> dict[str, Registered[Prover[Any]]]:
    """The provers for a bundle with these words (`Bundle.words`) by name. None of them is imported."""
    return PROVERS.fitting(words)
