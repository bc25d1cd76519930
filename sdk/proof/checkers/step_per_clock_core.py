"""The Verilog of a core of a step per clock, read without yosys: its clocks, nets, instances, and what drives each bit.

A core holds what keeps its frames apart, wires, instances, and a few kinds of assignments; what holds more is refused.
"""

from __future__ import annotations

import re
from typing import Any

from ...errors import CheckFailed
from .statements import need

__all__ = ["OUTPUTS", "Bit", "Core", "Instance"]

Bit = int | tuple[str, int]
"""A constant, or a net and a place in it."""
OUTPUTS = {
    "edgeml_slot_counter": {"running": "1", "slot": "SLOT_BITS"},
    "edgeml_slot_source": {"spikes": "SIZE"},
    "edgeml_slot_neuron": {"spike": "1"},
    "edgeml_tracer_neuron": {"spike": "2"},
    "edgeml_slot_potential": {"potential": "BITS"},
    "edgeml_delay": {"out_data": "WIDTH"},
    "edgeml_fifo": {"can_reserve": "1", "valid": "1", "data": "WIDTH"},
}
"""The outputs of the modules of the library, and how wide they are: a number, or a parameter."""
_CLOCKS = r"always @\(posedge clk\) begin if \(rst\) {0} <= (\d+)'d(\d+); {1} end"
_GOING = r"else going <= (?:\{{going\[(\d+):0\], take\}}|take);"
_REST = r"else if \(take\) rest <= \d+'d(\d+); else if \(!rested\) rest <= rest - \d+'d1;"


class Instance:
    """An instance of a module: its parameters as integers, and the expression at each port."""

    def __init__(self, module: str, name: str, given: str, ports: str) -> None:
        self.module, self.name = module, name
        pairs = _named(given)
        self.parameters = {key: _number(value) for key, value in pairs}
        self.ports = dict(_named(ports))
        need(len(self.parameters) == len(pairs), name, "has a parameter twice")

    def width(self, port: str) -> int:
        """Bits of an output of a module of the library."""
        said = OUTPUTS[self.module][port]
        return int(said) if said.isdigit() else self.parameters[said]


def _named(text: str) -> list[tuple[str, str]]:
    """(name, expression) of each `.name(expression)`, parentheses in it closed."""
    found, place = [], 0
    while match := re.compile(r"\s*,?\s*\.(\w+)\(").match(text, place):
        depth, end = 1, match.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        found.append((match[1], text[match.end() : end - 1].strip()))
        place = end
    need(not text[place:].strip(), "core", f"joins {text[place : place + 40]!r}")
    return found


def _parts(text: str) -> list[str]:
    """What stands between commas, outside of braces."""
    found, depth, begun = [], 0, 0
    for place, letter in enumerate(text):
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if letter == "," and not depth:
            found.append(text[begun:place].strip())
            begun = place + 1
    return [*found, text[begun:].strip()]


def _constant(text: str) -> list[int] | None:
    """The bits of a number with a width, or of several joined; None for what is not constant."""
    if match := re.fullmatch(r"(\d+)'d(\d+)", text):
        value = int(match[2])
        return [value >> k & 1 for k in range(int(match[1]))]
    if text.startswith("{") and text.endswith("}"):
        parts = [_constant(part) for part in _parts(text[1:-1])]
        return [bit for part in reversed(parts) for bit in part or []] if None not in parts else None
    return None


def _number(text: str) -> int:
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    bits = _constant(text)
    if bits is None:
        raise CheckFailed("certificate, core", f"has a parameter {text[:40]!r}")
    return sum(bit << k for k, bit in enumerate(bits))


