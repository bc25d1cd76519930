"""What the C of a layer is, and how it is found by the layer's kind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.network import Network, Node
from edgeml.targets.layer_kinds import LayerKinds

from .dialect import Dialect
from .layer_code import LayerCode
from .tensor import Tensor

__all__ = ["ENTRY_POINTS", "LayerEmitter", "LayerJob", "emitter_kinds", "has_emitter", "layer_emitter"]

ENTRY_POINTS = "edgeml.c_layers"
"""The group of entry points by which packages add the C of kinds of layer."""


@dataclass(frozen=True, eq=False)
class LayerJob:
    """One stage to generate code for.

    Parameters
    ----------
    network : all of it, for ranges and the like.
    nodes : the layers that this stage computes: one, or one and those that it absorbed.
    inputs : the tensors that it takes.
    output : the tensor that it gives: the values of the last of `nodes`.
    dialect : the target's choices.
    prefix : starts the names of this stage's constants.
    """

    network: Network
    nodes: tuple[Node, ...]
    inputs: tuple[Tensor, ...]
    output: Tensor
    dialect: Dialect
    prefix: str


class LayerEmitter(ABC):
    """Generates the C of one kind of layer; holds no state. A file `layers/KIND.py` gives one, named `EMITTER`.

    A package of anybody's gives one by an entry point of the group `edgeml.c_layers`, whose name is the kind and whose
    value the class. Helper functions that it calls go into `LayerCode.headers`.
    """

    kind: ClassVar[str] = ""
    """The kind of layer, as in `edgeml.network`."""

    def absorbs(self, job: LayerJob, consumer: Node) -> bool:
        """Whether the stage `job` can compute `consumer` too, the only node that takes its values (which then are in
        no memory and in no trace)."""
        return False

    def output(self, network: Network, nodes: tuple[Node, ...], dialect: Dialect) -> Tensor:
        """How the values of the last of `nodes` are stored."""
        return Tensor.make(nodes[-1].name, network.ranges[nodes[-1].name], dialect.padding)

    def extremes(self, job: LayerJob) -> list[npt.NDArray[np.int64]]:
        """Inputs [channels] of a stage with one input, within the input's range, at which its results are extreme or
        change: `alone` runs the stage on them, beside corners of the range. By default none."""
        return []

    @abstractmethod
    def emit(self, job: LayerJob) -> LayerCode:
        """The code of a stage; NetworkError where the layer cannot be computed in C."""


_KINDS: LayerKinds[LayerEmitter] = LayerKinds(
    "edgeml.targets.c.layers",
    "EMITTER",
    ENTRY_POINTS,
    "C of layer kind",
    LayerEmitter,  # type: ignore[type-abstract]
)


def emitter_kinds() -> list[str]:
    """The kinds of layer that there is C for: edgeml's own, and those of installed packages."""
    return _KINDS.names()


def has_emitter(kind: str) -> bool:
    """Whether there is C for a kind of layer."""
    return _KINDS.get(kind) is not None


def layer_emitter(node: Node) -> LayerEmitter:
    """The emitter for a node's kind; InputError naming the layer if there is none. Only its file is imported."""
    found = _KINDS.get(node.layer.kind)
    if found is None:
        raise InputError(
            f"layer {node.name}",
            f"there is no C for {node.layer.kind!r}",
            f"There is C for {', '.join(emitter_kinds())}",
        )
    return found
