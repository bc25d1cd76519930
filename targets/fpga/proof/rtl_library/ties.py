"""Which register of a module each wire `seen_…` of its bench is: `seen_fifo__filled` is `unit.fifo.filled`.

What stands for a part of a unit takes free inputs of the bench: `free_pipeline__result` drives `unit.pipeline.result`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import ceil

__all__ = ["Parameters", "ties"]

Parameters = Mapping[str, int | str]

_BLOCKS = {
    "once": ("genblk1.once", "ENCODING", 1),
    "by_bits": ("by_bits", "ENCODING", 2),
    "flowing": ("genblk1.genblk1.flowing", "RULE", 2),
}
"""Blocks of a unit that it has with one value of a parameter alone, and yosys's names of them."""


def ties(bench: str, parameters: Parameters) -> list[str]:
    """Commands of yosys that tie the wires `seen_…` of a bench to the registers of its unit, memories word by word."""
    if "module prove_argmax " in bench:
        return _class_ties(parameters)
    commands = []
    for free in sorted(set(re.findall(r"^ +input wire .*?\bfree_(\w+)", bench, re.MULTILINE))):
        if free.startswith("argmax__") and parameters.get("USER_BITS") == 0:
            continue
        commands.append(f"connect -nounset -set unit.{free.replace('__', '.')} free_{free}")
    for seen in sorted(set(re.findall(r"\bseen_(\w+)", bench))):
        register, memory = _register(seen, parameters), _memory(seen, parameters)
        if register and memory:
            words, bits = memory
            commands += [_word(f"seen_{seen}", register, word, bits) for word in range(words)]
        elif register:
            here = "counted.seen_beat" if seen == "beat" and "BEATS" in parameters else f"seen_{seen}"
            commands.append(f"connect -nounset -set {here} {register}")
    return commands


def _register(seen: str, parameters: Parameters) -> str | None:
    """The unit's register that `seen_…` is; None where it has none with these parameters."""
    first, _, rest = seen.partition("__")
    if first in _BLOCKS:
        block, parameter, value = _BLOCKS[first]
        there = parameters[parameter] == value and parameters["SLOTS"] != (1 if first == "flowing" else 0)
        return f"unit.{block}.{rest}" if there else None
    if parameters.get("DEPTH") == 1 and seen.endswith("read_index"):
        return None  # one place has no index that is read
    if seen.startswith("by_slots__") and parameters["ENCODING"] == 0:
        return None
    if seen == "beat" and parameters.get("BEATS") == 1:
        return None  # a frame of one value has no count
    if seen.startswith("argmax__") and parameters.get("USER_BITS") == 0:
        return None
    if parameters.get("SLOTS") == 1 and seen == "kept":
        return None  # one slot builds on nothing
    return f"unit.{seen.replace('__', '.').replace('channel_0', 'channel[0]')}"


def _memory(seen: str, parameters: Parameters) -> tuple[int, int] | None:
    """Words of the unit's memory that `seen_…` is, and their bits; None if it is a register."""

    def number(name: str) -> int:
        return int(parameters.get(name, 0))

    if seen in ("neurons__memory", "counts") and "PE" in parameters:
        levels, lanes = number("LEVELS").bit_length(), number("PE")
        return number("WORDS"), lanes * (levels if seen == "counts" else number("MEMBRANE_BITS"))
    if seen == "by_slots__counts":
        return number("SIZE"), number("LEVELS").bit_length()
    if seen == "block":
        return 256, 8
    if seen == "results__memory":
        return number("LATENCY") + 3 - number("STRAIGHT"), number("OUTPUT_BITS")
    if seen == "memory" and "KEEP" in parameters:
        return 2 * number("WORDS"), number("WIDTH")
    if seen.endswith("memory"):
        return number("DEPTH"), number("WIDTH")
    if seen in ("kept", "requested") and "LANES" in parameters:
        words = number("SAMPLES") * ceil((number("INPUTS") or number("OUTPUTS")) / number("LANES"))
        return max(2, 1 << (words - 1).bit_length()), number("LANES") * number("ELEMENT_BITS")
    return None


def _word(seen: str, register: str, word: int, bits: int) -> str:
    """A word of a memory, which is a register of its own by then."""
    return f"connect -nounset -set {seen}[{(word + 1) * bits - 1}:{word * bits}] {register}[{word}]"


def _class_ties(parameters: Parameters) -> list[str]:
    """Those of the class unit, whose stages are blocks of their own."""
    outputs, lanes, bits = (int(parameters[name]) for name in ("OUTPUTS", "LANES", "ELEMENT_BITS"))
    if outputs == 1:
        return []
    levels, several = (lanes - 1).bit_length(), outputs > lanes
    names = ["going", "ordered", "ordered_last"]
    names += [f"words.{name}" for name in ("filled", "reserved", "some", "read_index", "write_index")]
    names += [f"classes.{name}" for name in ("filled", "read_index", "write_index")]
    pairs = [(f"several.seen_{name.replace('.', '__')}", name) for name in names]
    pairs += [
        (f"several.level[{level}].seen_{name}", f"level[{level}].{name}")
        for level in range(levels)
        for name in ("best", "index", "last_held")
    ]
    if several:
        pairs += [(f"several.across.seen_{name}", f"across.{name}") for name in ("fresh", "start", "index", "best")]
        pairs.append(("several.across.seen_word", "counted.word"))
    depth = 1 + levels + several + 2
    widths = {"words": lanes * bits, "classes": (outputs - 1).bit_length()}
    return [f"connect -nounset -set {seen} unit.several_outputs.{name}" for seen, name in pairs] + [
        _word(f"several.seen_{fifo}__memory", f"unit.several_outputs.{fifo}.memory", word, width)
        for fifo, width in widths.items()
        for word in range(depth)
    ]
