"""Inputs that take each layer to its extremes: sums as small and as large as a search finds, inputs of a layer all at
one end, and pairs of neighbours between which a threshold is crossed.

For the first layer the signs of the weights give the extremes exactly. Behind it, what the outputs should do is carried
back through the layers as a direction for the inputs (`directions`), and climbed along in steps of many inputs and of
few; what is reached is a lower bound of what can be. The work is counted in operations, not in seconds, and all of it
is on integers: the same network gives the same vectors on every processor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..network import Network, Node
from .directions import Direction, wanted_inputs

__all__ = ["MOST_DERIVED", "extreme_inputs"]

MOST_DERIVED = 96
"""Vectors that are derived at most."""

_WORK = 2 * 10**8
"""Operations for a network, about: tenths of a second."""
_CALL = 50_000
"""Operations that one call of numpy's for a layer (and a time step) costs as much as."""
_MOST_VALUES = 2**24
_ROUNDS = 12
_RANDOM_ROUNDS = 3
_CANDIDATES = 12

IntTensor = npt.NDArray[np.int32]
Values = dict[str, IntTensor]


@dataclass(frozen=True, eq=False)
class _Goal:
    """A sum of a node's values to be as large as it can be: Σ_c direction[c] · value[c]."""

    node: str
    direction: Direction

    def score(self, values: Values) -> npt.NDArray[np.int64]:
        """Of each sample."""
        chosen = np.flatnonzero(self.direction)
        signs = self.direction[chosen].astype(np.int64)
        return np.asarray(values[self.node][:, chosen].astype(np.int64) @ signs)


