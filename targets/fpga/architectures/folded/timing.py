"""When every value moves: the exact clock of each handshake, for an input that is always valid and an output that is
always ready. The model repeats the rules of the RTL modules as inequalities between times (max-plus algebra); the
earliest times that satisfy all of them are what the hardware does. Tests hold it against simulation, clock by clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from edgeml.errors import InputError

from .clocks import ValueClocks, spaced
from .folding import ceil_div
from .plan import INPUT, LARGEST_DEPTH, Edge, FoldedPlan, UnitChain

__all__ = ["Timing", "size_fifos", "solve"]

_FRAMES = 8
_MOST_FRAMES = 64
_STEADY = 4
_MOST_ROUNDS = 20_000


@dataclass(frozen=True, eq=False)
class Timing:
    """Clock counts of a plan.

    Parameters
    ----------
    latency : clocks from taking the first value of the first frame to giving the last of its results, both counted.
    interval : clocks between frames in steady state: the mean of the last four, rounded up. With residual paths
        frames may come in turns early and late (3, 7, 3, 7 … clocks apart), so that one gap alone says too little.
    frames : for each frame of the run, the clock in which its last result is taken (the first input is taken in 0).
    fill : the most values that each FIFO ever holds or has promised, by chain, and `source>target.port` for edges.
    """

    latency: int
    interval: int
    frames: tuple[int, ...]
    fill: dict[str, int]


class _Stream:
    """Clocks at which the values of a stream are there and are taken."""

    def __init__(self, count: int) -> None:
        self.valid: ValueClocks = np.zeros(count, np.int64)
        self.taken: ValueClocks = np.arange(count, dtype=np.int64)


def _up(valid: ValueClocks, ratio: int, beats: int, wide_taken: ValueClocks) -> tuple[ValueClocks, ValueClocks]:
    """Upsizer: (times a narrow value is taken, times a wide value is there)."""
    position = np.arange(len(valid)) % beats
    frame = np.arange(len(valid)) // beats
    wide_per_frame = -(-beats // ratio)
    wide = frame * wide_per_frame + position // ratio
    first = position % ratio == 0
    taken = valid.copy()
    held = first & (wide > 0)
    taken[held] = np.maximum(taken[held], wide_taken[wide[held] - 1])
    taken = spaced(taken)
    last = np.ones(len(valid), bool)
    last[:-1] = wide[1:] != wide[:-1]
    return taken, taken[last] + 1


class _Model:
    """One solution in the making; `frames` frames in a row, one offered to the input every `pace` clocks."""

    def __init__(self, plan: FoldedPlan, frames: int, unlimited: bool, pace: int) -> None:
        self.plan = plan
        self.frames = frames
        self.unlimited = unlimited
        edges = [(f"{e.source}>{e.target}.{port}", e) for chain in plan.chains for port, e in enumerate(chain.inputs)]
        self.keys = {id(edge): key for key, edge in edges}
        self.takers = {name: plan.takers(name) for name in plan.sources()}
        self.offered = np.repeat(np.arange(frames, dtype=np.int64) * pace, plan.input_beats)
        self.input_taken = np.arange(plan.input_beats * frames, dtype=np.int64)
        self.port = {key: _Stream(edge.target_beats * frames) for key, edge in edges}
        self.edge = {key: _Stream(edge.source_beats * frames) for key, edge in edges}
        self.collected = {key: stream.taken.copy() for key, stream in self.port.items()}
        self.fifo = {chain.name: _Stream(chain.beats * frames) for chain in plan.chains}
        self.reserved = {chain.name: np.zeros(chain.beats * frames, np.int64) for chain in plan.chains}

    def key(self, edge: Edge) -> str:
        return self.keys[id(edge)]

    def round(self) -> bool:
        """Apply every rule once; whether any time changed."""
        before = [stream.taken.copy() for stream in (*self.port.values(), *self.fifo.values(), *self.edge.values())]
        before += [times.copy() for times in self.collected.values()]
        self._source(INPUT, self.offered)
        for chain in self.plan.chains:
            self._chain(chain)
            self._source(chain.name, self.fifo[chain.name].valid)
        after = [stream.taken for stream in (*self.port.values(), *self.fifo.values(), *self.edge.values())]
        after += list(self.collected.values())
        return any(not np.array_equal(a, b) for a, b in zip(before, after, strict=True))

    def _source(self, name: str, valid: ValueClocks) -> None:
        """Move the values of a chain's FIFO (or the input) over the edges that start there."""
        takers = self.takers[name]
        if not takers:
            taken = spaced(valid)
        elif len(takers) == 1:
            taken = self._edge(takers[0], valid)
        else:
            taken = valid
            for _ in range(2):
                shifted = np.concatenate(([0], taken[:-1] + 1))
                present = np.maximum(valid, shifted)
                taken = np.max([self._edge(edge, present) for edge in takers], axis=0)
        if name == INPUT:
            self.input_taken = taken
        else:
            self.fifo[name].taken = taken

    def _edge(self, edge: Edge, valid: ValueClocks) -> ValueClocks:
        """One edge; returns when its values are taken at the source."""
        key = self.key(edge)
        taken_at_source = valid
        stream = self.edge[key]
        if edge.fifo_depth:
            pushed = valid.copy()
            if not self.unlimited:
                depth = edge.fifo_depth
                pushed[depth:] = np.maximum(pushed[depth:], stream.taken[:-depth] + 1)
            taken_at_source = pushed = spaced(pushed)
            valid = pushed + 1
        stream.valid = valid
        port = self.port[key]
        if edge.target_lanes > edge.source_lanes:
            ratio = edge.target_lanes // edge.source_lanes
            if edge.frame_depth:
                stream.taken, wide = _up(valid, ratio, edge.source_beats, self.collected[key])
                if not self.unlimited:
                    wide[edge.frame_depth :] = np.maximum(wide[edge.frame_depth :], port.taken[: -edge.frame_depth] + 1)
                self.collected[key] = spaced(wide)
                port.valid = self.collected[key] + 1
            else:
                stream.taken, port.valid = _up(valid, ratio, edge.source_beats, port.taken)
        elif edge.target_lanes < edge.source_lanes:
            ratio = edge.source_lanes // edge.target_lanes
            position = np.arange(len(port.valid))
            wide = position // edge.target_beats * edge.source_beats + position % edge.target_beats // ratio
            # The next wide value shows one clock after the last part of the one before it.
            port.valid = valid[wide]
            last = np.ones(len(wide), bool)
            last[:-1] = wide[1:] != wide[:-1]
            stream.taken = np.maximum(valid, port.taken[last])
        else:
            port.valid = valid
            stream.taken = np.maximum(valid, port.taken)
        return taken_at_source if edge.fifo_depth else stream.taken

    def _chain(self, chain: UnitChain) -> None:
        """A chain: when its unit takes values and reserves places for results, and when these are in its FIFO."""
        fifo = self.fifo[chain.name]
        room = np.zeros(len(fifo.taken), np.int64)
        if not self.unlimited:
            depth = chain.fifo_depth
            room[depth:] = fifo.taken[:-depth] + 1
        ports = [self.port[self.key(edge)] for edge in chain.inputs]
        taken, reserved = chain.head.schedule([port.valid for port in ports], room, self.frames)
        for port, clocks in zip(ports, taken, strict=True):
            port.taken = clocks
        self.reserved[chain.name] = reserved
        fifo.valid = reserved + chain.latency + 1


