"""Which folds: the cheapest that reach a number of clocks per frame, and the fastest that fit a part."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from edgeml.errors import InputError
from edgeml.network import Dense, Network

from .folded.plan import INPUT, Fold, Plan, ceil_div, make_plan

__all__ = ["fastest_plan", "folds_for_interval", "intervals"]

_MOST_LANES = 4096


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
    """The cheapest folds (fewest multipliers) with at most `interval` clocks per frame; None if there are none.

    In a chain any number of elements may pass per clock, as long as neighbours divide each other; with residual
    paths powers of two are used, which always do.
    """
    plan = make_plan(network, {})
    chain = all(len(segment.inputs) == 1 for segment in plan.segments) and all(
        len(plan.takers(name)) <= 1 for name in [INPUT, *(s.name for s in plan.segments)]
    )
    best: dict[int, tuple[int, dict[str, Fold]]] = {0: (0, {})}
    for segment in plan.segments:
        following: dict[int, tuple[int, dict[str, Fold]]] = {}
        layer = segment.head.node.layer
        last = segment is plan.segments[-1]
        in_channels = segment.inputs[0].channels
        free_input = chain and segment is plan.segments[0]
        for previous, (cost, folds) in best.items():
            for simd in _lanes(in_channels, only_powers=not free_input and not chain):
                if chain and previous and not _compatible(previous, simd):
                    continue
                steps = ceil_div(in_channels, simd)
                if steps > interval:
                    continue
                if isinstance(layer, Dense):
                    choices = _lanes(segment.channels, only_powers=not chain and not last)
                    enough = [pe for pe in choices if ceil_div(segment.channels, pe) * steps <= interval]
                    enough = [pe for pe in enough if pe <= 2 * enough[0]]
                else:
                    enough = [simd]
                for pe in enough:
                    more = cost + pe * simd * (1 if isinstance(layer, Dense) else 0) + pe + simd
                    if pe not in following or more < following[pe][0]:
                        following[pe] = (more, {**folds, segment.name: Fold(pe, simd)})
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