class _Search:
    """One network: what was tried so far, and what work is left."""

    def __init__(self, network: Network, pool: IntTensor) -> None:
        self.network = network
        self.generator = np.random.default_rng(1)
        self.work = _WORK
        self._needed = _ancestors(network)
        most = max(2, _MOST_VALUES // sum(network.sizes.values()))
        self.pool = pool[:most]
        self.values = self.run(self.pool, network.nodes[-1].name)
        self.batch = max(2, min(_CANDIDATES, most))

    def cost(self, node: str, samples: int) -> int:
        """Operations, about, of computing a node for n `samples`."""
        each = fixed = 0
        for part in self._needed[node][1:]:
            steps, size = part.layer.time_steps, self.network.sizes[part.name]
            constants = sum(array.size for array in part.layer.parts()[1].values())
            # A matrix product is limited by memory for few samples, and quick for each of many.
            each += constants // 16 + 16 * size if part.layer.weighted_sum else constants * steps + 16 * size
            fixed += _CALL * steps + constants
        return fixed + samples * each

    def run(self, q: IntTensor, node: str) -> Values:
        """The integers of `node` and of all that it needs, for q [samples, inputs]."""
        self.work -= self.cost(node, len(q))
        values: Values = {self.network.nodes[0].name: q}
        for part in self._needed[node][1:]:
            values[part.name] = part.layer.evaluate(*(values[name] for name in part.inputs))
        return values

    def remember(self, q: IntTensor) -> None:
        """Let later goals begin at q [inputs] too."""
        found = self.run(q[None], self.network.nodes[-1].name)
        self.pool = np.concatenate([self.pool, q[None]])
        self.values = {name: np.concatenate([value, found[name]]) for name, value in self.values.items()}

    def wanted(self, goal: _Goal, values: Values) -> tuple[IntTensor, Direction] | None:
        """What each input should be for the goal at `values` (of one sample), and how much that matters; None if a
        layer on the way does not say. What stands at the end that it is wanted at counts a quarter."""
        directions: dict[str, Direction] = {goal.node: goal.direction}
        entry = self.network.nodes[0]
        low, high = self.network.quantizer.low, self.network.quantizer.high
        goal_values, matters = values[entry.name][0], np.zeros(self.network.input_size)
        for part in reversed(self._needed[goal.node][1:]):
            direction = directions.pop(part.name, None)
            if direction is None:
                continue
            if part.inputs == (entry.name,) and (best := part.layer.best_inputs(direction, low, high)) is not None:
                # Layers that share an input do not agree: it goes to who cares most.
                more = best[1] > matters
                goal_values, matters = np.where(more, best[0], goal_values), np.where(more, best[1], matters)
                continue
            ends, value = self.network.ranges[part.name], values[part.name][0]
            there = np.where(direction > 0, value >= ends.high, value <= ends.low)
            taken = [values[name][0] for name in part.inputs]
            backward = wanted_inputs(part.layer, np.where(there, np.trunc(direction / 4), direction), taken)
            if backward is None:
                return None
            for name, back in zip(part.inputs, backward, strict=True):
                directions[name] = directions[name] + back if name in directions else back
        if entry.name in directions:
            wanted = directions[entry.name]
            more = np.abs(wanted) > matters
            goal_values = np.where(more, np.where(wanted > 0, high, low), goal_values)
            matters = np.where(more, np.abs(wanted), matters)
        return goal_values, matters

    def climb(self, goal: _Goal, allowed: int) -> IntTensor:
        """The best input [inputs] found for the goal with so much work."""
        floor = self.work - allowed
        scores = goal.score(self.values)
        first = int(scores.argmax())
        best: IntTensor = self.pool[first]
        best_score = int(scores[first])
        values = {name: value[first : first + 1] for name, value in self.values.items()}
        ends = self.network.ranges[goal.node]
        signs = goal.direction.astype(np.int64)
        bound = int(np.where(signs > 0, ends.high, ends.low) @ signs)
        failed, seen = 0, 0
        while best_score < bound and failed < _RANDOM_ROUNDS and seen < _ROUNDS:
            if self.work - self.cost(goal.node, self.batch) < floor:
                break
            wanted = self.wanted(goal, values) if failed == 0 else None
            tries = np.empty((0, best.size), np.int32)
            if wanted is not None:
                tries = _toward(best, *wanted)
            tries = (tries if len(tries) else self._shuffled(best))[: self.batch]
            found = self.run(tries, goal.node)
            scores = goal.score(found)
            choice = int(scores.argmax())
            seen += 1
            if int(scores[choice]) > best_score:
                best, best_score, failed = tries[choice], int(scores[choice]), 0
                values = {name: value[choice : choice + 1] for name, value in found.items()}
            else:
                failed += 1
        return best

    def _shuffled(self, q: IntTensor) -> IntTensor:
        """Some inputs of q at random at one of their ends: a few of them, or many."""
        size, quantizer = q.size, self.network.quantizer
        tries = np.repeat(q[None], _CANDIDATES, axis=0)
        for position, row in enumerate(tries):
            count = max(1, size >> (position % 6 + 1))
            chosen = self.generator.permutation(size)[:count]
            row[chosen] = self.generator.choice(np.array([quantizer.low, quantizer.high], np.int32), count)
        return tries

    def crossing(self, node: str, channel: int) -> IntTensor:
        """Two inputs [2, inputs] that differ by 1 in one place, between which the value of a channel crosses the middle
        of what it has reached; none [0, inputs] if it has reached one value only."""
        reached = self.values[node][:, channel]
        first, last = int(reached.argmin()), int(reached.argmax())
        middle = (int(reached[first]) + int(reached[last])) // 2
        if reached[first] == reached[last]:
            return np.empty((0, self.network.input_size), np.int32)
        below: IntTensor = self.pool[first]
        above: IntTensor = self.pool[last]
        places = np.flatnonzero(below != above)

        def exchanged(count: int) -> IntTensor:
            q: IntTensor = below.copy()
            q[places[:count]] = above[places[:count]]
            return q

        count = self._last_below(exchanged, len(places), node, channel, middle)
        near, place = exchanged(count), int(places[count])
        distance = int(above[place]) - int(below[place])

        def moved(steps: int) -> IntTensor:
            q = near.copy()
            q[place] += steps if distance > 0 else -steps
            return q

        steps = self._last_below(moved, abs(distance), node, channel, middle)
        return np.stack([moved(steps), moved(steps + 1)])

    def _last_below(self, made: Callable[[int], IntTensor], count: int, node: str, channel: int, middle: int) -> int:
        """A step k of a path made(0) … made(count), which begins at or below the middle and ends above it, such that
        made(k) is not above and made(k + 1) is."""
        left, right = 0, count
        while right - left > 1:
            parts = min(self.batch, right - left - 1) + 1
            inner = left + (right - left) * np.arange(1, parts) // parts
            over = self.run(np.stack([made(int(k)) for k in inner]), node)[node][:, channel] > middle
            position = int(over.argmax()) if over.any() else len(inner)
            right = int(inner[position]) if position < len(inner) else right
            left = int(inner[position - 1]) if position else left
        return left


def _ancestors(network: Network) -> dict[str, tuple[Node, ...]]:
    """For each node, what must be computed for it, itself included, in order; the input first."""
    needed: dict[str, set[str]] = {}
    for node in network.nodes:
        needed[node.name] = {node.name}.union(*(needed[name] for name in node.inputs))
    return {
        name: tuple(node for node in network.nodes if node.name in names or node is network.nodes[0])
        for name, names in needed.items()
    }


def _toward(q: IntTensor, goal: IntTensor, matters: Direction) -> IntTensor:
    """q with the inputs that matter most as `goal` has them: all of them, half, a quarter …"""
    moving = np.flatnonzero(goal != q)
    order = moving[np.argsort(-matters[moving], kind="stable")]
    counts = sorted({max(1, len(order) * share // 16) for share in (16, 14, 12, 10, 8, 6, 4, 2, 1)} | {1}, reverse=True)
    tries = np.repeat(q[None], len(counts) if len(order) else 0, axis=0)
    for row, count in zip(tries, counts, strict=False):
        row[order[:count]] = goal[order[:count]]
    return tries


def _goals(network: Network, node: Node) -> list[_Goal]:
    """Both ends of the channels with the farthest bounds; for a dense layer, its inputs all at one end, too."""
    ends, size = network.ranges[node.name], network.sizes[node.name]
    one = np.eye(1, size, int(ends.high.argmax())), np.eye(1, size, int(ends.low.argmin()))
    farthest = [row.ravel() for row in one]
    goals = [_Goal(node.name, sign * row) for sign in (1.0, -1.0) for row in farthest]
    if node.layer.weighted_sum:
        source = node.inputs[0]
        if source != network.nodes[0].name:
            together = np.ones(network.sizes[source])
            goals += [_Goal(source, together), _Goal(source, -together)]
    else:
        goals += [_Goal(node.name, np.ones(size)), _Goal(node.name, -np.ones(size))]
    return goals


def _evenly(nodes: list[Node], count: int) -> list[Node]:
    """At most `count` of the nodes, spread over all of them."""
    if len(nodes) <= count:
        return nodes
    return [nodes[position * (len(nodes) - 1) // max(1, count - 1)] for position in range(count)]


def extreme_inputs(network: Network, pool: IntTensor) -> IntTensor:
    """Inputs int32 [at most `MOST_DERIVED`, inputs] that take the layers of `network` to their extremes.

    Parameters
    ----------
    pool : int32 [n ≥ 2, inputs], where the search begins; what it holds is not given back.
    """
    search = _Search(network, pool)
    climbing = [node for node in network.layers if not node.layer.monotone]
    crossed = [node for node in network.layers if node.layer.monotone]
    climbing = _evenly(climbing, (MOST_DERIVED - 2 * min(len(crossed), MOST_DERIVED // 4)) // 6)
    crossed = _evenly(crossed, (MOST_DERIVED - 6 * len(climbing)) // 2)
    goals = [goal for node in climbing for goal in _goals(network, node)]
    known = {row.tobytes() for row in pool}
    found: list[IntTensor] = []

    def keep(q: IntTensor) -> None:
        if q.tobytes() not in known:
            known.add(q.tobytes())
            found.append(q)
            if len(search.pool) * sum(network.sizes.values()) < _MOST_VALUES:
                search.remember(q)

    for position, goal in enumerate(goals):
        keep(search.climb(goal, search.work // (len(goals) - position + 1)))
    for node in crossed:
        reached = search.values[node.name].astype(np.int64)
        for q in search.crossing(node.name, int((reached.max(axis=0) - reached.min(axis=0)).argmax())):
            keep(q)
    return np.stack(found) if found else np.empty((0, network.input_size), np.int32)
