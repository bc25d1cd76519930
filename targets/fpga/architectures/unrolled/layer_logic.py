"""What a kind of layer offers to become hardware in the unrolled architecture: its logic."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from edgeml.network import Network, Node

from .netlist import Netlist
from .value import Value

__all__ = ["ADDER_GRAPHS", "FLAT", "LayerLogic", "LogicChoices"]

FLAT = "flat"
ADDER_GRAPHS = ("edgeml", "da4ml", FLAT)
"""Who shares sums in dense layers. Flat: nobody does, and all that a table takes is one: the fewest levels of logic."""


@dataclass(frozen=True)
class LogicChoices:
    """How logic is made.

    Parameters
    ----------
    sharing : whether the sums of a dense layer share terms. adder_graph : who shares them, one of `ADDER_GRAPHS`.
    offset_is_free : whether all that take the layer's values are layers that `takes_constants`: they compare with
        constants, into which an offset of any size moves for nothing, and may be given a `Value.function`.
    table_inputs : bits of which any function is one table, where that is to be used instead of comparisons; else 0.
    """

    sharing: bool = True
    adder_graph: str = ADDER_GRAPHS[0]
    offset_is_free: bool = False
    table_inputs: int = 0


class LayerLogic(ABC):
    """The logic of one kind of layer; holds no state. What it costs follows from the cells that it adds."""

    def check(self, node: Node, network: Network) -> None:  # noqa: B027 (most kinds have nothing to check)
        """InputError naming the layer if its logic would be too large to make. By default nothing is."""

    def multiplications(self, node: Node) -> int:
        """Multiplications by a constant: a network of very many is not unrolled unless asked. By default 0."""
        return 0

    @abstractmethod
    def add(
        self, netlist: Netlist, node: Node, network: Network, inputs: Sequence[Sequence[Value]], choices: LogicChoices
    ) -> list[Value]:
        """Add the layer's cells to `netlist`, and give its values.

        Parameters
        ----------
        node, network : the layer, and all of its network. inputs : for each input, a value for each channel.

        Returns
        -------
        A value for each output channel: bits that cells of the netlist give, or that came in. Raises InputError as
        `check` does, MissingTool if an adder graph of others is asked for and not installed.
        """
