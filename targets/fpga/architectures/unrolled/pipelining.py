"""What is chosen for an unrolled design."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...budget import Budget
from ...estimate.costs import Cost
from ...options import Asked
from ..stored_choices import StoredChoices
from .layer_logic import ADDER_GRAPHS

__all__ = ["MOST_MULTIPLICATIONS", "Pipelining", "leaves_room", "read_choices"]

_MOST_REGISTER_EVERY = 64
_SHARE = 0.5
MOST_MULTIPLICATIONS = 20_000
"""A network of more is not unrolled unless that is asked for: to try takes long."""


@dataclass(frozen=True)
class Pipelining:
    """The choices.

    Parameters
    ----------
    register_every : logic depth between pipeline registers, from 1 on.
    adder_graph : who shares the sums of dense layers, one of `ADDER_GRAPHS`.
    """

    register_every: int = 1
    adder_graph: str = ADDER_GRAPHS[0]

    def as_json(self) -> dict[str, Any]:
        """As `design.json` holds them."""
        graph = {} if self.adder_graph == ADDER_GRAPHS[0] else {"adder_graph": self.adder_graph}
        return {"register_every": self.register_every, **graph}


def read_choices(stored: StoredChoices) -> Pipelining:
    """Inverse of `Pipelining.as_json`; InputError if a value is not sound."""
    return Pipelining(stored.whole("register_every", _MOST_REGISTER_EVERY, 1), stored.word("adder_graph", ADDER_GRAPHS))


def leaves_room(whole: Cost, budget: Budget, asked: Asked) -> bool:
    """Whether an unrolled design leaves half of the part to others, or takes no more lookup tables than are allowed."""
    most = asked.most_luts(budget)
    luts = budget.luts * _SHARE if most is None else most
    return whole.luts <= luts and whole.flip_flops <= budget.flip_flops * _SHARE
