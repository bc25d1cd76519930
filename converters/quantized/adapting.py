"""What of a network is to adapt on a device: the options, and how it is attached to the network that is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from edgeml.errors import InputError
from edgeml.network import Network
from edgeml.network.adaptation.derivation import PARTS, Wanted, derive
from edgeml.options import Option, Structured, Whole
from edgeml.options.kinds import shown

if TYPE_CHECKING:
    from edgeml.data.dataset import Dataset

__all__ = ["ADAPT", "REPLAY", "attach"]

_MOST_REPLAYED = 1000


def _read(value: Any) -> tuple[str, ...]:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, (list, tuple)):
        raise ValueError
    names = [part.strip() if isinstance(part, str) else part for part in parts]
    for name in names:
        if name not in PARTS:
            raise InputError("option adapt", f"cannot read {shown(name)}", f"Known: {', '.join(PARTS)}")
    return tuple(part for part in PARTS if part in names)


ADAPT = Option(
    "adapt",
    Structured("PART,…", f"one or both of {', '.join(PARTS)}", _read),
    "What adapts on the device: offsets of sums, without labels; the last layer, from labelled windows.",
    otherwise="nothing",
)
REPLAY = Option(
    "replay",
    Whole(0, _MOST_REPLAYED),
    "Windows of each class of the training data that --adapt last-layer rehearses, so that they are not forgotten.",
    default=Wanted.replay,
)


def attach(parts: tuple[str, ...], replay: int, data: Dataset | None) -> Callable[[Network], Network] | None:
    """What gives a network the adaptation that is asked for; None if that is nothing. InputError without data."""
    if not parts:
        return None
    if data is None:
        raise InputError("option adapt", "needs training data", "Pass samples with --data")
    classes = data.y if data.y is not None and data.y.dtype.kind == "i" else None

    def attached(network: Network) -> Network:
        wanted = Wanted(parts=parts, replay=replay)
        return replace(network, adaptation=derive(network, network.quantizer.quantize(data.x), classes, wanted))

    return attached
