"""What the C of a layer is, and how it is found by the layer's kind."""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from edgeml.errors import InputError
from edgeml.network import Network, Node

from .arrays import ConstantArray
from .dialect import Dialect
from .tensor import Tensor

__all__ = ["LayerCode", "LayerEmitter", "LayerJob", "layer_emitter"]

_EMITTERS: dict[str, LayerEmitter] = {}


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
    includes : headers of `firmware_stubs/c/edgeml` that it calls.
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
    constants: tuple[ConstantArray, ...] = ()
    scratch_bytes: int = 0
    per_sample: bool = True
    fills_padding: bool = False
    kernel: str = ""
    small: bool = False


class LayerEmitter(ABC):
    """Generates the C of one kind of layer; made once, holds no state."""

    kind: ClassVar[str] = ""
    """The kind of layer, as in `edgeml.network`."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if cls.kind:
            _EMITTERS[cls.kind] = cls()

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


def layer_emitter(kind: str) -> LayerEmitter:
    """The emitter for a kind of layer; InputError where there is none."""
    from . import layers

    for module in pkgutil.iter_modules(layers.__path__):
        importlib.import_module(f"{layers.__name__}.{module.name}")
    if kind not in _EMITTERS:
        raise InputError(f"layer kind {kind!r}", f"has no C; there is C for {', '.join(sorted(_EMITTERS))}")
    return _EMITTERS[kind]
