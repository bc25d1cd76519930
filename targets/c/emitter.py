"""What the C of a layer is, and how it is found by the layer's kind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from edgeml.errors import InputError
from edgeml.network import Network, Node
from edgeml.targets.layer_kinds import LayerKinds

from .arrays import ConstantArray
from .dialect import Dialect
from .tensor import Tensor

__all__ = ["ENTRY_POINTS", "LayerCode", "LayerEmitter", "LayerJob", "emitter_kinds", "has_emitter", "layer_emitter"]

ENTRY_POINTS = "edgeml.c_layers"
"""The group of entry points by which packages add the C of kinds of layer."""


@dataclass(frozen=True, eq=False)
class LayerJob:
    """One step to generate code for.

    Parameters
    ----------
    network : all of it, for ranges and the like.
    nodes : the layers that this step computes: one, or one and those that it absorbed.
    inputs : the tensors that it takes.
    output : the tensor that it gives: the values of the last of `nodes`.
    dialect : the target's choices.
    prefix : starts the names of this step's constants.
    """

    network: Network
    nodes: tuple[Node, ...]
    inputs: tuple[Tensor, ...]
    output: Tensor
    dialect: Dialect
    prefix: str


@dataclass(frozen=True)
class LayerCode:
    """The C of one step.

    Parameters
    ----------
    statements : the body of its function. In scope: `x` (for the second input `x1`), pointers to const to the
        stored integers; `y`, pointer to the output's; `scratch`, `uint8_t *`, aligned like the arena. With
        `per_sample` they are those of one sample; else of `samples` (a `size_t`) samples, each tensor's `padded`
        elements (and the scratch bytes, rounded up to the alignment) after the one before.
    comment : what it computes, one line.
    includes : headers of `firmware_stubs/c/edgeml`, and of `headers`, whose functions it calls.
    headers : text of headers that are not edgeml's, by file name; they are copied beside edgeml's own.
    constants : arrays that it reads.
    scratch_bytes : bytes of scratch memory that it needs for one sample.
    per_sample : whether the statements are for one sample.
    fills_padding : whether the statements also write zeros behind the output's `size` elements; if not, zeros are
        written for them.
    kernel : which of several ways it goes, for reports.
    small : whether its time is spent in functions that it calls, so that it may be compiled for size.
    """

    statements: tuple[str, ...]
    comment: str
    includes: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    constants: tuple[ConstantArray, ...] = ()
    scratch_bytes: int = 0
    per_sample: bool = True
    fills_padding: bool = False
    kernel: str = ""
    small: bool = False


class LayerEmitter(ABC):
    """Generates the C of one kind of layer; holds no state. A file `layers/KIND.py` gives one, named `EMITTER`.

    A package of anybody's gives one by an entry point of the group `edgeml.c_layers`, whose name is the kind and whose
    value the class. Helper functions that it calls go into `LayerCode.headers`.
    """

    kind: ClassVar[str] = ""
    """The kind of layer, as in `edgeml.network`."""

    def absorbs(self, job: LayerJob, consumer: Node) -> bool:
        """Whether the step `job` can compute `consumer` too, the only node that takes its values (which then are in
        no memory and in no trace)."""
        return False

    def output(self, network: Network, nodes: tuple[Node, ...], dialect: Dialect) -> Tensor:
        """How the values of the last of `nodes` are stored."""
        return Tensor.make(nodes[-1].name, network.ranges[nodes[-1].name], dialect.padding)

    @abstractmethod
    def emit(self, job: LayerJob) -> LayerCode:
        """The code of a step; NetworkError where the layer cannot be computed in C."""


_KINDS = LayerKinds(
    "edgeml.targets.c.layers", "EMITTER", ENTRY_POINTS, "C of layer kind", LayerEmitter, lambda emitter: emitter.kind
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
