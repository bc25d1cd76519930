"""The Verilog of a folded core, read without yosys: instances, the nets that join them, streams followed back.

A core holds nothing but wires, assignments of one net to another, and instances; what holds more is refused.
"""

from __future__ import annotations

import re
from typing import Any

from ...errors import CheckFailed
from .statements import need

__all__ = ["BETWEEN", "Core", "Instance"]

BETWEEN = ("edgeml_stream_fifo", "edgeml_upsizer", "edgeml_downsizer")
_Stream = tuple[str, str, str]


def _value(text: str) -> int | str:
    if text.startswith('"'):
        return text[1:-1]
    width, _, digits = text.partition("'h")
    number = int(digits, 16) if digits else int(width)
    return number - (1 << 32) if digits and int(width) == 32 and number >> 31 else number


class Instance:
    """An instance of a module: parameters with the module's defaults, and the net at each port."""

    def __init__(self, module: str, name: str, defaults: dict[str, Any], given: str, ports: str) -> None:
        self.module, self.name = module, name
        said = {key: _value(text) for key, text in re.findall(r"\.(\w+)\(([^()]*)\)", given)}
        need(said.keys() <= defaults.keys(), name, "has a parameter that its module lacks")
        self.parameters: dict[str, Any] = {**defaults, **said}
        self.ports: dict[str, str] = dict(re.findall(r"\.(\w+)\(([^()]*)\)", ports))

    def stream(self, prefix: str) -> _Stream:
        """The nets of a stream at its ports."""
        valid, ready, data = (f"{prefix}_{part}" if prefix else part for part in ("valid", "ready", "data"))
        return self.ports[valid], self.ports[ready], self.ports[data]


class Core:
    """The core as its Verilog says it: nothing but wires, assignments of one net to another, and instances."""

    def __init__(self, name: str, texts: dict[str, str]) -> None:
        text = re.sub(r"//[^\n]*", "", texts[f"{name}.v"])
        found = re.fullmatch(
            r"\s*`default_nettype none\s+module (\w+) \(([^()]*)\);(.*)endmodule\s+`default_nettype wire\s*",
            text,
            re.DOTALL,
        )
        need(found is not None and found[1] == name, "core", "is not one module of its name")
        assert found is not None
        ports = re.findall(r"(input|output)\s+wire\s+(?:\[(\d+):0\]\s*)?(\w+)", found[2])
        self.width = {port: int(top or 0) + 1 for _, top, port in ports}
        self.width |= {
            net: int(top or 0) + 1 for top, net in re.findall(r"\bwire\s+(?:\[(\d+):0\]\s*)?(\w+);", found[3])
        }
        body = re.sub(r"\bwire\s+(?:\[\d+:0\]\s*)?\w+;", "", found[3])
        pairs = re.findall(r"\bassign\s+(\w+) = (\w+);", body)
        self.assigned = dict(pairs)
        need(len(self.assigned) == len(pairs), "core", "assigns a net twice")
        body = re.sub(r"\bassign\s+\w+ = \w+;", "", body)
        self.instances: dict[str, Instance] = {}
        form = r"(edgeml_\w+)\s+(?:#\(([^;]*?)\)\s+)?(\w+)\s*\(((?:\s*\.\w+\([^()]*\),?)*)\s*\);"
        for module, given, instance, joined in re.findall(form, body):
            need(instance not in self.instances, instance, "is there twice")
            defaults = {
                key: _value(value)
                for key, value in re.findall(
                    r'parameter\s+(?:\[[^=]*\]\s*)?(\w+) = (-?\d+|"[^"]*")', texts[f"{module}.v"]
                )
            }
            self.instances[instance] = Instance(module, instance, defaults, given, joined)
        need(not re.sub(form, "", body).strip(), "core", "holds more than instances and assignments")
        self._driven_once(texts, [port for way, _, port in ports if way == "input"])
        for each in self.instances.values():
            each.ports = {port: self._net(net) for port, net in each.ports.items()}
            if each.module != "edgeml_pass":
                need((each.ports["clk"], each.ports["rst"]) == ("clk", "rst"), each.name, "has another clock or reset")
        self.driver = {net: each for each in self.instances.values() for net in self._given(each)}

    def _driven_once(self, texts: dict[str, str], inputs: list[str]) -> None:
        """No net has two that drive it: inputs of the core, assignments, and outputs of instances."""
        driven = [*inputs, *self.assigned]
        for each in self.instances.values():
            text = re.sub(r"//[^\n]*", "", texts[f"{each.module}.v"])
            outputs = re.findall(r"\boutput\s+(?:wire|reg)?\s*(?:signed\s+)?(?:\[[^\]]*\]\s*)?(\w+)", text)
            driven += [net.strip() for port in outputs for net in each.ports.get(port, "").strip("{}").split(",")]
        driven = [net for net in driven if net]
        need(len(set(driven)) == len(driven), "core", "drives a net twice")

    def _net(self, net: str) -> str:
        """The net that an expression is, behind assignments; of `{a, b}` the nets, joined again."""
        if net.startswith("{"):
            return "{" + ",".join(self._net(part.strip()) for part in net[1:-1].split(",")) + "}"
        for _ in range(len(self.assigned) + 1):
            if net not in self.assigned:
                return net
            net = self.assigned[net]
        raise CheckFailed("certificate, core", "assigns nets in a circle")

    def _given(self, instance: Instance) -> list[str]:
        """The nets that say where a stream or what is pushed comes from."""
        ports = [instance.ports[port] for port in ("valid", "out_valid", "push") if port in instance.ports]
        if instance.module == "edgeml_fifo":
            ports.remove(instance.ports["push"])
        return [net for port in ports for net in port.strip("{}").split(",")]

    def ends(self, prefix: str) -> _Stream:
        """A stream at the core's own ports."""
        valid, ready, data = (self._net(f"{prefix}_{part}") for part in ("valid", "ready", "data"))
        return valid, ready, data

    def back(self, stream: _Stream) -> tuple[Instance | None, list[Instance]]:
        """(the FIFO that a stream comes from, None for the input; what it passes, first to last)."""
        passed: list[Instance] = []
        while stream != self.ends("in"):
            found = self.driver.get(stream[0])
            if found is None:
                raise CheckFailed("certificate, core", f"has a stream {stream[0]} from nowhere")
            if found.module == "edgeml_fifo":
                need(stream == found.stream(""), found.name, "gives another stream")
                return found, passed[::-1]
            passed.append(found)
            if found.module == "edgeml_fork":
                valid, ready = (found.ports[port].strip("{}").split(",") for port in ("out_valid", "out_ready"))
                need(
                    len(set(valid)) == len(valid) == len(ready) == found.parameters["TAKERS"],
                    found.name,
                    "forks wrongly",
                )
                need(ready[valid.index(stream[0])] == stream[1], found.name, "is told by another taker")
                stream = (found.ports["in_valid"], found.ports["in_ready"], stream[2])
            else:
                need(found.module in BETWEEN and stream == found.stream("out"), found.name, "is not between units")
                stream = found.stream("in")
        return None, passed[::-1]
