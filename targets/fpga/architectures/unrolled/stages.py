"""Where the registers of a netlist stand: the stage of each cell.

By depth a register follows so many cells. By delay a stage holds what a clock has time for, in one of two ways: cuts
among the times at which cells are ready without any register, as few as keep the period and of as few those across the
fewest bits (a shortest path over the cuts); or each cell in the first stage that has time for it. What has fewer stages
is taken, of equally many what has fewer registers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ...timing.delay_model import DelayModel
from .cell_delays import cell_delays
from .netlist import Bit, Netlist

__all__ = ["Stages", "path_ends", "slowest_stage", "stages_by_delay", "stages_by_depth"]

_MOST_CUTS = 192
_MOST_ENTRIES = 2e7
_SLACK = 1e-6

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Stages:
    """Registers stand at the end of each stage.

    Parameters
    ----------
    of : for each cell of the netlist, from 0. count : of stages, 0 without registers.
    straight : whether results leave in the last stage, with no register behind it; a single stage keeps its registers.
    """

    of: tuple[int, ...]
    count: int
    straight: bool = False

    @property
    def clocks(self) -> int:
        """From the inputs to the outputs of the pipeline."""
        return self.count - 1 if self.straight and self.count > 1 else self.count


def stages_by_depth(netlist: Netlist, register_every: int) -> Stages:
    """Registers behind so many cells; none for 0."""
    if register_every == 0:
        return Stages((0,) * len(netlist.cells), 0)
    of = tuple((cell.depth - 1) // register_every for cell in netlist.cells)
    return Stages(of, max(-(-netlist.depth // register_every), 1))


def stages_by_delay(
    netlist: Netlist, outputs: list[list[Bit]], model: DelayModel, period: float, *, straight: bool = False
) -> Stages:
    """The fewest stages of which none takes longer than `period`, ns, or than a single cell does.

    straight : results leave in the last stage, which has that much less time (`DelayModel.straight_out`).
    """
    if not netlist.cells:
        return Stages((), 1, straight)
    graph = _Graph(netlist, outputs, model)
    leaving = model.straight_out if straight else 0.0
    room = max(period - model.register, float(graph.delays.max()), leaving)
    found = [_by_cuts(graph, room, leaving), _as_soon_as_possible(graph, room, leaving)]
    ways = [replace(stages, straight=straight) for stages in found if stages is not None]
    return min(ways, key=lambda stages: (stages.count, _bits(netlist, outputs, stages)))


def _as_soon_as_possible(graph: _Graph, room: float, leaving: float) -> Stages:
    """Each cell in the first stage that has time for it, and for what follows the last stage."""
    of: list[int] = []
    ends: list[float] = []
    for sources, delay in zip(graph.sources, graph.delays.tolist(), strict=True):
        stage = max((of[source] for source in sources), default=0)
        before = max((ends[source] for source in sources if of[source] == stage), default=0.0)
        if before + delay > room + _SLACK:
            stage, before = stage + 1, 0.0
        of.append(stage)
        ends.append(before + delay)
    last = max(of)
    late = any(stage == last and end + leaving > room + _SLACK for stage, end in zip(of, ends, strict=True))
    return Stages(tuple(of), last + 1 + late)


def _bits(netlist: Netlist, outputs: list[list[Bit]], stages: Stages) -> int:
    """Bits of registers."""
    kept: dict[tuple[int, int], int] = {}
    uses = [(bit, stage) for cell, stage in zip(netlist.cells, stages.of, strict=True) for bit in cell.inputs]
    for bit, stage in (*uses, *((bit, stages.clocks) for bits in outputs for bit in bits)):
        if bit.cell != -2:
            born = stages.of[bit.cell] if bit.cell >= 0 else 0
            kept[bit.cell, bit.index] = max(kept.get((bit.cell, bit.index), 0), stage - born)
    return sum(kept.values())


def _by_cuts(graph: _Graph, room: float, leaving: float) -> Stages | None:
    """Stages between cuts; None where those that are looked at are too far from each other."""
    cuts = graph.cuts(behind_all=leaving > 0)
    between = graph.time_between(cuts)
    between[:, -1] += leaving
    if float(np.diagonal(between).max()) > room + _SLACK:
        return None
    chosen = _cheapest(between, graph.bits_across(cuts), room)
    of = np.searchsorted(cuts[chosen], graph.ready - _SLACK, side="left")
    return Stages(tuple(int(stage) for stage in of), len(chosen) + 1)


def slowest_stage(netlist: Netlist, outputs: list[list[Bit]], model: DelayModel, stages: Stages) -> float:
    """What the slowest stage takes from register to register, ns; the last one, where results leave straight, to the
    register that takes them."""
    leaving = model.straight_out if stages.clocks < stages.count else 0.0
    return max([model.register + leaving, *path_ends(netlist, outputs, model, stages)])


def path_ends(netlist: Netlist, outputs: list[list[Bit]], model: DelayModel, stages: Stages) -> list[float]:
    """For each cell what the slowest way to its outputs takes from the registers before it, with one behind it, ns; of
    results that leave straight with the way to the register that takes them."""
    delays, ends = cell_delays(netlist, outputs, model), [0.0] * len(netlist.cells)
    for index, cell in enumerate(netlist.cells):
        same = (b.cell for b in cell.inputs if b.cell >= 0 and stages.of[b.cell] == stages.of[index])
        ends[index] = delays[index] + max((ends[source] for source in same), default=0.0)
    for source in {bit.cell for bits in outputs for bit in bits if bit.cell >= 0}:
        if stages.of[source] == stages.clocks:
            ends[source] += model.straight_out
    return [model.register + end for end in ends]


class _Graph:
    """Cells with the time each takes, and when each is ready if there are no registers at all."""

    def __init__(self, netlist: Netlist, outputs: list[list[Bit]], model: DelayModel) -> None:
        self.netlist, self.outputs = netlist, outputs
        self.delays: Floats = np.array(cell_delays(netlist, outputs, model))
        self.sources = [np.array(sorted({b.cell for b in cell.inputs if b.cell >= 0}), int) for cell in netlist.cells]
        self.ready: Floats = np.zeros(len(netlist.cells))
        for index, sources in enumerate(self.sources):
            before = self.ready[sources].max() if len(sources) else 0.0
            self.ready[index] = before + self.delays[index]

    def cuts(self, *, behind_all: bool) -> Floats:
        """Times at which registers may stand, ascending: when cells are ready, all of them if they are not too many.

        behind_all : also when the last one is: what follows may have a stage of its own.
        """
        times: Floats = np.unique(np.round(self.ready, 6))
        times = times if behind_all else times[:-1]
        most = int(min(_MOST_CUTS, max(_MOST_ENTRIES / len(self.ready), 16)))
        if len(times) <= most:
            return times
        some: Floats = times[np.unique(np.linspace(0, len(times) - 1, most).round().astype(int))]
        return some

    def time_between(self, cuts: Floats) -> Floats:
        """[from, to]: the longest way between registers at two cuts; index 0 is the input, the last the output."""
        starts = np.concatenate([[0.0], cuts + _SLACK])
        ends = np.concatenate([cuts + _SLACK, [np.inf]])
        inside: Floats = np.zeros((len(self.ready), len(starts)))
        for index, sources in enumerate(self.sources):
            inside[index] = self.delays[index]
            if len(sources):
                behind = np.where(self.ready[sources, None] > starts, inside[sources], 0.0)
                inside[index] += behind.max(axis=0)
        order = np.argsort(self.ready, kind="stable")
        longest = np.maximum.accumulate(np.where(self.ready[order, None] > starts, inside[order], 0.0), axis=0)
        last = np.searchsorted(self.ready[order], ends, side="right") - 1
        found: Floats = np.where(last[None, :] >= 0, longest[np.maximum(last, 0)].T, 0.0)
        return found

    def bits_across(self, cuts: Floats) -> npt.NDArray[np.int64]:
        """Bits that are ready at a cut and taken behind it."""
        until: dict[tuple[int, int], float] = {}
        for index, cell in enumerate(self.netlist.cells):
            for bit in cell.inputs:
                if bit.cell != -2:
                    key = bit.cell, bit.index
                    until[key] = max(until.get(key, 0.0), float(self.ready[index]))
        until.update({(bit.cell, bit.index): np.inf for bits in self.outputs for bit in bits if bit.cell != -2})
        born = np.array([self.ready[cell] if cell >= 0 else 0.0 for cell, _ in until] or [0.0])
        first = np.searchsorted(cuts + _SLACK, born)
        behind = np.searchsorted(cuts + _SLACK, np.array(list(until.values()) or [0.0]))
        across = np.zeros(len(cuts) + 1, np.int64)
        np.add.at(across, first, 1)
        np.add.at(across, behind, -1)
        return np.cumsum(across)[:-1]


def _cheapest(between: Floats, bits: npt.NDArray[np.int64], room: float) -> npt.NDArray[np.int64]:
    """The fewest cuts with at most `room` between two that follow each other, and of as few those with the fewest bits.

    between [from, to] : time from the input (0) or cut from − 1 to cut `to`, or to the output (the last).
    """
    count = len(bits)
    if between[0, count] <= room + _SLACK:
        return np.zeros(0, np.int64)
    # cost[k] : bits of the cheapest cuts of which the last is k, with as many cuts as the loop has made.
    cost = np.where(between[0, :count] <= room + _SLACK, bits, np.inf).astype(float)
    ways: list[npt.NDArray[np.int64]] = []
    while True:
        ending = np.where(between[1:, count] <= room + _SLACK, cost, np.inf)
        if np.isfinite(ending).any():
            chosen = [int(np.argmin(ending))]
            for way in reversed(ways):
                chosen.append(int(way[chosen[-1]]))
            return np.array(chosen[::-1])
        allowed = np.where(between[1:, :count] <= room + _SLACK, cost[:, None], np.inf)
        allowed[np.tril_indices(count)] = np.inf
        ways.append(np.argmin(allowed, axis=0))
        cost = allowed.min(axis=0) + bits
        assert np.isfinite(cost).any()  # every cut can be reached from the one before
