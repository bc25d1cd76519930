"""What a kind of layer offers to become hardware in the folded architecture: its unit."""

from __future__ import annotations

import string
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from edgeml.network import Network, Node

from ...budget import Family
from ...estimate.parts import Parts
from ...timing.delay_model import DelayModel
from ...verilog.element import Element
from ...verilog.shipped_modules import library_text
from ...verilog.writer import Value
from .clocks import ValueClocks, spaced
from .folding import Folding, ceil_div

__all__ = ["Place", "Unit"]


@dataclass(frozen=True, eq=False)
class Place:
    """Where a unit stands.

    Parameters
    ----------
    node, network : the layer, and all of its network. inputs : hardware types of the elements that it takes, one for
        each input. folding : elements per clock.
    before : the units before it in its chain, which it may relieve of work (a threshold takes over the constant of
        the dense layer before it).
    keep_block_rams : whether small buffers stay out of block RAM: for parts with few of them and no smaller memory.
    """

    node: Node
    network: Network
    inputs: tuple[Element, ...]
    folding: Folding
    before: tuple[Unit, ...] = ()
    keep_block_rams: bool = False


class Unit(ABC):
    """A layer as a unit of the folded architecture: an instance of a Verilog module, and all that is known of it.

    A frame is `beats` result values of `pe` elements each, lowest index first, in the lowest bits; elements beyond the
    last channel are of no meaning. There are two sorts of unit:

    - One that follows another in its chain has `in_push`, `in_data` → `push`, `push_data`: a value goes in whenever
      `in_push` is high and comes out exactly `latency` clocks later. It never stalls.
    - One that `takes_streams` starts a chain. It has a stream (`_valid`, `_ready`, `_data`) for each input, named by
      `port_names`, and `can_reserve`, `reserve`: it may take the values that complete a result only in a clock in
      which `can_reserve` is high, says so by `reserve` in that clock, and pushes the result exactly `latency` clocks
      later. So the FIFO behind the chain always has a place for what is under way.

    A unit must give `module`, `modules`, `latency`, `output`, `parameters` and `add_amounts`, and `module_text` if its
    modules are not edgeml's. One that takes several streams in another way than a value of each at once says so in
    `schedule`; one whose frames take other than `beats` clocks, in `clocks_with`; one that cannot be folded in every
    way, or gives other than `simd` elements per clock, in `output_lanes`, and in `least_folding` if one of each is not
    among them. The plan, the FIFOs, the clocks and the choice of foldings ask nothing else. An InputError of its
    constructor refuses a layer by its name.
    """

    takes_streams: ClassVar[bool] = False
    """Whether it takes values by itself, and so starts a chain, or follows in a pipeline."""
    clocked: ClassVar[bool] = True
    """Whether the module has the ports `clk` and `rst`."""
    module: ClassVar[str] = ""
    """The Verilog module to instantiate."""
    modules: ClassVar[tuple[str, ...]] = ()
    """File names of that module and of those that it needs; `module_text` gives their text."""
    alternative: ClassVar[str] = ""
    """The name of one of several units for a kind of layer (`LayerHardware.alternatives`); "" of the unit that all
    layers of the kind can have."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.node = place.node
        self.network = place.network
        self.inputs = list(place.inputs)
        self.folding = place.folding
        self.pe = place.folding.pe
        self.simd = place.folding.simd
        self.channels = place.network.sizes[place.node.name]

    @classmethod
    def module_text(cls, name: str) -> bytes:
        """The text of one of `modules`. By default it is one of edgeml's own; others come with their package."""
        return library_text(name)

    @classmethod
    def least_folding(cls, node: Node, network: Network) -> Folding:
        """A folding of few elements per clock that it can have whatever stands before and behind it. By default one of
        each; other lanes must be all of its inputs."""
        return Folding(1, 1)

    @property
    def name(self) -> str:
        """Starts the names of its wires."""
        return self.node.name

    @property
    def port_names(self) -> Sequence[str]:
        """Names of the streams that a unit takes: `in`, or `a`, `b`, … if there are several."""
        count = len(self.inputs)
        return ("in",) if count == 1 else tuple(string.ascii_lowercase[:count])

    @property
    def beats(self) -> int:
        """Result values per frame."""
        return ceil_div(self.channels, self.pe)

    @property
    def clocks_per_frame(self) -> int:
        """Clocks that a frame takes the unit."""
        return self.clocks_with(self.folding)

    def clocks_with(self, folding: Folding) -> int:
        """Clocks per frame that it would have with another folding."""
        return ceil_div(self.channels, folding.pe)

    def size_with(self, folding: Folding) -> int:
        """How large the unit would be with another folding, in multipliers and lanes: what is kept small."""
        return folding.pe + folding.simd

    def output_lanes(self, simd: int, offered: Sequence[int]) -> Sequence[int]:
        """Which numbers of elements it can give per clock if it takes `simd` of each input; none if it cannot take so
        many. `offered` are those that its neighbours would take."""
        return (simd,)

    def schedule(
        self, valid: Sequence[ValueClocks], room: ValueClocks, frames: int
    ) -> tuple[list[ValueClocks], ValueClocks]:
        """The clocks of `frames` frames of a unit that `takes_streams`: the earliest that its module allows.

        Parameters
        ----------
        valid : for each input, int64 [frames · values], the clock from which each value is there.
        room : int64 [frames · beats], the clock from which the FIFO behind the chain has a place for each result.

        Returns
        -------
        For each input, the clocks in which its values are taken; and those in which each result is reserved, `latency`
        clocks before it is pushed. By default a value of each input is taken at once, and gives a result.
        """
        reserved = spaced(np.max([room, *valid], axis=0))
        return [reserved] * len(valid), reserved

    @property
    def takes_frame_at_once(self) -> bool:
        """Whether a frame's values are taken one clock after the other, so that a slower stream (behind an upsizer)
        would hold it up in every frame: its values are then collected first."""
        return False

    @property
    def keeps_block_rams(self) -> bool:
        """Whether it was made with `keep_block_rams`, and heeds that."""
        return False

    @property
    @abstractmethod
    def latency(self) -> int:
        """Clocks from taking a value (of units that take streams: from reserving the place) to the push."""

    @property
    @abstractmethod
    def output(self) -> Element:
        """Type of an element of the results."""

    @abstractmethod
    def parameters(self) -> Mapping[str, Value]:
        """Parameters of the module's instance; text is quoted."""

    @abstractmethod
    def add_amounts(self, parts: Parts, family: Family) -> None:
        """Add what the unit is made of to `parts` (`estimate.parts` lists the kinds of logic)."""

    def slowest_logic(self, delays: DelayModel) -> float:
        """Planned delay of the logic between two of its registers, ns. By default: a sum as wide as its widest element,
        behind a table that all lanes read and before another."""
        bits = max(element.bits for element in (*self.inputs, self.output))
        table = delays.route + delays.lut
        return delays.sum(bits, delays.way(self.pe) + delays.lut + delays.route) + table

    def give_constant(self) -> npt.NDArray[np.int64] | None:
        """Leave the constant [channels] that is added to each sum out of the sums: the caller, a unit right behind,
        takes care of it. None if there is no such constant."""
        return None

    def memory_files(self) -> dict[str, str]:
        """Memory images for $readmemh by file name; names start with that of the node."""
        return {}

    def describe(self) -> str:
        """One line for the comment above the instance."""
        return self.node.layer.summary()