class Core:
    """The core as its Verilog says it.

    going : how many clocks a frame is followed. interval : clocks between frames. rested : clocks from a reset to the
    first. width : by net. instances : by name. gates : by net (mark, net) of what is passed on in one clock alone.
    sums : by bit (bits, constant, place) of what it is the sum of.
    """

    def __init__(self, name: str, text: str, widths: dict[str, int]) -> None:
        """widths : of `out_data` of the modules that are this design's own, by module."""
        self.own = widths
        body = re.sub(r"\s+", " ", re.sub(r"//[^\n]*", "", text)).strip()
        found = re.fullmatch(
            r"`default_nettype none module (\w+) \(([^()]*)\); (.*) endmodule `default_nettype wire", body
        )
        need(found is not None and found[1] == name, "core", "is not one module of its name")
        assert found is not None
        ports = re.findall(r"(input|output) wire (?:\[(\d+):0\] )?(\w+)", found[2])
        self.width = {port: int(top or 0) + 1 for _, top, port in ports}
        self.inputs = {port for way, _, port in ports if way == "input"}
        self.instances: dict[str, Instance] = {}
        self.source: dict[tuple[str, int], Bit] = {}
        self.gates: dict[str, tuple[Bit, str]] = {}
        self.sums: dict[tuple[str, int], tuple[list[Bit], int, int]] = {}
        self.driver: dict[tuple[str, int], tuple[Instance, str, int]] = {}
        self.driven: set[tuple[str, int]] = set()
        rest = self._clocks(found[3])
        for statement in rest.split(";"):
            if statement.strip():
                self._statement(statement.strip())
        for instance in self.instances.values():
            self._joined(instance)

    def _clocks(self, body: str) -> str:
        """Take out the registers that keep frames apart; the rest of the text."""
        going = re.search(_CLOCKS.format("going", _GOING.format()), body)
        need(going is not None, "core", "keeps frames in another way")
        assert going is not None
        self.going = int(going[1])
        need(int(going[2]) == 0 and int(going[3] or -1) == self.going - 2, "going", "shifts otherwise")
        body = body.replace(going[0], "")
        self.interval, self.rested = 1, 0
        if rest := re.search(_CLOCKS.format("rest", _REST), body):
            self.interval, self.rested = int(rest[3]) + 1, int(rest[2])
            need(max(int(rest[2]), int(rest[3])) < 1 << int(rest[1]), "rest", "has too few bits")
            body = body.replace(rest[0], "")
        for top, name in re.findall(r"\breg \[(\d+):0\] (\w+);", body):
            need(name in ("going", "rest"), name, "is a register that is not known")
            self.width[name] = int(top) + 1
        need(self.width.get("going") == self.going, "going", "has another width")
        body = re.sub(r"\breg \[\d+:0\] \w+;", "", body)
        idle = "1'b1"
        if self.interval > 1:
            need(self.width.get("rest") == int(rest[1] if rest else 0), "rest", "has another width")
            idle = f"rest == {self.width['rest']}'d0"
        wanted = ("wire can_reserve;", "wire rested;", "assign in_ready = can_reserve && rested;")
        for said in (*wanted, "wire take = in_valid && in_ready;", f"assign rested = {idle};"):
            need(body.count(said) == 1, "core", f"lacks {said!r}")
            body = body.replace(said, "")
        self.width |= {"can_reserve": 1, "rested": 1, "take": 1}
        self.inputs |= {"going", "take", "rest", "rested"}
        need(not {"rested", "take"} & set(re.findall(r"assign (\w+)", body)), "core", "drives a net twice")
        return body

    def _drive(self, bits: list[Bit]) -> None:
        for bit in bits:
            need(
                not isinstance(bit, int) and bit[0] not in self.inputs and bit not in self.driven,
                "core",
                "drives a net twice",
            )
            if not isinstance(bit, int):
                self.driven.add(bit)

    def _statement(self, text: str) -> None:
        if match := re.fullmatch(r"wire (?:\[(\d+):0\] )?(\w+)(?: = (.*))?", text):
            need(match[2] not in self.width, match[2], "is there twice")
            self.width[match[2]] = int(match[1] or 0) + 1
            if match[3] is not None and not match[2].startswith("unused_"):
                self._assign(match[2], match[3])
        elif match := re.fullmatch(r"assign ([\w\[\]:]+) = (.*)", text):
            self._assign(match[1], match[2])
        elif match := re.fullmatch(r"(\w+) (?:#\((.*)\) )?(\w+) \((.*)\)", text):
            need(match[3] not in self.instances, match[3], "is there twice")
            self.instances[match[3]] = Instance(match[1], match[3], match[2] or "", match[4])
        else:
            raise CheckFailed("certificate, core", f"holds more than is known: {text[:60]!r}")

    def _assign(self, target: str, text: str) -> None:
        made = self.bits(target)
        self._drive(made)
        nets = [bit for bit in made if not isinstance(bit, int)]
        if match := re.fullmatch(r"(take|going\[\d+\]) \? (\w+) : (\d+)'d0", text):
            need(len(made) == self.width[match[2]] == int(match[3]), target, "is cut off")
            (mark,) = self.bits(match[1])
            self.gates[target] = mark, match[2]
        elif match := re.fullmatch(r"(.*) \+ (\d+)'d(\d+)", text):
            taken = self.bits(match[1])
            need(len(taken) == len(made) == int(match[2]), target, "adds numbers of other widths")
            self.sums |= {bit: (taken, int(match[3]), k) for k, bit in enumerate(nets)}
        else:
            taken = self.bits(text)
            need(len(taken) == len(made), target, "is cut off")
            self.source |= dict(zip(nets, taken, strict=True))

    def bits(self, text: str) -> list[Bit]:
        """The bits of an expression, the lowest first."""
        text = text.strip()
        if match := re.fullmatch(r"(\w+)(?:\[(\d+)(?::(\d+))?\])?", text):
            need(match[1] in self.width, "core", f"takes {match[1]}, which is not there")
            high = self.width[match[1]] - 1 if match[2] is None else int(match[2])
            low = 0 if match[2] is None else int(match[3] or high)
            need(low <= high < self.width[match[1]], match[1], "has no such bits")
            return [(match[1], k) for k in range(low, high + 1)]
        if match := re.fullmatch(r"(\d+)'[db]0", text):
            return [0] * int(match[1])
        if match := re.fullmatch(r"\{(\d+)\{([^{}]*)\}\}", text):
            return self.bits(match[2]) * int(match[1])
        need(text.startswith("{") and text.endswith("}"), "core", f"has an expression {text[:40]!r}")
        return [bit for part in reversed(_parts(text[1:-1])) for bit in self.bits(part)]

    def _joined(self, instance: Instance) -> None:
        own = instance.module in self.own
        clocked = ["clk"] if own or instance.module in ("edgeml_delay", "edgeml_slot_potential") else ["clk", "rst"]
        for port in clocked:
            need(instance.ports.get(port) == port, instance.name, f"has another {port}")
        need(own or instance.module in OUTPUTS, instance.name, "is of a module that is not known")
        outputs = (
            {"out_data": self.own[instance.module]} if own else {p: instance.width(p) for p in OUTPUTS[instance.module]}
        )
        for port, width in outputs.items():
            bits = self.bits(instance.ports[port])
            need(len(bits) == width, instance.name, f"gives {port} in another width")
            self._drive(bits)
            self.driver |= {bit: (instance, port, k) for k, bit in enumerate(bits) if not isinstance(bit, int)}

    def behind(self, bit: Bit) -> Bit:
        """The bit that one is only joined to."""
        for _ in range(len(self.source) + 1):
            if isinstance(bit, int) or bit not in self.source:
                return bit
            bit = self.source[bit]
        raise CheckFailed("certificate, core", "assigns nets in a circle")

    def at(self, instance: Instance, port: str) -> list[Bit]:
        """The bits at a port, behind what only joins them."""
        return [self.behind(bit) for bit in self.bits(instance.ports[port])]

    def mark(self, instance: Instance, port: str) -> int:
        """How many clocks ago a frame was taken when a port is 1."""
        bits: list[Any] = self.at(instance, port)
        need(len(bits) == 1, instance.name, f"has a {port} of more bits")
        return self.clock(bits[0])

    @staticmethod
    def clock(bit: Any) -> int:
        """The same of a bit."""
        need(isinstance(bit, tuple) and bit[0] in ("take", "going"), "core", f"has a mark that is not one: {bit}")
        return 0 if bit[0] == "take" else int(bit[1]) + 1