def _most(entered: ValueClocks, left: ValueClocks) -> int:
    """The most values that are between entering (their clock counts) and leaving (theirs does not)."""
    inside = np.searchsorted(left, entered, side="left")
    return int((np.arange(1, len(entered) + 1) - inside).max())


def solve(plan: FoldedPlan, frames: int = _FRAMES, *, unlimited: bool = False, pace: int = 0) -> Timing:
    """Exact clocks of `frames` frames in a row; with `unlimited`, as if no FIFO were ever full.

    pace : clocks from offering one frame to the input to offering the next; 0 for an input that is always valid.
    """
    model = _Model(plan, frames, unlimited, pace)
    for _ in range(_MOST_ROUNDS):
        if not model.round():
            break
    else:
        raise InputError("timing", "the plan's FIFOs are too shallow: the clock counts do not settle")
    last = plan.chains[-1]
    # A unit that looks at a value several times takes it at last: clocks count from there.
    ends = model.fifo[last.name].taken.reshape(frames, last.beats)[:, -1] - model.input_taken[0]
    fill = {c.name: _most(model.reserved[c.name], model.fifo[c.name].taken) for c in plan.chains}
    for chain in plan.chains:
        for edge in chain.inputs:
            if edge.fifo_depth:
                stream = model.edge[model.key(edge)]
                fill[model.key(edge)] = _most(stream.valid - 1, stream.taken)
    gaps = min(_STEADY, frames - 1)
    interval = ceil_div(int(ends[-1] - ends[-1 - gaps]), gaps) if gaps else 0
    return Timing(int(ends[0]) + 1, interval, tuple(int(e) for e in ends), fill)


def size_fifos(plan: FoldedPlan) -> Timing:
    """Set the FIFO depths so that a frame passes in every T clocks that the slowest unit needs; returns the timing.

    FIFOs that hold what is under way, and one more, may do. Else each gets as many places as it would ever fill if
    none were ever full and the input gave a frame every T clocks. That is enough: those clocks satisfy all rules of
    the design with these depths, and no event of the design comes later than in clocks that satisfy its rules (it
    takes the earliest), nor later if the input comes sooner. Edges behind a fork keep at least one frame, which rules
    a deadlock out.
    """
    slowest = max([chain.clocks_per_frame for chain in plan.chains] + [plan.input_beats])
    for chain in plan.chains:
        chain.fifo_depth = chain.latency + 2
    timing, frames = solve(plan), _FRAMES
    while timing.interval > slowest and frames <= _MOST_FRAMES:
        _deepen(plan, solve(plan, frames, unlimited=True, pace=slowest).fill)
        timing, frames = solve(plan), 2 * frames
    return timing


def _deepen(plan: FoldedPlan, fill: Mapping[str, int]) -> None:
    """Give each FIFO at least as many places as `fill` says (see `Timing`)."""
    for chain in plan.chains:
        chain.fifo_depth = min(max(chain.fifo_depth, fill[chain.name]), LARGEST_DEPTH)
        for port, edge in enumerate(chain.inputs):
            if edge.fifo_depth:
                most = fill[f"{edge.source}>{edge.target}.{port}"]
                edge.fifo_depth = min(max(edge.fifo_depth, most), LARGEST_DEPTH)
