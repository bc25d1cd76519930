"""Which folds: the cheapest that reach a number of clocks per frame, and the fastest that fit a part."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from edgeml.errors import InputError
from edgeml.network import Dense, Network

from .plan import (
    INPUT,
    Fold,
    Plan,
    Segment,
    ceil_div,
    make_plan,
)
from .timing import solve

__all__ = ["fastest_plan", "folds_for_interval", "intervals", "quickest_plan"]

_MOST_LANES = 4096
_PRICES = 48


def _lanes(channels: int, *, only_powers: bool) -> list[int]:
    """Useful numbers of elements per clock: ⌈channels / k⌉ for every k, or powers of two."""
    powers = {1 << k for k in range((channels - 1).bit_length() + 1) if 1 << k <= _MOST_LANES}
    if only_powers:
        return sorted(powers)
    exact = {ceil_div(channels, k) for k in range(1, channels + 1)}
    return sorted(lanes for lanes in exact | powers if lanes <= _MOST_LANES)


def _compatible(a: int, b: int) -> bool:
    return max(a, b) % min(a, b) == 0


def folds_for_interval(network: Network, interval: int) -> dict[str, Fold] | None:
    """The cheapest folds (fewest multipliers) with at most `interval` clocks per frame; None if there are none."""

    def price(segment: Segment, fold: Fold) -> float | None:
        return _multipliers(segment, fold) if _steps(segment, fold) <= interval else None

    return _best_folds(make_plan(network, {}), price)


def _steps(segment: Segment, fold: Fold) -> int:
    """Clocks per frame of a segment with these folds."""
    steps = ceil_div(segment.inputs[0].channels, fold.simd)
    return steps * ceil_div(segment.channels, fold.pe) if isinstance(segment.head.node.layer, Dense) else steps


def _multipliers(segment: Segment, fold: Fold) -> int:
    """What folds cost: multipliers, and a little for every lane."""
    dense = isinstance(segment.head.node.layer, Dense)
    return (fold.pe * fold.simd if dense else 0) + fold.pe + fold.simd


def _best_folds(plan: Plan, price: Callable[[Segment, Fold], float | None]) -> dict[str, Fold] | None:
    """The folds with the smallest sum of prices (None: not to be had); None if there are none.

    In a chain any number of elements may pass per clock, as long as neighbours divide each other; with residual
    paths powers of two are used, which always do.
    """
    chain = all(len(segment.inputs) == 1 for segment in plan.segments) and all(
        len(plan.takers(name)) <= 1 for name in [INPUT, *(s.name for s in plan.segments)]
    )
    best: dict[int, tuple[float, dict[str, Fold]]] = {0: (0, {})}
    for segment in plan.segments:
        following: dict[int, tuple[float, dict[str, Fold]]] = {}
        dense = isinstance(segment.head.node.layer, Dense)
        outputs = _lanes(segment.channels, only_powers=not chain and segment is not plan.segments[-1])
        for simd in _lanes(segment.inputs[0].channels, only_powers=not chain):
            before = [entry for lanes, entry in best.items() if not (chain and lanes) or _compatible(lanes, simd)]
            if not before:
                continue
            cost, folds = min(before, key=lambda entry: entry[0])
            for pe in outputs if dense else [simd]:
                more = price(segment, Fold(pe, simd))
                if more is not None and (pe not in following or cost + more < following[pe][0]):
                    following[pe] = (cost + more, {**folds, segment.name: Fold(pe, simd)})
        if not following:
            return None
        # With residual paths lanes need no match, so the cheapest alone goes on.
        best = following if chain else {0: min(following.values(), key=lambda entry: entry[0])}
    return min(best.values(), key=lambda entry: entry[0])[1]


def intervals(network: Network) -> Iterator[int]:
    """Numbers of clocks per frame worth trying, from the fastest: each √2 above the one before."""
    most = max(s.steps for s in make_plan(network, {}).segments)
    value, k = 1, 0
    while value < most:
        yield value
        k += 1
        value = max(value + 1, round(2 ** (k / 2)))
    yield most


def fastest_plan(
    network: Network, fits: Callable[[Plan], bool], *, keep_block_rams: bool = False, at_most: int | None = None
) -> Plan:
    """The plan with the fewest clocks per frame that `fits`; with `at_most`, the cheapest within so many clocks.

    Raises InputError where none fits.
    """
    tried = [at_most] if at_most is not None else list(intervals(network))
    plan = None
    for interval in tried:
        folds = folds_for_interval(network, interval)
        if folds is None:
            continue
        plan = make_plan(network, folds, keep_block_rams=keep_block_rams)
        if fits(plan):
            return plan
    if plan is None:
        raise InputError(
            f"network {network.name}", f"no folds give a frame every {tried[-1]} clocks", "Allow more clocks"
        )
    return plan


def _clocks_and_multipliers(price: float) -> Callable[[Segment, Fold], float]:
    return lambda segment, fold: _steps(segment, fold) + price * _multipliers(segment, fold)


def quickest_plan(network: Network, fits: Callable[[Plan], bool], *, keep_block_rams: bool = False) -> Plan:
    """The plan with the fewest clocks from the first input to the last result that `fits`.

    A frame passes one layer after the other, so the sum of their clocks counts, not the slowest: for each price of a
    multiplier the folds with the smallest clocks + price · multipliers are tried (Lagrange), and those of
    `fastest_plan`; exact clocks decide among what fits. Raises InputError where nothing has folds.
    """
    bare = make_plan(network, {})
    tried: list[dict[str, Fold]] = []
    for k in range(_PRICES):
        folds = _best_folds(bare, _clocks_and_multipliers(2.0 ** (4 - k / 2)))
        if folds is not None and folds not in tried:
            tried.append(folds)
    tried += [folds for interval in intervals(network) if (folds := folds_for_interval(network, interval))]
    plans = [make_plan(network, folds, keep_block_rams=keep_block_rams) for folds in tried]
    fitting = [plan for plan in plans if fits(plan)]
    if not fitting:
        return fastest_plan(network, fits, keep_block_rams=keep_block_rams)
    return min(fitting, key=lambda plan: solve(plan, 1).latency)
