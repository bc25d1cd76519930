"""Where the ways of a branch meet: its immediate postdominator among the instructions of its function."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["join_of"]

_EXIT = -1


def join_of(branch: int, targets: Callable[[int], tuple[int, ...]]) -> int | None:
    """The first instruction that every way from a branch comes to; None if that is the end of the function.

    targets : where the instruction at an address may go, −1 for the end.
    """
    following: dict[int, tuple[int, ...]] = {}
    open_ = [branch]
    while open_:
        address = open_.pop()
        if address in following:
            continue
        following[address] = targets(address)
        open_ += [target for target in following[address] if target != _EXIT]
    behind = _postdominators(following)
    common = behind[branch] - {branch}
    # The nearest of them is the one that all the others are behind of.
    nearest = max(common, key=lambda address: len(behind.get(address, ())), default=_EXIT)
    return None if nearest == _EXIT else nearest


def _postdominators(following: dict[int, tuple[int, ...]]) -> dict[int, frozenset[int]]:
    """What every way from each instruction to the end comes to, itself included."""
    everything = frozenset((*following, _EXIT))
    found = dict.fromkeys(following, everything)
    found[_EXIT] = frozenset((_EXIT,))
    order = sorted(following, reverse=True)
    changed = True
    while changed:
        changed = False
        for address in order:
            common = everything.intersection(*(found[target] for target in following[address]))
            new = common | {address}
            if new != found[address]:
                found[address] = new
                changed = True
    return found
