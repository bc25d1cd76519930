"""What a form (`--to`) must offer: a converter, which makes an integer network of a trained model."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from ..network import Network
from ..options import Option
from ..registry import Registry

if TYPE_CHECKING:
    from ..data.dataset import Dataset
    from ..frontends.mlp import Mlp
    from ..judging.fidelity import FloatReference

__all__ = ["CONVERTERS", "AdoptsNetworks", "Conversion", "Converter", "Progress", "TakesNetworks", "converters"]

Progress = Callable[[str, int, int, Mapping[str, float]], None]
"""Called as progress(stage, done, total, values) by long work, e.g. ("training", 3, 40, {"loss": 0.2})."""


@dataclass(frozen=True)
class Conversion:
    """What a converter gives.

    Parameters
    ----------
    network : the integer network.
    metrics : JSON-able; `{"accuracy": {"float": …, "integer": …, …}}` (fractions of 1) if there are labels,
        `{"agreement": …}` (share of samples that the float model answers alike) if there is data; of a network of
        values "mse", "mae" and "r2" in the place of both (`judging.judged` gives them).
    files : further files of the bundle by path relative to it (e.g. `brevitas/network.safetensors`).
    notes : sentences for the user, such as what a choice costs in accuracy.
    reference : the float model node by node, if there is one: the integers are held against it (`fidelity`).
    attach : what else the network is to have, such as what adapts: called with the network that is written, from which
        channels may have been left out.
    """

    network: Network
    metrics: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    reference: FloatReference | None = None
    attach: Callable[[Network], Network] | None = None


@runtime_checkable
class Converter(Protocol):
    """Makes an integer network of one form out of a trained model. More is asked of one that follows `AdoptsNetworks`
    or `TakesNetworks` too."""

    @property
    def options(self) -> tuple[Option, ...]:
        """The options that it takes (`edgeml.options`); others, and values that do not fit, are refused before it is
        called."""
        ...

    def convert(self, mlp: Mlp, data: Dataset | None, options: Mapping[str, Any], progress: Progress) -> Conversion:
        """Convert `mlp`. `options` holds only what the user gave; InputError if a value is wrong or if data is needed
        and missing. The same arguments give the same bytes."""
        ...


@runtime_checkable
class AdoptsNetworks(Protocol):
    """A converter that makes something of a network of integers: of a .tflite file, of thresholds as spikes."""

    def adopt(
        self, model: Any, network: Network, data: Dataset | None, options: Mapping[str, Any]
    ) -> Conversion | None:
        """`network` in this form; None: it is taken as it is. `model` is what the user gave, e.g. a path."""
        ...


@runtime_checkable
class TakesNetworks(Protocol):
    """A converter that says which networks of integers are of its form already, and are taken as they are."""

    layer_kinds: Collection[str]
    """The kinds of layer that such a network may hold."""
    left_out_note: str
    """A sentence on the files of the form that a bundle then does not have; may be empty."""


CONVERTERS: Registry[Converter] = Registry("edgeml.converters", "form", Converter)  # type: ignore[type-abstract]


def converters(name: str) -> Converter:
    """The converter to the form `name`; InputError naming the known ones if there is none."""
    return CONVERTERS.load(name)
