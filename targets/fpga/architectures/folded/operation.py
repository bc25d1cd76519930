"""What a layer kind must offer to become hardware in the folded architecture."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from edgeml.network import Network, Node

from ...verilog.text import Element

if TYPE_CHECKING:
    from .plan import Fold

__all__ = ["Operation"]


class Operation(ABC):
    """A layer as a unit of the folded architecture.

    Parameters
    ----------
    node : the layer at its place. inputs : hardware types of what it takes. fold : elements per clock.
    before : the operations before it in its segment, which it may relieve of work (a threshold takes over the
        constant of the dense layer before it).
    """

    is_head: ClassVar[bool] = False
    """Whether it takes values by itself (and so starts a segment), or follows in a pipeline."""
    modules: ClassVar[tuple[str, ...]] = ()
    """The library modules that it instantiates."""

    def __init__(
        self, node: Node, network: Network, inputs: Sequence[Element], fold: Fold, before: Sequence[Operation]
    ) -> None:
        self.node = node
        self.network = network
        self.inputs = list(inputs)
        self.pe = fold.pe
        self.simd = fold.simd
        self.channels = network.sizes[node.name]

    @property
    def beats(self) -> int:
        """Result values per frame."""
        return -(-self.channels // self.pe)

    @property
    def steps(self) -> int:
        """Clocks per frame."""
        return self.beats

    @property
    @abstractmethod
    def output(self) -> Element:
        """Type of a result."""

    @property
    @abstractmethod
    def latency(self) -> int:
        """Clocks from a value to its push (heads: from taking it)."""

    @abstractmethod
    def parameters(self) -> dict[str, int | str]:
        """Parameters of the module's instance."""

    @property
    @abstractmethod
    def module(self) -> str:
        """The module to instantiate."""

    def memory_files(self) -> dict[str, str]:
        """Memory images by file name."""
        return {}

    def describe(self) -> str:
        """One line for the comment above the instance."""
        return self.node.layer.summary()
