"""How a core joins its units: streams followed from where they are taken back to where they come from."""

from __future__ import annotations

from dataclasses import dataclass

from edgeml.errors import CheckFailed

from .netlist import Bits, Cell, Netlist

__all__ = ["Stream", "Wiring"]

_BETWEEN = ("edgeml_stream_fifo", "edgeml_upsizer", "edgeml_downsizer")


@dataclass(frozen=True)
class Stream:
    """Bits of valid, ready and data."""

    valid: Bits
    ready: Bits
    data: Bits


class Wiring:
    """The instances of a core, by name."""

    def __init__(self, core: Netlist) -> None:
        self.core = core
        self.cells = {cell.name: cell for cell in core.cells}
        for cell in core.cells:
            for port in ("clk", "rst"):
                if port in cell.ports and cell.ports[port] != core.ports[port]:
                    raise CheckFailed(f"instance {cell.name}", f"has another {port} than the core")

    def cell(self, name: str, module: str) -> Cell:
        """An instance of a module. CheckFailed if it is another, or not there."""
        cell = self.cells.get(name)
        if cell is None or cell.kind != module:
            raise CheckFailed(f"instance {name}", f"of {module} is not there")
        return cell

    def same(self, first: tuple[Cell, str], second: tuple[Cell, str]) -> None:
        """That two ports are joined."""
        (a, port_a), (b, port_b) = first, second
        if a.ports[port_a] != b.ports[port_b]:
            raise CheckFailed(f"instance {b.name}", f"{port_b} is not joined to {port_a} of {a.name}")

    @staticmethod
    def stream(cell: Cell, prefix: str) -> Stream:
        """The stream at the ports of an instance (`prefix` may be empty)."""
        names = [f"{prefix}_{part}" if prefix else part for part in ("valid", "ready", "data")]
        return Stream(*(cell.ports[name] for name in names))

    def back(self, stream: Stream) -> tuple[str, list[Cell]]:
        """(the instance of edgeml_fifo that a stream comes from, "" for the core's input; what it passes, in order).

        CheckFailed where it comes from elsewhere, or its three parts do not come from the same place.
        """
        passed: list[Cell] = []
        while True:
            ports = self.core.ports
            if stream.valid == ports["in_valid"]:
                self._need(stream, Stream(ports["in_valid"], ports["in_ready"], ports["in_data"]), "the input")
                return "", passed[::-1]
            found = self.core.driver.get(stream.valid[0])
            if found is None:
                raise CheckFailed("a stream", "comes from nowhere")
            cell, _, place = found
            if cell.kind == "edgeml_fifo":
                self._need(stream, self.stream(cell, ""), cell.name)
                return cell.name, passed[::-1]
            passed.append(cell)
            if cell.kind == "edgeml_fork":
                if stream.valid != cell.ports["out_valid"][place : place + 1]:
                    raise CheckFailed(f"instance {cell.name}", "is not what offers this stream")
                if stream.ready != cell.ports["out_ready"][place : place + 1]:
                    raise CheckFailed(f"instance {cell.name}", "is not told by the taker of its own stream")
                stream = Stream(cell.ports["in_valid"], cell.ports["in_ready"], stream.data)
            elif cell.kind in _BETWEEN:
                self._need(stream, self.stream(cell, "out"), cell.name)
                stream = self.stream(cell, "in")
            else:
                raise CheckFailed(f"instance {cell.name}", f"of {cell.kind} is not known to stand between units")

    @staticmethod
    def _need(stream: Stream, given: Stream, where: str) -> None:
        if stream != given:
            raise CheckFailed(where, "gives another stream than the one that is taken")
