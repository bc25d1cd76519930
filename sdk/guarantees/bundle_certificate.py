"""`edgeml certify`: the samples of a bundle certified, and what was found kept in its manifest and report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..bundle import Bundle
from ..bundle_metrics import with_metrics
from ..data.dataset import load_dataset
from ..errors import InputError
from .certify import certify

__all__ = ["certify_bundle"]


def certify_bundle(
    bundle: Bundle,
    data: Path | None,
    radii: Sequence[int],
    *,
    samples: int,
    boxes: int,
    announce: Callable[[str], None] = lambda what: None,
) -> dict[str, Any]:
    """Certify samples of a bundle; JSON-able, also kept as the bundle's metric `certificate`, which the report shows.

    data : a data file, whose held-back samples are taken; None: the real samples that the bundle keeps.
    samples : the most, spread evenly. boxes : see `certify`.

    `radii` has, for each radius, the shares `certified`, `changed` and `open`, and, where classes are known, `right`:
    certified and answered rightly. `median` is the median of the largest radii; `exact` the share of samples whose
    largest radius is known exactly.

    Raises InputError where there are no samples, they do not fit, or the network gives values.
    """
    x, y = _samples(bundle, data)
    taken = np.unique(np.linspace(0, len(x) - 1, min(samples, len(x))).astype(np.int64))
    q = bundle.quantize(x[taken])
    found = certify(
        bundle.network, q, radii, boxes=boxes, told=lambda done, of: announce(f"certifying sample {done} of {of}")
    )
    rows = []
    for radius in sorted(set(radii)):
        row: dict[str, Any] = {"radius": int(radius), **found.shares(radius)}
        if y is not None:
            held = found.certified >= min(radius, found.most)
            row["right"] = float((held & (found.classes == y[taken])).mean())
        rows.append(row)
    document = {
        "samples": len(taken),
        "levels": found.most + 1,
        "radii": rows,
        "median": float(np.median(found.certified)),
        "exact": found.exact,
    }
    with_metrics(bundle, {"certificate": document})
    return document


def _samples(bundle: Bundle, data: Path | None) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64] | None]:
    """Samples, and the class of each where it is known."""
    if data is None:
        kept = bundle.samples()
        if kept is None:
            raise InputError(str(bundle.folder), "keeps no real samples", "Pass some: --data FILE")
        return kept[0], None
    dataset = load_dataset(data, labels=bundle.network.output.labels)
    y = dataset.y_test
    return dataset.x_test, None if y is None or y.dtype.kind not in "iu" else y.astype(np.int64)
