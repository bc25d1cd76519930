"""How far each input integer of a sample may move, all at once, before the class can be another.

Certified at radius r: every q' with |q'[i] − q[i]| ≤ r for all i, within the network's input range, has the class of q.
A box of inputs is bounded (`relaxation`); where the bound leaves it open, the corner that the bound points at is run on
golden, which may find another class, and the box is halved along the input that matters most. Halving ends in single
points, which golden decides, so that a network of few inputs is decided exactly, given boxes enough.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import InputError, NetworkError
from ..network import Network, decisions, simulate
from ..network.expansion import expanded
from ..network.task import BINARY, VALUES
from .descent import descend
from .relaxation import relax

__all__ = ["CERTIFIED", "CHANGED", "OPEN", "Certificate", "certify", "certify_box"]

CERTIFIED, CHANGED, OPEN = "certified", "changed", "open"

Integers = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Certificate:
    """What was found of samples.

    Parameters
    ----------
    classes : int64 [samples], golden's.
    certified : int64 [samples], the largest radius found within which the class cannot change; 0 holds of any.
    changed : int64 [samples], the smallest radius found at which an input of another class is known; −1: none is.
    examples : such an input for each sample that has one, by its number: int32 [inputs].
    most : the radius at which every input has its whole range.
    """

    classes: npt.NDArray[np.int64]
    certified: npt.NDArray[np.int64]
    changed: npt.NDArray[np.int64]
    examples: dict[int, Integers]
    most: int

    def shares(self, radius: int) -> dict[str, float]:
        """The shares of samples that are certified, known to change, and neither, at a radius."""
        held = self.certified >= min(radius, self.most)
        lost = (self.changed >= 0) & (self.changed <= radius)
        return {CERTIFIED: _share(held), CHANGED: _share(lost), OPEN: _share(~held & ~lost)}

    @property
    def exact(self) -> float:
        """The share of samples whose largest radius is known exactly: one more changes the class, or there is none."""
        return _share((self.changed == self.certified + 1) | (self.certified >= self.most))


def _share(which: npt.NDArray[np.bool_]) -> float:
    return float(which.mean())


def _conditions(network: Network, answer: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Rows and least values with: the class is `answer` exactly where rows · y ≥ least, for each row."""
    if network.task == BINARY:
        threshold = network.output.decision_threshold
        sign = 1 if answer else -1
        return np.array([[float(sign)]]), np.array([threshold + 1 if answer else -threshold])
    others = np.delete(np.arange(network.output_size), answer)
    rows = -np.eye(network.output_size)[others]
    rows[:, answer] = 1.0
    return rows, (others < answer).astype(np.int64)  # the first of equals wins


def certify_box(
    network: Network, low: Integers, high: Integers, answer: int, *, boxes: int
) -> tuple[str, Integers | None]:
    """Whether all inputs in low … high, each int32 [inputs], have the class `answer`, looking at so many boxes at most.

    (CERTIFIED, None), (CHANGED, an input of another class), which golden confirmed, or (OPEN, None).
    """
    rows, least = _conditions(network, answer)
    last = network.nodes[-1].name
    left = [(low, high)]
    for _ in range(boxes):
        if not left:
            break
        low, high = left.pop()
        bound, growth = relax(network, low, high).at_least(rows, last)
        failing = np.ceil(bound) < least
        if not failing.any():
            continue
        corners = np.where(growth[failing] > 0, low, high).astype(np.int32)
        others = decisions(network, simulate(network, corners)) != answer
        if others.any():
            return CHANGED, corners[int(others.argmax())]
        width = high - low
        if not width.any():
            continue  # a single point, which golden has just decided
        worst = growth[int(np.argmin(bound - least))]
        axis = int(np.argmax(np.abs(worst) * width if (worst * width).any() else width))
        middle = (int(low[axis]) + int(high[axis])) // 2
        below, above = high.copy(), low.copy()
        below[axis], above[axis] = middle, middle + 1
        left += [(low, below), (above, high)]
    return (OPEN if left else CERTIFIED), None


