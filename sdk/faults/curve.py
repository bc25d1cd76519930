"""Accuracy over rates of flipped bits, and whether the artifact computes what the definition says at each."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import EdgemlError
from .flips import drawn, flipped, masks
from .stored_form import ACTIVATIONS, Bytes, Disturbed, StoredForm

__all__ = ["Budget", "Compared", "Draw", "Rate", "Samples", "fault_curve"]

_AT_ONCE = 2048
"""Samples that the definition computes together."""


@dataclass(frozen=True, eq=False)
class Samples:
    """What flipped networks are judged on.

    Parameters
    ----------
    q : input integers [samples, inputs].
    truth : the class of each sample, or the answer of the network without flips where classes are not known.
    labelled : which of the two.
    decide : classes [samples] of output integers [samples, outputs].
    """

    q: npt.NDArray[np.int32]
    truth: npt.NDArray[np.int64]
    labelled: bool
    decide: Callable[[npt.NDArray[Any]], npt.NDArray[np.int64]]

    def right(self, outputs: npt.NDArray[Any]) -> float:
        """The share of samples answered as the truth has it."""
        return float((self.decide(outputs) == self.truth).mean())


@dataclass(frozen=True)
class Compared:
    """What an artifact gave beside the definition: vectors that were compared, and how many of them differ.
    error : why it did not run, or what stopped it. failed : whether it was the artifact that failed."""

    device: str
    vectors: int = 0
    mismatches: int = 0
    error: str = ""
    failed: bool = False

    def as_json(self) -> dict[str, Any]:
        """JSON-able."""
        found = {"name": self.device, "vectors": self.vectors, "mismatches": self.mismatches}
        return {**found, "failed": self.failed, "error": self.error}


@dataclass(frozen=True)
class Draw:
    """One network with flipped bits: how many, and its share of right answers."""

    bits: int
    right: float


@dataclass(frozen=True)
class Rate:
    """Draws at one rate."""

    rate: float
    draws: tuple[Draw, ...]

    def as_json(self) -> dict[str, Any]:
        """`mean`, `worst`, `best`, the standard deviation `spread`, and the mean number of flipped `bits`."""
        shares = np.array([draw.right for draw in self.draws])
        return {
            "rate": self.rate,
            "draws": len(shares),
            "bits": float(np.mean([draw.bits for draw in self.draws])),
            "mean": float(shares.mean()),
            "spread": float(shares.std()),
            "worst": float(shares.min()),
            "best": float(shares.max()),
        }


class Budget:
    """Processor time of this process that a search may take."""

    def __init__(self, seconds: float) -> None:
        self._end = time.process_time() + seconds

    @property
    def spent(self) -> bool:
        """Whether it is used up."""
        return time.process_time() >= self._end


def fault_curve(
    form: StoredForm,
    samples: Samples,
    rates: Sequence[float],
    where: Sequence[str],
    *,
    draws: int,
    seed: int,
    compared: int,
    budget: Budget,
    announce: Callable[[str], None] = lambda what: None,
) -> tuple[list[Rate], list[Compared]]:
    """Draw networks at each rate, in turn one for each, until there are `draws` of all or the budget is spent.

    where : of `PLACES`. compared : samples of each draw that every device of the form runs, too; the same ones in each
    draw, spread over all. Rates without any draw are left out. The same seed gives the same flips, whatever the budget.
    """
    found: dict[float, list[Draw]] = {rate: [] for rate in rates}
    devices = {name: Compared(name) for name in form.devices}
    devices |= {name: Compared(name, error=missing) for name, missing in form.absent.items()}
    bits = [form.bits(place) for place in where if place != ACTIVATIONS]
    stored = np.unique(np.concatenate(bits)) if bits else np.zeros(0, np.int64)
    rows = np.unique(np.linspace(0, len(samples.q) - 1, min(compared, len(samples.q))).astype(np.int64))
    for draw in range(draws):
        for number, rate in enumerate(rates):
            if budget.spent:
                announce("the budget of processor time is spent")
                break
            announce(f"rate {rate:g}, draw {draw + 1} of {draws}")
            generator = np.random.default_rng((seed, draw, number))
            chosen = drawn(stored, rate, generator)
            content = flipped(form.content, chosen)
            disturbed = None
            if ACTIVATIONS in where:
                disturbed = {name: masks(len(samples.q), size, rate, generator) for name, size in form.tensors.items()}
            outputs = _in_parts(form, content, samples.q, disturbed)
            count = len(chosen) + sum(int(np.unpackbits(mask).sum()) for mask in (disturbed or {}).values())
            found[rate].append(Draw(count, samples.right(outputs)))
            for name in form.devices:
                if not devices[name].error and len(rows):
                    devices[name] = _beside(form, devices[name], content, samples.q, disturbed, rows, outputs)
    return [Rate(rate, tuple(each)) for rate, each in found.items() if each], list(devices.values())


def _in_parts(
    form: StoredForm, content: Bytes, q: npt.NDArray[np.int32], disturbed: Disturbed | None
) -> npt.NDArray[Any]:
    parts = []
    for first in range(0, len(q), _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        parts.append(form.golden(content, q[part], _rows(disturbed, part)))
    return np.concatenate(parts)


def _rows(disturbed: Disturbed | None, rows: Any) -> Disturbed | None:
    return None if disturbed is None else {name: mask[rows] for name, mask in disturbed.items()}


def _beside(
    form: StoredForm,
    so_far: Compared,
    content: Bytes,
    q: npt.NDArray[np.int32],
    disturbed: Disturbed | None,
    rows: npt.NDArray[np.int64],
    outputs: npt.NDArray[Any],
) -> Compared:
    """With these rows compared, too."""
    try:
        given = form.device(so_far.device, content, q[rows], _rows(disturbed, rows))
    except EdgemlError as error:
        return replace(so_far, error=str(error), failed=True)
    wrong = int((given != outputs[rows]).any(axis=1).sum())
    return replace(so_far, vectors=so_far.vectors + len(rows), mismatches=so_far.mismatches + wrong)
