"""Which foldings: the cheapest that reach a number of clocks per frame, and the fastest that fit a part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from edgeml.errors import InputError
from edgeml.network import Network

from .folding import Folding, ceil_div
from .plan import FoldedPlan, UnitChain, make_plan
from .timing import solve

__all__ = ["fastest_plan", "foldings_for_interval", "intervals", "quickest_plan", "smallest_plan"]

_MOST_LANES = 4096
_PRICES = 48

LayOut = Callable[[Network, Mapping[str, Folding]], FoldedPlan]
"""How foldings become a plan."""


def _lanes(channels: int, *, only_powers: bool) -> list[int]:
    """Useful numbers of elements per clock: ⌈channels / k⌉ for every k, or powers of two."""
    powers = {1 << k for k in range((channels - 1).bit_length() + 1) if 1 << k <= _MOST_LANES}
    if only_powers:
        return sorted(powers)
    exact = {ceil_div(channels, k) for k in range(1, channels + 1)}
    return sorted(lanes for lanes in exact | powers if lanes <= _MOST_LANES)


def _compatible(a: int, b: int) -> bool:
    return max(a, b) % min(a, b) == 0


def foldings_for_interval(network: Network, interval: int) -> dict[str, Folding] | None:
    """The cheapest foldings (fewest multipliers) with at most `interval` clocks per frame; None if there are none."""

    def price(chain: UnitChain, folding: Folding) -> float | None:
        return chain.head.size_with(folding) if chain.head.clocks_with(folding) <= interval else None

    return _best_foldings(make_plan(network, {}), price)


def _best_foldings(plan: FoldedPlan, price: Callable[[UnitChain, Folding], float | None]) -> dict[str, Folding] | None:
    """The foldings with the smallest sum of prices (None: not to be had); None if there are none.

    In a line of chains any number of elements may pass per clock, as long as neighbours divide each other; with
    residual paths powers of two are used, which always do.
    """
    line = all(len(chain.inputs) == 1 for chain in plan.chains) and all(
        len(plan.takers(name)) <= 1 for name in plan.sources()
    )
    best: dict[int, tuple[float, dict[str, Folding]]] = {0: (0, {})}
    for chain in plan.chains:
        following: dict[int, tuple[float, dict[str, Folding]]] = {}
        offered = _lanes(chain.channels, only_powers=not line and chain is not plan.chains[-1])
        for simd in _lanes(chain.inputs[0].channels, only_powers=not line):
            before = [entry for lanes, entry in best.items() if not (line and lanes) or _compatible(lanes, simd)]
            if not before:
                continue
            cost, foldings = min(before, key=lambda entry: entry[0])
            for pe in chain.head.output_lanes(simd, offered):
                more = price(chain, Folding(pe, simd))
                if more is not None and (pe not in following or cost + more < following[pe][0]):
                    following[pe] = (cost + more, {**foldings, chain.name: Folding(pe, simd)})
        if not following:
            return None
        # With residual paths lanes need no match, so the cheapest alone goes on.
        best = following if line else {0: min(following.values(), key=lambda entry: entry[0])}
    return min(best.values(), key=lambda entry: entry[0])[1]


def intervals(network: Network) -> Iterator[int]:
    """Numbers of clocks per frame worth trying, from the fastest: each √2 above the one before."""
    most = _most_clocks(network)
    value, k = 1, 0
    while value < most:
        yield value
        k += 1
        value = max(value + 1, round(2 ** (k / 2)))
    yield most


def _most_clocks(network: Network) -> int:
    """Clocks per frame of the slowest unit, where every layer has the least folding."""
    return max(chain.clocks_per_frame for chain in make_plan(network, {}).chains)


def smallest_plan(network: Network, lay_out: LayOut = make_plan) -> FoldedPlan:
    """The cheapest plan, however many clocks it takes. Raises InputError if there is none."""
    return fastest_plan(network, lambda plan: True, lay_out, at_most=_most_clocks(network))


def fastest_plan(
    network: Network, fits: Callable[[FoldedPlan], bool], lay_out: LayOut = make_plan, *, at_most: int | None = None
) -> FoldedPlan:
    """The plan with the fewest clocks per frame that `fits`; with `at_most`, the cheapest within that many clocks.

    lay_out : makes a plan of foldings. Raises InputError if none fits.
    """
    tried = [at_most] if at_most is not None else list(intervals(network))
    plan = None
    for interval in tried:
        foldings = foldings_for_interval(network, interval)
        if foldings is None:
            continue
        plan = lay_out(network, foldings)
        if fits(plan):
            return plan
    if plan is None:
        raise InputError(
            f"network {network.name}", f"no foldings give a frame every {tried[-1]} clocks", "Allow more clocks"
        )
    return plan


def _clocks_and_multipliers(price: float) -> Callable[[UnitChain, Folding], float]:
    return lambda chain, folding: chain.head.clocks_with(folding) + price * chain.head.size_with(folding)


def quickest_plan(network: Network, fits: Callable[[FoldedPlan], bool], lay_out: LayOut = make_plan) -> FoldedPlan:
    """The plan with the fewest clocks from the first input to the last result that `fits`.

    A frame passes one layer after the other, so the sum of their clocks counts, not the slowest: for each price of a
    multiplier the foldings with the smallest clocks + price · multipliers are tried (Lagrange), and those of
    `fastest_plan`; exact clocks decide among what fits. Raises InputError if nothing has foldings.
    """
    bare = make_plan(network, {})
    tried: list[dict[str, Folding]] = []
    for k in range(_PRICES):
        foldings = _best_foldings(bare, _clocks_and_multipliers(2.0 ** (4 - k / 2)))
        if foldings is not None and foldings not in tried:
            tried.append(foldings)
    tried += [foldings for interval in intervals(network) if (foldings := foldings_for_interval(network, interval))]
    plans = [lay_out(network, foldings) for foldings in tried]
    fitting = [plan for plan in plans if fits(plan)]
    if not fitting:
        return fastest_plan(network, fits, lay_out)
    return min(fitting, key=lambda plan: solve(plan, 1).latency)
