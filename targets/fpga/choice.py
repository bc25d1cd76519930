"""Which design: of all that the architectures offer for a network, the best by the goal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from edgeml.errors import InputError
from edgeml.network import Network, expanded

from .architectures.architecture import Architecture, Candidate, architectures_for
from .budget import Budget
from .design import Built, with_classes, written
from .estimate.argmax import estimate_argmax
from .estimate.costs import Cost, total
from .estimate.uart import estimate_uart
from .interface import Interface
from .options import Asked, LutLimit, read_options
from .verilog.element import Element

__all__ = ["best_candidate", "choose", "cost_of_top", "room_beside_top"]

_CELLS = ("luts", "flip_flops", "block_rams", "dsps")


def choose(network: Network, budget: Budget, options: Mapping[str, Any]) -> tuple[Built, dict[str, Cost]]:
    """The design that the options ask for on a part, and its estimated cost by layer.

    Raises InputError if an option is wrong, a layer has no hardware, or nothing that is asked for stays within
    `max_luts`.
    """
    asked = read_options(options)
    budget = asked.at_clock(budget)
    candidate = best_candidate(network, *room_beside_top(network, budget, asked))
    built = written(network, candidate, argmax=asked.argmax, clock_mhz=asked.clock_mhz, axi_width=int(asked.axi_width))
    costs = dict(candidate.costs)
    if asked.argmax:
        costs["argmax"] = estimate_argmax(built.interface, budget.family)
    most = asked.most_luts(budget)
    if most is not None and (luts := total(costs).luts) > most:
        raise InputError(
            "option max_luts",
            f"allows {most} lookup tables; the design takes {luts:.0f}, as estimated",
            "Allow more, ask for fewer frames a second or goal=area, or train fewer bits",
        )
    return built, costs


def cost_of_top(interface: Interface, budget: Budget) -> Cost:
    """What the board's UART top takes beside a design with these streams; nothing where the part is on no board."""
    return Cost() if budget.board is None else estimate_uart(interface, budget.family)


def room_beside_top(network: Network, budget: Budget, asked: Asked) -> tuple[Budget, Asked]:
    """What a board's UART top leaves of the part for a design that takes and gives one integer a clock, and what is
    asked of the design; both as they are where the part is on no board."""
    if budget.board is None:
        return budget, asked
    narrow = Interface(network.input_size, 1, Element(8, False), network.output_size, 1, Element(32, True))
    top = cost_of_top(narrow, budget)
    left = {name: max(round(getattr(budget, name) - getattr(top, name)), 0) for name in _CELLS}
    most = asked.most_luts(budget)
    limit = None if most is None else LutLimit(most, percent=False)
    return replace(budget, **left), replace(asked, max_luts=limit)


def best_candidate(network: Network, budget: Budget, asked: Asked) -> Candidate:
    """The best of what the architectures that apply to a network offer.

    Those whose clocks depend on the input are asked if no other offers a design, or where clocks do not count; if none
    does, all are asked again as if by their names. Raises InputError if no architecture applies, or an option cannot
    be met.
    """
    found = architectures_for(network, asked.architecture if asked.named else "")
    network = expanded(network)
    if asked.named and asked.shares_sums and not any(architecture.adder_graphs for architecture in found):
        where = "option adder_graph"
        raise InputError(where, f"the {asked.architecture} architecture has no adder graphs", "Leave it out")
    clocks_count = asked.goal != "area" or asked.frames_per_second is not None
    exact = [architecture for architecture in found if architecture.exact_clocks or not clocks_count]
    others = [architecture for architecture in found if not architecture.exact_clocks]
    best = _best(exact, network, budget, asked) or _best(others, network, budget, asked)
    for architecture in found if best is None else ():
        best = best or _best([architecture], network, budget, replace(asked, architecture=architecture.name))
    assert best is not None  # an architecture that is named offers a design, or says why not
    return best


def _best(
    architectures: Iterable[Architecture[Any, Any]], network: Network, budget: Budget, asked: Asked
) -> Candidate | None:
    """The candidate with the least of what the goal counts; of equal ones the first. None if none is offered."""
    best: Candidate | None = None

    def weight(candidate: Candidate) -> float:
        return _weight(candidate, network, budget, asked)

    for architecture in architectures:
        for candidate in architecture.candidates(network, budget, asked):
            if best is None or weight(candidate) < weight(best):
                best = candidate
        if best is not None and _cannot_be_better(best, asked):
            break
    return best


def _weight(candidate: Candidate, network: Network, budget: Budget, asked: Asked) -> float:
    """What the goal counts: lookup tables, planned time to an answer, or planned time between frames; µs."""
    if asked.goal == "area" or asked.frames_per_second is not None:
        return total(candidate.costs).luts
    if asked.goal == "latency":
        interface = candidate.architecture.interface(candidate.plan)
        behind = with_classes(interface, network).class_latency if asked.argmax else 0
        return (candidate.clocks.latency + behind) / candidate.planned_clock(budget)
    return candidate.clocks.interval / candidate.planned_clock(budget)


def _cannot_be_better(candidate: Candidate, asked: Asked) -> bool:
    """Whether a frame per clock is given where that is what counts: nothing else need be laid out."""
    fastest = asked.goal == "throughput" and asked.frames_per_second is None
    return fastest and candidate.architecture.exact_clocks and candidate.clocks.interval == 1
