"""Streams between modules: valid, ready and data, and the ports that every core has."""

from __future__ import annotations

from dataclasses import dataclass

from .writer import CLOCK, Port, Verilog

__all__ = ["Stream", "result_fifo", "shift_register", "stream_ports"]


@dataclass(frozen=True)
class Stream:
    """The three wires `<name>_valid`, `<name>_ready` and `<name>_data`, the data `width` bits wide."""

    name: str
    width: int

    def declare(self, verilog: Verilog) -> None:
        """Declare its wires."""
        verilog.wire(f"{self.name}_valid")
        verilog.wire(f"{self.name}_ready")
        verilog.wire(f"{self.name}_data", width=self.width)

    def ports(self, prefix: str = "") -> dict[str, str]:
        """The ports `<prefix>_valid`, `_ready` and `_data` of a unit (or `valid`, `ready`, `data`), connected to it."""
        return {f"{prefix}_{part}" if prefix else part: f"{self.name}_{part}" for part in ("valid", "ready", "data")}

    def feed(self, verilog: Verilog, taker: str) -> None:
        """Connect it to the stream called `taker`."""
        verilog.assign(f"{taker}_valid", f"{self.name}_valid")
        verilog.assign(f"{taker}_data", f"{self.name}_data")
        verilog.assign(f"{self.name}_ready", f"{taker}_ready")


def stream_ports(in_width: int, out_width: int) -> list[Port]:
    """The ports of a core: clock, reset, and a stream of `in_width` bits in and one of `out_width` bits out."""
    return [
        Port("input", "clk"),
        Port("input", "rst", note="synchronous, active high"),
        Port("input", "in_valid"),
        Port("output", "in_ready"),
        Port("input", "in_data", in_width),
        Port("output", "out_valid"),
        Port("input", "out_ready"),
        Port("output", "out_data", out_width),
    ]


def shift_register(verilog: Verilog, name: str, bit: str, length: int, note: str) -> None:
    """The last `length` values of a bit: `name[k]` is what `bit` was k + 1 clocks ago, 0 after a reset."""
    verilog.reg(name, width=length, note=note)
    with verilog.clocked():
        verilog.line(f"if (rst) {name} <= {length}'d0;")
        verilog.line(f"else {name} <= {f'{{{name}[{length - 2}:0], {bit}}}' if length > 1 else bit};")


def result_fifo(
    verilog: Verilog, width: int, depth: int, can_reserve: str, push: str, *, late: bool = False, bypass: bool = False
) -> None:
    """The FIFO between what never stalls and the output: a place is reserved with `take`, and takes `result`.

    late : a register stands between the output's `ready` and `can_reserve`: places are free again a clock later.
    bypass : what comes while it is empty is given in the same clock.
    """
    reserve = {"can_reserve": can_reserve, "reserve": "take", "push": push, "push_data": "result"}
    ports = {**CLOCK, **reserve, **Stream("out", width).ports()}
    chosen = {name: 1 for name, given in (("LATE", late), ("BYPASS", bypass)) if given}
    verilog.instance("edgeml_fifo", "results", ports, {"WIDTH": width, "DEPTH": depth, **chosen})
