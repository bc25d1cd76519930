"""What an FPGA architecture is: a way to lay a network out as hardware. All of them offer the same methods.

An architecture is a folder here with a module `architecture` that holds it as `ARCHITECTURE`; nothing else names one.
The folder's `NEEDED_KINDS` are the kinds of layers without which it is neither asked nor imported. `choice` picks among
the candidates that the architectures offer, `design` writes what was picked, and the executors ask for its clocks.
"""

from __future__ import annotations

import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError, NetworkError
from edgeml.meant_name import name_remedy
from edgeml.network import Network, expanded
from edgeml.plugins import RuleResult

from ..budget import Budget, Family
from ..estimate.costs import Cost, constants_of, cost_of, total
from ..estimate.parts import Parts
from ..interface import Interface
from ..options import Asked
from ..timing.delay_model import DelayModel
from ..timing.planned_clock import delays_of, family_of, planned_clock
from .stored_choices import StoredChoices

__all__ = [
    "Architecture",
    "Candidate",
    "Choices",
    "Clocks",
    "CoreFiles",
    "Layout",
    "applying",
    "architectures",
    "architectures_for",
]


class Choices(Protocol):
    """What was chosen for a design of an architecture: with the network, all that its files follow from."""

    def as_json(self) -> dict[str, Any]:
        """The choices as `design.json` holds them; `Architecture.read_choices` reads them back."""
        ...


@dataclass(frozen=True)
class Clocks:
    """Clock counts of a design whose input is always valid and whose output is always ready.

    Parameters
    ----------
    latency : clocks from taking the first value of a frame to giving the last of its results, both counted.
    interval : clocks between frames in steady state.
    frames : for each frame of a run the clock in which its last result is taken (the first input is taken in 0).
    exact : whether they are the same for every input; else latency and interval are at most these, as far as is known.
    """

    latency: int
    interval: int
    frames: tuple[int, ...] = ()
    exact: bool = True

    def later(self, clocks: int) -> Clocks:
        """The same behind something that holds every value for so many clocks."""
        frames = tuple(end + clocks for end in self.frames)
        return Clocks(self.latency + clocks, self.interval, frames, self.exact)


@dataclass(frozen=True)
class CoreFiles:
    """The files of a core by name.

    Parameters
    ----------
    modules : Verilog that the core instantiates, in the order to compile it. memories : memory images. core : its text.
    """

    modules: Mapping[str, bytes]
    memories: Mapping[str, bytes]
    core: bytes


_C = TypeVar("_C", bound=Choices)
_P = TypeVar("_P")


@dataclass(frozen=True, eq=False)
class Layout:
    """A network laid out by an architecture.

    Parameters
    ----------
    architecture : whose it is. choices, plan : what was chosen, and what follows from it.
    """

    architecture: Architecture[Any, Any]
    choices: Choices
    plan: Any

    @cached_property
    def clocks(self) -> Clocks:
        """Clock counts of the core, for inputs of any values."""
        return self.architecture.cycles(self.plan)

    def slowest_path(self, budget: Budget) -> float:
        """Planned delay of the slowest way from register to register on a part, ns."""
        return self.architecture.slowest_path(self.plan, delays_of(budget))


@dataclass(frozen=True, eq=False)
class Candidate(Layout):
    """A layout that an architecture offers for a network on a part, with its estimated cost by layer."""

    costs: Mapping[str, Cost]

    def planned_clock(self, budget: Budget) -> float:
        """MHz: that of the part, or what the slowest path allows."""
        return planned_clock(self.slowest_path(budget), budget)