def certify(
    network: Network,
    q: npt.NDArray[np.integer],
    radii: Sequence[int] = (1, 2, 4),
    *,
    boxes: int = 64,
    told: Callable[[int, int], None] = lambda done, of: None,
) -> Certificate:
    """Find for each sample of q, integers [samples, inputs], the largest radius within which its class cannot change.

    radii : these are looked at with so many `boxes`; the radius between them by halving, with an eighth of the boxes.
    told : called with the samples done and their number.

    Raises InputError where q does not fit, a radius is not positive, or the network gives values instead of classes.
    """
    q = network.check_input(q)
    if network.task == VALUES:
        raise InputError("network", "gives values, not classes, so no class can be certified")
    if not len(q):
        raise InputError("samples", "there are none to certify")
    if not radii or min(radii) < 1 or boxes < 1:
        raise InputError("radius", f"radii and boxes must be 1 or more, found {list(radii)} and {boxes}")
    network = _of_plain_layers(network)
    classes = decisions(network, simulate(network, q))
    ends = (network.quantizer.low, network.quantizer.high)
    most = ends[1] - ends[0]
    certified, changed = np.zeros(len(q), np.int64), np.full(len(q), -1, np.int64)
    examples: dict[int, Integers] = {}
    for index, (sample, answer) in enumerate(zip(q, classes, strict=True)):
        search = _Search(network, sample, int(answer), ends)
        for radius in sorted({min(radius, most) for radius in radii}):
            if not search.look(radius, boxes):
                break
        search.between(max(1, boxes // 8), most)
        search.look_farther(most)
        certified[index], changed[index] = search.held, search.lost
        if search.example is not None:
            examples[index] = search.example
        told(index + 1, len(q))
    return Certificate(classes, certified, changed, examples, most)


def _of_plain_layers(network: Network) -> Network:
    """The same integers by layers that lines go through, where shared layers and maxima can be made such."""
    if all(node.layer.affine or not node.layer.expands for node in network.nodes):
        return network
    try:
        return expanded(network)
    except NetworkError:  # too many weights in one layer: ranges bound it
        return network


class _Search:
    """Looks for the largest radius of one sample.

    held : certified so far. tried : the smallest radius that was not. lost, example : the nearest other class; −1 and
    None where none is known.
    """

    def __init__(self, network: Network, sample: Integers, answer: int, ends: tuple[int, int]) -> None:
        self._network, self._sample, self._answer, self._ends = network, sample, answer, ends
        self.held, self.tried, self.lost = 0, -1, -1
        self.example: Integers | None = None

    def look(self, radius: int, boxes: int) -> bool:
        """Whether the class is certified at this radius; what is found is kept."""
        low, high = (np.clip(self._sample + side * radius, *self._ends).astype(np.int32) for side in (-1, 1))
        status, example = certify_box(self._network, low, high, self._answer, boxes=boxes)
        if status == OPEN:
            example = self._corner(low, high)
        if status == CERTIFIED:
            self.held = max(self.held, radius)
            return True
        self.tried = radius if self.tried < 0 else min(self.tried, radius)
        if example is not None:
            self._keep(example)
        return False

    def _corner(self, low: Integers, high: Integers) -> Integers | None:
        """A corner of another class, if the search finds one from where the bound points."""
        rows, least = _conditions(self._network, self._answer)
        bound, growth = relax(self._network, low, high).at_least(rows, self._network.nodes[-1].name)
        worst = growth[int(np.argmin(bound - least))]
        corner = descend(self._network, (low, high), rows, least, np.where(worst > 0, low, high).astype(np.int32))
        other = int(decisions(self._network, simulate(self._network, corner[None, :]))[0]) != self._answer
        return corner if other else None

    def _keep(self, example: Integers) -> None:
        """Keep an input of another class, or the nearest one of that class on the way to it from the sample."""
        away = example.astype(np.int64) - self._sample
        distance = int(np.abs(away).max())
        steps = np.arange(1, distance + 1)[:, None]
        way = (self._sample + np.sign(away) * np.minimum(np.abs(away), steps)).astype(np.int32)
        others = decisions(self._network, simulate(self._network, way)) != self._answer
        nearest = int(others.argmax())
        if self.lost < 0 or nearest + 1 < self.lost:
            self.lost, self.example = nearest + 1, way[nearest]

    def look_farther(self, most: int) -> None:
        """Look for an input of another class at larger radii, where none was found."""
        radius = self.tried
        while self.lost < 0 < radius:
            self.look(radius, 1)
            radius = min(2 * radius, most) if radius < most else -1

    def between(self, boxes: int, most: int) -> None:
        """Narrow the largest radius down, between what is certified and what is not."""
        while self.tried < 0 and self.held < most:
            self.look(min(2 * self.held, most), boxes)
        while self.tried - self.held > 1:
            self.look((self.held + self.tried) // 2, boxes)
