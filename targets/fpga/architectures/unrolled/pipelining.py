"""What is chosen for an unrolled design."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from edgeml.errors import InputError

from ...budget import Budget
from ...estimate.costs import total
from ...options import Asked
from ...timing.delay_model import DelayModel
from ...timing.delays import DELAY_MODELS
from ...timing.planned_clock import delays_of, family_of
from ..architecture import Candidate
from ..stored_choices import StoredChoices
from .cell_amounts import luts_of
from .cell_delays import cell_delays
from .layer_logic import ADDER_GRAPHS, FLAT
from .netlist import Cell, CellKind
from .network_logic import Logic
from .splitting import with_split_cells
from .stages import Stages, stages_by_delay, stages_by_depth

__all__ = [
    "Pipelining",
    "delays_in",
    "fitting_logic",
    "leaves_room",
    "most_multiplications",
    "pipelinings",
    "placed_registers",
    "reaches_rate",
    "read_choices",
]

_MOST_REGISTER_EVERY = 64
_LONGEST_PERIOD_PS = 10**9
_SHARE = 0.5
_TABLE_INPUTS = 6
_LARGEST, _SMALL = 20_000, 1_000


@dataclass(frozen=True)
class Pipelining:
    """The choices.

    Parameters
    ----------
    register_every : logic depth between pipeline registers, from 1 on, where no period is given.
    adder_graph : who shares the sums of dense layers, one of `ADDER_GRAPHS`.
    period_ps : what a stage may take from register to register, picoseconds. delays : the `DELAY_MODELS` it is planned
        by.
    straight : results leave in the last stage, past an empty FIFO, rather than out of it a register and a clock later.
    """

    register_every: int = 1
    adder_graph: str = ADDER_GRAPHS[0]
    period_ps: int | None = None
    delays: str = ""
    straight: bool = False

    @property
    def table_inputs(self) -> int:
        """Of how many bits any function is one table; of a part without delays as many as most lookup tables have."""
        return DELAY_MODELS[self.delays].joined_inputs if self.delays else _TABLE_INPUTS

    def as_json(self) -> dict[str, Any]:
        """As `design.json` holds them."""
        graph = {} if self.adder_graph == ADDER_GRAPHS[0] else {"adder_graph": self.adder_graph}
        if self.period_ps is not None:
            straight = {"straight": True} if self.straight else {}
            return {"period_ps": self.period_ps, "delays": self.delays, **straight, **graph}
        return {"register_every": self.register_every, **graph}


def read_choices(stored: StoredChoices) -> Pipelining:
    """Inverse of `Pipelining.as_json`; InputError if a value is not sound."""
    graph = stored.word("adder_graph", ADDER_GRAPHS)
    if "period_ps" in stored.content:
        period = stored.whole("period_ps", _LONGEST_PERIOD_PS, 1)
        delays = stored.word("delays", tuple(DELAY_MODELS))
        return Pipelining(adder_graph=graph, period_ps=period, delays=delays, straight=stored.flag("straight"))
    return Pipelining(stored.whole("register_every", _MOST_REGISTER_EVERY, 1), graph)


def delays_in(logic: Logic, delays: DelayModel, part: float = 1.0) -> DelayModel:
    """The delays in a design of which a netlist is a part."""
    return delays.within(luts_of(logic.netlist.cells, family_of(delays)) / part)


def fitting_logic(logic: Logic, choices: Pipelining) -> Logic:
    """The logic itself, or with cells taken apart that the period has no time for: comparisons, and all sums of three
    rows if one of them is too slow."""
    if choices.period_ps is None:
        return logic
    delays = delays_in(logic, DELAY_MODELS[choices.delays])
    room = choices.period_ps / 1000 - delays.register
    slow = [delay > room for delay in cell_delays(logic.netlist, logic.outputs, delays)]
    cells = logic.netlist.cells
    kinds = {cell.kind for cell, is_slow in zip(cells, slow, strict=True) if is_slow} & {
        CellKind.ADD3,
        CellKind.REACHED,
    }
    if not kinds:
        return logic
    sums = CellKind.ADD3 in kinds

    def is_split(index: int, cell: Cell) -> bool:
        return sums if cell.kind is CellKind.ADD3 else slow[index]

    return with_split_cells(logic, is_split, delays.lut_inputs)


def placed_registers(logic: Logic, choices: Pipelining, part: float = 1.0) -> Stages:
    """Where the registers of a netlist stand, which is a part of a design."""
    if choices.period_ps is None:
        return stages_by_depth(logic.netlist, choices.register_every)
    delays = delays_in(logic, DELAY_MODELS[choices.delays], part)
    period = choices.period_ps / 1000
    return stages_by_delay(logic.netlist, logic.outputs, delays, period, straight=choices.straight)


def pipelinings(budget: Budget, asked: Asked) -> list[Pipelining]:
    """What is asked for: registers by levels where they are given, else by the clock of the part. For the least time to
    an answer a flat graph, too, which takes more lookup tables and fewer stages; results leave straight then, but for
    a class unit behind them, whose comparisons have no time left in that clock."""
    graphs = [asked.adder_graph]
    if asked.goal == "latency" and not asked.shares_sums:
        graphs.append(FLAT)
    if asked.register_every is not None:
        return [Pipelining(asked.register_every, graph) for graph in graphs]
    period = max(math.floor(1e6 / budget.clock_mhz), 1)
    delays, straight = delays_of(budget).name, asked.goal == "latency" and not asked.argmax
    return [Pipelining(adder_graph=graph, period_ps=period, delays=delays, straight=straight) for graph in graphs]


def most_multiplications(asked: Asked) -> int:
    """Of how many at most a network is unrolled where that is not asked for: to try takes long, and the smallest design
    of a large network is folded."""
    return _SMALL if asked.goal == "area" and asked.frames_per_second is None else _LARGEST


def reaches_rate(candidate: Candidate, budget: Budget, asked: Asked) -> bool:
    """Whether a design gives the frames a second that are asked for at its planned clock; InputError if it does not and
    its architecture is asked for by name."""
    rate, clock, interval = asked.frames_per_second, candidate.planned_clock(budget), candidate.clocks.interval
    enough = rate is None or interval * rate <= clock * 1e6
    if asked.named and not enough:
        raise InputError(
            "option frames_per_second",
            f"{rate:g} is above a frame in {interval} clock{'s' * (interval > 1)} at {clock:g} MHz planned",
            "Ask for less, or a faster clock (--option clock_mhz=…)"
            + (", or convert --to quantized: the same integers, a frame per clock" if interval > 1 else ""),
        )
    return enough


def leaves_room(candidate: Candidate, budget: Budget, asked: Asked) -> bool:
    """Whether an unrolled design leaves half of the part to others, or takes no more lookup tables than are allowed."""
    whole, most = total(candidate.costs), asked.most_luts(budget)
    luts = budget.luts * _SHARE if most is None else most
    return whole.luts <= luts and whole.flip_flops <= budget.flip_flops * _SHARE