class Architecture(ABC, Generic[_C, _P]):
    """A way to lay a network out as hardware: its choices are of type C, its plans of type P."""

    name: ClassVar[str]
    """As in `--architecture` and `design.json`. Architectures for different networks may share it."""
    order: ClassVar[int]
    """Which are asked first, smallest number first: those that give a frame in fewer clocks. Of equal candidates the
    first is taken."""
    exact_clocks: ClassVar[bool] = True
    """Whether clocks are the same for every input. One whose clocks depend on it is asked if no other has a design."""
    equal_rows: ClassVar[bool] = False
    """Whether units are made of many equal rows, which a simulator runs through one piece of code."""
    adder_graphs: ClassVar[tuple[str, ...]] = ()
    """Who can share the sums of its dense layers; empty if it has no adder graphs."""
    constants: ClassVar[Mapping[str, Mapping[str, float]]]
    """Lookup tables for each kind of logic in `parts`, by the constants of a family (`estimate.constants`)."""
    if_too_large: ClassVar[str] = (
        "Allow more clocks per frame (--option frames_per_second=…), fewer bits, or a larger part"
    )
    """What to do if a design does not fit the part."""

    @abstractmethod
    def applies(self, network: Network) -> list[RuleResult]:
        """Whether it has hardware for a network: rule `layer-kind`, and rules of its own on what it can lay out.

        A result that is not passed names the layer, in the order of the layers, and as option `architecture` if the
        layer is one that another architecture has hardware for.
        """

    @abstractmethod
    def candidates(self, network: Network, budget: Budget, asked: Asked) -> Iterator[Candidate]:
        """Designs of a network that it applies to, for what is asked of them; none if others do better.

        If it is asked for by its name (`asked.architecture`) it offers at least one.
        Raises InputError naming the option that it cannot meet.
        """

    @abstractmethod
    def read_choices(self, stored: StoredChoices) -> _C:
        """Choices read from `design.json`; an empty object gives the defaults."""

    @abstractmethod
    def plan(self, network: Network, choices: _C) -> _P:
        """The layout that follows from choices. Raises InputError naming the layer that has no hardware."""

    @abstractmethod
    def interface(self, plan: _P) -> Interface:
        """The streams of the core."""

    @abstractmethod
    def cycles(self, plan: _P, q: npt.NDArray[np.int32] | None = None) -> Clocks:
        """Clock counts of the core; with q [samples, inputs] those of these frames, if they depend on them."""

    @abstractmethod
    def parts(self, plan: _P, family: Family) -> dict[str, Parts]:
        """What each layer is made of, by the name of its node."""

    @abstractmethod
    def slowest_path(self, plan: _P, delays: DelayModel) -> float:
        """Planned delay of the slowest way from register to register in the core, ns: `delays` are those of a part,
        which `delays_within` makes those in a design of the plan's size."""

    def delays_within(self, plan: _P, delays: DelayModel) -> DelayModel:
        """The delays in a design as large as the plan's."""
        return delays.within(total(self.estimate(plan, family_of(delays))).luts)

    def layer_timing(self, plan: _P, delays: DelayModel) -> dict[str, dict[str, int | float]]:
        """What is planned of each layer by itself, by its name: where and for how long it works, and its slowest way
        from register to register, `slowest_path_ns`. By default nothing is known."""
        return {}

    @abstractmethod
    def facts(self, plan: _P, clocks: Clocks) -> dict[str, str]:
        """What the headers of the files say of the core's clocks."""

    @abstractmethod
    def rtl(self, plan: _P, core: str, facts: Mapping[str, str]) -> CoreFiles:
        """The files of the core, a module of the name `core`; facts go into the headers."""

    @abstractmethod
    def estimated_form(self, network: Network) -> str:
        """The kind of designs whose estimates were compared with yosys: a key of `estimate.constants.ERRORS`."""

    def estimate(self, plan: _P, family: Family) -> dict[str, Cost]:
        """Estimated cost by layer."""
        constants = self.constants[constants_of(family)]
        costs = {layer: cost_of(layer, parts, constants) for layer, parts in self.parts(plan, family).items()}
        return {layer: replace(cost, luts=cost.luts * family.as_many) for layer, cost in costs.items()}


def _rooms() -> list[str]:
    return [room.name for room in pkgutil.iter_modules([str(Path(__file__).parent)]) if room.ispkg]


@cache
def _needed_kinds(room: str) -> frozenset[str]:
    needed: frozenset[str] = import_module(f"{__package__}.{room}").NEEDED_KINDS
    return needed


@cache
def _architecture(room: str) -> Architecture[Any, Any]:
    found: Architecture[Any, Any] = import_module(f"{__package__}.{room}.architecture").ARCHITECTURE
    return found


def architectures(network: Network | None = None) -> list[Architecture[Any, Any]]:
    """The architectures, in the order in which they are asked.

    network : only those that may apply to it, because it holds all kinds of layers that they need; no other is
        imported. None: all.
    """
    kinds = None if network is None else {node.layer.kind for node in network.layers}
    found = [_architecture(room) for room in _rooms() if kinds is None or _needed_kinds(room) <= kinds]
    return sorted(found, key=lambda architecture: architecture.order)


def applying(network: Network, name: str = "") -> tuple[list[Architecture[Any, Any]], list[RuleResult]]:
    """The architectures (of this name) that apply to a network, and if there are none, why not.

    Layers that are shared by positions count as those of whole tensors (`expanded`). The results are then those of the
    architecture that gets furthest: whose first layer without hardware comes last, and of such ones whose fewest layers
    have none.
    """
    try:
        network = expanded(network)
    except NetworkError as error:
        return [], [RuleResult.broken("layer-kind", error)]
    found, refusals = [], []
    places = {node.name: place for place, node in enumerate(network.nodes)}
    for architecture in architectures(network):
        if name in ("", architecture.name):
            results = architecture.applies(network)
            failing = [result.layer for result in results if not result.passed]
            if failing:
                refusals.append(((places.get(failing[0], len(places)), -len(failing)), results))
            else:
                found.append(architecture)
    why = max(refusals, key=lambda refusal: refusal[0])[1] if refusals and not found else []
    return found, why


def architectures_for(network: Network, name: str = "") -> list[Architecture[Any, Any]]:
    """The architectures (of this name) that apply to a network.

    Raises InputError if there are none: it names the layer that has no hardware, or the names that are known.
    """
    found, why = applying(network, name)
    if not found and not why:
        known = sorted({architecture.name for architecture in architectures()})
        remedy = name_remedy(name, known, f"Choose {' or '.join(known)}")
        raise InputError("architecture", f"{name!r} is not known", remedy)
    if not found:
        first = next(result for result in why if not result.passed)
        where = f"layer {first.layer}" if first.layer else f"network {network.name}"
        raise InputError(where, first.detail, first.remedy)
    return found
