"""Where the ways from a branch meet: its immediate postdominator among the blocks of its function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["postdominators"]

_END = ""


def postdominators(following: Mapping[str, Sequence[str]]) -> dict[str, str | None]:
    """For each block, the first other one that every way from it to the end comes to; None if that is the end.

    following : by block those that may come next, none behind a return.
    """
    everything = frozenset((*following, _END))
    behind = dict.fromkeys(following, everything)
    behind[_END] = frozenset((_END,))
    order = list(reversed(list(following)))
    changed = True
    while changed:
        changed = False
        for block in order:
            common = everything.intersection(*(behind[target] for target in following[block] or (_END,)))
            new = common | {block}
            if new != behind[block]:
                behind[block], changed = new, True
    found: dict[str, str | None] = {}
    for block in following:
        nearest = max(behind[block] - {block}, key=lambda each: len(behind[each]), default=_END)
        found[block] = nearest or None
    return found
