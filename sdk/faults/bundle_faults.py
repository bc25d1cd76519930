"""`edgeml verify --faults`: what flipped bits do to a bundle, kept in its manifest and report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..bundle import Bundle
from ..bundle_metrics import with_metrics
from ..data.dataset import load_dataset
from ..errors import CheckFailed, InputError
from ..network import decisions, simulate
from ..network.task import VALUES
from ..plugins.executor import HoldsConstants, executors
from .curve import Budget, Samples, fault_curve
from .stored_form import ACTIVATIONS, PLACES, STATE, StoredForm
from .worst_bits import worst_bits

__all__ = ["FaultSettings", "bundle_faults", "stored_form"]


@dataclass(frozen=True)
class FaultSettings:
    """What is asked.

    Parameters
    ----------
    rates : probabilities with which each bit flips. where : of `PLACES`.
    draws : networks drawn for each rate. seed : of all draws.
    compared : samples of each draw that the artifact runs beside the definition.
    worst : how many of the most harmful bits are named; 0 for none.
    seconds : processor time of the search, a third of it for the worst bits.
    """

    rates: tuple[float, ...]
    where: tuple[str, ...]
    draws: int = 10
    seed: int = 0
    compared: int = 16
    worst: int = 10
    seconds: float = 60.0

    def __post_init__(self) -> None:
        if not self.rates or not all(0 < rate <= 1 for rate in self.rates):
            raise InputError(
                "--faults", f"must be rates above 0 and at most 1, found {list(self.rates)}", "Give them as 1e-4,1e-3"
            )
        if not self.where or (unknown := sorted(set(self.where) - set(PLACES))):
            raise InputError("--where", f"knows {', '.join(PLACES)}, found {', '.join(unknown or ['nothing'])}")


def stored_form(bundle: Bundle) -> StoredForm:
    """The stored form of a bundle's artifact, of the first executor that has one; InputError where none has."""
    for entry in executors(bundle.words()).values():
        executor = entry.load()
        if isinstance(executor, HoldsConstants) and executor.applies(bundle):
            return executor.stored(bundle)
    raise InputError(
        f"bundle {bundle.folder}",
        f"is for {bundle.profile.name}, whose artifact does not say how its constants lie in memory",
        "Faults are defined for C of microcontrollers: convert for one, as --target cortex-m4",
    )


def bundle_faults(
    bundle: Bundle,
    settings: FaultSettings,
    data: Path | None = None,
    announce: Callable[[str], None] = lambda what: None,
) -> dict[str, Any]:
    """Draw faults, compare the artifact with the definition, find the worst bits. JSON-able, also kept as the bundle's
    metric `faults`, which the report shows.

    data : a data file with classes, whose held-back samples are judged; None: the bundle's own samples (its test
    vectors where it keeps none), judged by the class that the network has for them without flips.

    Raises InputError where there is nothing that can flip, the network gives values and not classes, or `state` is
    asked of a network that keeps none.
    """
    _refuse(bundle, settings)
    form = stored_form(bundle)
    samples = _samples(bundle, data)
    plain = form.golden(form.content, samples.q)
    _same_without_flips(bundle, form, samples, plain)
    budget = Budget(settings.seconds * (2 / 3 if settings.worst else 1))
    rates, compared = fault_curve(
        form,
        samples,
        settings.rates,
        settings.where,
        draws=settings.draws,
        seed=settings.seed,
        compared=settings.compared,
        budget=budget,
        announce=announce,
    )
    if not rates:
        raise InputError("--fault-limit", f"of {settings.seconds:g} s was spent before one draw was made", "Allow more")
    worst, looked, of = worst_bits(
        form,
        samples,
        settings.where,
        settings.worst,
        seed=settings.seed,
        budget=Budget(settings.seconds / 3),
        announce=lambda what: announce(f"worst bits: {what}"),
    )
    document = {
        **_asked(form, settings, samples),
        "without": samples.right(plain),
        "rates": [rate.as_json() for rate in rates],
        "devices": [each.as_json() for each in compared],
        "worst_bits": [each.as_json() for each in worst],
        "looked_at": looked,
        "of_bits": of,
    }
    with_metrics(bundle, {"faults": document})
    return document


def _refuse(bundle: Bundle, settings: FaultSettings) -> None:
    if bundle.network.task == VALUES:
        raise InputError(f"bundle {bundle.folder}", "gives values, not classes, so that no share of answers is right")
    if STATE in settings.where:
        raise InputError(
            "--where state",
            "is not defined: what a network keeps from one inference to the next is not flipped",
            f"Use {', '.join(place for place in PLACES if place != STATE)}",
        )


def _asked(form: StoredForm, settings: FaultSettings, samples: Samples) -> dict[str, Any]:
    """What was asked, of what: the first entries of the document."""
    bits = {place: len(form.bits(place)) for place in settings.where if place != ACTIVATIONS}
    if ACTIVATIONS in settings.where:
        bits[ACTIVATIONS] = 8 * sum(form.tensors.values())
    return {
        "where": list(settings.where),
        "seed": settings.seed,
        "samples": len(samples.q),
        "judged": "classes of the data" if samples.labelled else "classes of the network without flips",
        "bits": bits,
        "asked_draws": settings.draws,
        "excluded": [{"layer": each.layer, "array": each.array, "reason": each.reason} for each in form.excluded],
    }


def _samples(bundle: Bundle, data: Path | None) -> Samples:
    network = bundle.network

    def decide(outputs: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        return decisions(network, outputs)

    if data is not None:
        dataset = load_dataset(data, labels=network.output.labels)
        y = dataset.y_test
        if y is None or y.dtype.kind not in "iu" or not len(dataset.x_test):
            raise InputError(str(data), "has no held-back samples with classes", "Give x_test and y_test")
        return Samples(bundle.quantize(dataset.x_test), y.astype(np.int64), True, decide)
    kept = bundle.samples()
    q = bundle.golden()[0] if kept is None else bundle.quantize(kept[0])
    return Samples(q, decide(simulate(network, q)), False, decide)


def _same_without_flips(bundle: Bundle, form: StoredForm, samples: Samples, plain: npt.NDArray[Any]) -> None:
    """CheckFailed where the definition of stored bytes is not the golden simulator when none is flipped."""
    if not np.array_equal(plain, simulate(bundle.network, samples.q)):
        raise CheckFailed(f"bundle {bundle.folder}", "its stored constants are not read as its network, unflipped")
