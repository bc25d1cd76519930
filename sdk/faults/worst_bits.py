"""The single bits whose flip does most harm: a search that looks at the likeliest first, within a budget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .curve import Budget, Samples
from .flips import flipped
from .stored_form import ACTIVATIONS, Place, StoredForm

__all__ = ["WorstBit", "worst_bits"]

_SCREEN = 48
"""Samples on which all bits are looked at; the worst of them are looked at on all."""
_FINAL = 4
"""How many times the bits that are wanted are looked at on all samples."""


@dataclass(frozen=True)
class WorstBit:
    """A bit, and the share of right answers with it flipped."""

    place: Place
    right: float

    def as_json(self) -> dict[str, Any]:
        """JSON-able."""
        return {**self.place.as_json(), "right": self.right}


def worst_bits(
    form: StoredForm,
    samples: Samples,
    where: Sequence[str],
    count: int,
    *,
    seed: int,
    budget: Budget,
    announce: Callable[[str], None] = lambda what: None,
) -> tuple[list[WorstBit], int, int]:
    """The `count` worst bits found, worst first; how many bits were looked at, and of how many.

    The highest bit of each byte comes first, in an order drawn from the seed, then the next one: what is looked at when
    the budget ends is nearly always what weighs most. Equal ones in the order of memory.
    """
    stored = [form.bits(place) for place in where if place != ACTIVATIONS]
    bits = np.unique(np.concatenate(stored)) if stored else np.zeros(0, np.int64)
    if not len(bits) or not count:
        return [], 0, len(bits)
    generator = np.random.default_rng((seed, 1))
    order = bits[np.lexsort((generator.permutation(len(bits)), -(bits % 8)))]
    rows = np.unique(np.linspace(0, len(samples.q) - 1, min(_SCREEN, len(samples.q))).astype(np.int64))
    few, truth = samples.q[rows], samples.truth[rows]
    plain = form.golden(form.content, few).astype(np.float64)
    screened: list[tuple[float, float, int]] = []
    for number, bit in enumerate(order.tolist()):
        if budget.spent:
            break
        if number % 256 == 0:
            announce(f"bit {number:,} of {len(bits):,}")
        outputs = form.golden(flipped(form.content, np.array([bit])), few)
        right = float((samples.decide(outputs) == truth).mean())
        # Where no answer changes, how far outputs move says which bit is nearer to changing one.
        screened.append((right, -float(np.abs(outputs - plain).mean()), bit))
    screened.sort()
    finalists = [bit for *_, bit in screened[: _FINAL * count]]
    judged = [(samples.right(form.golden(flipped(form.content, np.array([bit])), samples.q)), bit) for bit in finalists]
    judged.sort()
    return [WorstBit(form.place(bit), right) for right, bit in judged[:count]], len(screened), len(bits)
