"""Which of several kernels a layer gets, by what each costs: bytes of flash against instructions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["BALANCED", "SIZE", "SPEED", "WANTED", "KernelCost", "quickest"]

BALANCED, SPEED, SIZE = "balanced", "speed", "size"
WANTED = (BALANCED, SPEED, SIZE)
"""What kernels may be chosen by: see `quickest`."""
_SPENDING = ("straight_line", "straight_line_words", "w2_words")
"""Kernels that spend flash on time: weights as code, or as words that need no unpacking."""
_NARROWER: Mapping[str, tuple[str, ...]] = {"w8_dsp": ("w2_dsp", "w4_dsp")}
"""Kernels beside which one spends flash on time, too: where they apply, it stores narrower weights in 8 bits."""


@dataclass(frozen=True, order=True)
class KernelCost:
    """A kernel for a layer, in a whole network on a core.

    Parameters
    ----------
    bytes : constants and code of its own.
    instructions : of one inference.
    kernel : its name.
    """

    bytes: int
    instructions: int
    kernel: str


def quickest(costs: Mapping[str, list[KernelCost]], wanted: str = BALANCED, save: int = 0) -> dict[str, str]:
    """The kernel of each stage: of those that take at most an eighth more instructions than the quickest (for `speed` a
    32nd), the one of the fewest bytes.

    Parameters
    ----------
    wanted : `speed` takes any kernel; `balanced` none that spends flash on time at a bad price: its bytes times its
        instructions must be at most three quarters of those of any that does not. `size` takes the fewest bytes.
    save : so many bytes less than these take are wanted: as long as they are not saved, the kernel that costs the
        fewest instructions for each byte is replaced by a smaller one.
    """
    chosen = {}
    for prefix, all_of_them in costs.items():
        candidates = [
            each for each in all_of_them if wanted != BALANCED or not any(_dear(each, other) for other in all_of_them)
        ]
        part = 32 if wanted == SPEED else 8
        limit = (part + 1) * min(each.instructions for each in candidates)
        chosen[prefix] = min(each for each in candidates if wanted == SIZE or part * each.instructions <= limit)
    while save > 0:
        smaller = [
            ((each.instructions - chosen[prefix].instructions) / (chosen[prefix].bytes - each.bytes), prefix, each)
            for prefix, candidates in costs.items()
            for each in candidates
            if each.bytes < chosen[prefix].bytes
        ]
        if not smaller:
            break
        _, prefix, each = min(smaller)
        save -= chosen[prefix].bytes - each.bytes
        chosen[prefix] = each
    return {prefix: each.kernel for prefix, each in chosen.items()}


def _dear(cost: KernelCost, other: KernelCost) -> bool:
    """Whether the first spends flash on time, the other does not, and bytes times instructions are more."""
    spends = cost.kernel in _SPENDING and other.kernel not in _SPENDING
    if not spends and other.kernel not in _NARROWER.get(cost.kernel, ()):
        return False
    return cost.bytes * cost.instructions > other.bytes * other.instructions
