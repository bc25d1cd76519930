"""The side of a design that a DMA talks to: packets of frames in words of 32 … 128 bits, checked as they come in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import gcd

from edgeml.network import Network
from edgeml.network.network_file import model_hash

from ..design import Built
from ..interface import Interface, element_text
from ..verilog.shipped_modules import library_text
from ..verilog.writer import Port, Verilog, same

__all__ = ["FOLDER", "PACKET_MODULES", "Packets", "Repacking", "packet_files", "packets_top"]

FOLDER = "tops/axi"
PACKET_MODULES = ("edgeml_packet_gate.v", "edgeml_repack.v", "edgeml_packet_end.v")
_RESULT_BITS = 32
_RESET = {"clk": "aclk", "rst": "quiet"}


@dataclass(frozen=True)
class Repacking:
    """How words of so many elements become others: `edgeml_repack` in units of `unit` elements.

    Parameters
    ----------
    unit : elements of a unit. taken, given : units of a word in and of one out. units : of a frame.
    """

    unit: int
    taken: int
    given: int
    units: int

    def parameters(self, bits: int) -> dict[str, int]:
        """Of `edgeml_repack`, for elements of so many bits."""
        return {"WIDTH": self.unit * bits, "IN": self.taken, "OUT": self.given, "UNITS": self.units}


@dataclass(frozen=True)
class Packets:
    """Shape of the words on both sides, as a processor's memory has them: an element in a slot, lowest index first.

    A frame takes whole words. Inputs lie in slots of 1, 2 or 4 bytes, as NumPy's int8 … int32 or uint8 … uint32 have
    them, lowest byte first; of a slot the low bits count that an input has. Outputs are int32.

    Parameters
    ----------
    interface : streams of the design. width : bits of a word, 32, 64 or 128.
    """

    interface: Interface
    width: int

    @property
    def slot_bytes(self) -> int:
        """Bytes of an input in memory."""
        bits = self.interface.input_element.bits
        return 1 if bits <= 8 else 2 if bits <= 16 else 4

    @property
    def input_type(self) -> str:
        """NumPy's name of an input in memory: `int8`, `uint16` …"""
        return f"{'' if self.interface.input_element.signed else 'u'}int{8 * self.slot_bytes}"

    @property
    def slots(self) -> int:
        """Inputs of a word."""
        return self.width // (8 * self.slot_bytes)

    @property
    def input_words(self) -> int:
        """Words of a frame on the input."""
        return -(-self.interface.inputs // self.slots)

    @property
    def last_bytes(self) -> int:
        """Bytes that a frame has in its last word on the input."""
        return (self.interface.inputs - (self.input_words - 1) * self.slots) * self.slot_bytes

    @property
    def results(self) -> int:
        """Outputs of a word."""
        return self.width // _RESULT_BITS

    @property
    def output_words(self) -> int:
        """Words of a frame on the output."""
        return -(-self.interface.outputs // self.results)

    @property
    def inward(self) -> Repacking:
        """From words to values that the network takes; where one is a whole frame, to as many words as it has."""
        interface = self.interface
        if interface.input_beats == 1:
            return Repacking(self.slots, 1, -(-interface.input_lanes // self.slots), self.input_words)
        unit = gcd(self.slots, interface.input_lanes)
        return Repacking(unit, self.slots // unit, interface.input_lanes // unit, -(-interface.inputs // unit))

    @property
    def outward(self) -> Repacking:
        """From values that the network gives to words."""
        interface = self.interface
        if interface.output_beats == 1:
            return Repacking(self.results, -(-interface.output_lanes // self.results), 1, self.output_words)
        unit = gcd(self.results, interface.output_lanes)
        return Repacking(unit, interface.output_lanes // unit, self.results // unit, -(-interface.outputs // unit))


def packet_files(network: Network, built: Built) -> dict[str, bytes]:
    """The top behind packets and its modules by their path in a bundle."""
    name, packets = f"{network.name}_packets", Packets(built.interface, built.design.axi_width)
    text = packets_top(name, built.top, packets, {"Model": f"sha256 {model_hash(network)}"})
    return {
        f"{FOLDER}/{name}.v": text.encode(),
        **{f"{FOLDER}/{module}": library_text(module) for module in PACKET_MODULES},
    }


def packets_top(name: str, axis: str, packets: Packets, facts: Mapping[str, object]) -> str:
    """Text of the module `name`: the design's top `axis` behind words of `packets`. `facts`: for its header."""
    interface = packets.interface
    verilog = Verilog()
    verilog.header(*_about(name, axis, packets), facts=facts)
    with verilog.module(name, _ports(packets)):
        verilog.wire("quiet", value="!aresetn || restart", note="nothing of a frame outlives it")
        verilog.blank()
        _inputs(verilog, packets)
        verilog.blank()
        verilog.wire("network_valid", "network_ready", "network_last")
        verilog.wire("network_data", width=8 * interface.output_bytes)
        given = {"m_axis_tvalid": "network_valid", "m_axis_tready": "network_ready", "m_axis_tdata": "network_data"}
        given |= {"m_axis_tlast": "network_last"} | ({"m_axis_tuser": "out_class"} if interface.classes else {})
        taken = {"s_axis_tvalid": "values_valid", "s_axis_tready": "values_ready", "s_axis_tdata": "values_data"}
        verilog.instance(axis, "network", [{"aclk": "aclk", "aresetn": "!quiet"}, taken, given])
        verilog.assign("out_frame", "network_valid && network_ready && network_last")
        verilog.blank()
        _outputs(verilog, packets)
    return verilog.text()


def _about(name: str, axis: str, packets: Packets) -> list[str]:
    """The head of the file: what words hold."""
    interface, lines = packets.interface, []
    element = element_text(interface.input_element)
    lines = [
        f"{name}: {axis} behind packets of frames, as a DMA sends and takes them, made by edgeml.",
        "",
        f"s_axis: {packets.input_words} words of {packets.width} bits a frame, {interface.inputs} inputs ({element})",
        f"in slots of {8 * packets.slot_bytes} bits, lowest index first; bits of a slot above an input do not count.",
        f"m_axis: {packets.output_words} words a frame, {interface.outputs} outputs as int32, and zeros.",
        "TLAST ends a packet of `frames` frames. A frame's last word on the input needs TKEEP for its own bytes alone,",
        "any other word for all; on the output TKEEP is all ones. What is wrong: see edgeml_packet_gate.v.",
    ]
    if interface.classes:
        lines.append("out_class: the class of the frame that ends with out_frame.")
    return lines


def _ports(packets: Packets) -> list[Port]:
    interface, width, keep = packets.interface, packets.width, packets.width // 8
    classes = [Port("output", "out_class", 8 * interface.class_bytes)] if interface.classes else []
    return [
        Port("input", "aclk"),
        Port("input", "aresetn", note="synchronous, active low"),
        Port("input", "restart", note="for a clock, or more"),
        Port("input", "frames", 16, note="of a packet, 1 or more; changes with a reset or restart only"),
        Port("input", "s_axis_tdata", width),
        Port("input", "s_axis_tkeep", keep),
        Port("input", "s_axis_tlast"),
        Port("input", "s_axis_tvalid"),
        Port("output", "s_axis_tready"),
        Port("output", "m_axis_tdata", width),
        Port("output", "m_axis_tkeep", keep),
        Port("output", "m_axis_tlast"),
        Port("output", "m_axis_tvalid"),
        Port("input", "m_axis_tready"),
        Port("output", "in_frame"),
        Port("output", "ended_early"),
        Port("output", "ran_on"),
        Port("output", "halted"),
        Port("output", "out_frame"),
        *classes,
    ]


def _inputs(verilog: Verilog, packets: Packets) -> None:
    """From words to values of the network: the bits that count, whole frames alone, as many elements as it takes."""
    interface, bits, slot = packets.interface, packets.interface.input_element.bits, 8 * packets.slot_bytes
    width, inward = packets.slots * bits, packets.inward
    verilog.wire("bits", width=width)
    for place in range(packets.slots):
        low = place * slot
        verilog.assign(f"bits[{(place + 1) * bits - 1}:{place * bits}]", f"s_axis_tdata[{low + bits - 1}:{low}]")
    verilog.wire("held_valid", "held_ready")
    verilog.wire("held_data", width=width)
    taken = {"in_valid": "s_axis_tvalid", "in_ready": "s_axis_tready", "in_data": "bits", "in_keep": "s_axis_tkeep"}
    verilog.instance(
        "edgeml_packet_gate",
        "gate",
        [
            {**_RESET, "frames": "frames", **taken, "in_last": "s_axis_tlast"},
            {"out_valid": "held_valid", "out_ready": "held_ready", "out_data": "held_data"},
            {"let_through": "in_frame", **same("ended_early", "ran_on", "halted")},
        ],
        {"WIDTH": width, "WORDS": packets.input_words, "KEEP": packets.width // 8, "LAST_KEEP": packets.last_bytes},
    )
    packed = inward.given * inward.unit * bits
    verilog.wire("values_valid", "values_ready")
    verilog.wire("gathered", width=packed)
    _repack(verilog, "inputs", inward.parameters(bits), "held", ("values_valid", "values_ready", "gathered"))
    verilog.wire("values_data", width=8 * interface.input_bytes)
    fill = 8 * interface.input_bytes - interface.input_bits
    value = f"gathered[{interface.input_bits - 1}:0]"
    verilog.assign("values_data", f"{{{fill}'d0, {value}}}" if fill else value)
    unused = [f"gathered[{packed - 1}:{interface.input_bits}]"] if packed > interface.input_bits else []
    if bits < slot:
        unused += [f"s_axis_tdata[{(n + 1) * slot - 1}:{n * slot + bits}]" for n in range(packets.slots)]
    if unused:
        verilog.wire("unused", value=f"&{{1'b0, {', '.join(unused)}}}")


def _outputs(verilog: Verilog, packets: Packets) -> None:
    """From values of the network to words of int32."""
    interface, outward = packets.interface, packets.outward
    bits, lanes = 8 * interface.result_bytes, interface.output_lanes
    rest = interface.outputs - (interface.output_beats - 1) * lanes
    verilog.wire("results", width=outward.taken * outward.unit * bits)
    parts = ["network_data"]
    if rest < lanes:  # lanes beyond the last output hold anything
        beyond = f"network_data[{lanes * bits - 1}:{rest * bits}]"
        cleared = f"network_last ? {(lanes - rest) * bits}'d0 : {beyond}"
        parts = [f"({cleared})", f"network_data[{rest * bits - 1}:0]"]
    fill = (outward.taken * outward.unit - lanes) * bits
    if fill:
        parts.insert(0, f"{fill}'d0")
    verilog.assign("results", f"{{{', '.join(parts)}}}" if len(parts) > 1 else parts[0])
    verilog.wire("words", width=packets.results * bits)
    offers = ("m_axis_tvalid", "m_axis_tready", "words")
    _repack(verilog, "outputs", outward.parameters(bits), "network", offers, data="results")
    sign = interface.output_element.signed
    for place in range(packets.results):
        high = (place + 1) * bits - 1
        value = f"words[{high}:{place * bits}]"
        if bits < _RESULT_BITS:
            top = f"words[{high}]" if sign else "1'b0"
            value = f"{{{{{_RESULT_BITS - bits}{{{top}}}}}, {value}}}"
        verilog.assign(f"m_axis_tdata[{(place + 1) * _RESULT_BITS - 1}:{place * _RESULT_BITS}]", value)
    verilog.assign("m_axis_tkeep", f"{{{packets.width // 8}{{1'b1}}}}")
    watched = {"frames": "frames", "valid": "m_axis_tvalid", "ready": "m_axis_tready", "last": "m_axis_tlast"}
    verilog.instance("edgeml_packet_end", "packet_end", {**_RESET, **watched}, {"WORDS": packets.output_words})


def _repack(
    verilog: Verilog, name: str, parameters: dict[str, int], source: str, offers: tuple[str, str, str], data: str = ""
) -> None:
    """An instance of `edgeml_repack`. source : of the wires it takes from. offers : its valid, ready and data."""
    taken = {"in_valid": f"{source}_valid", "in_ready": f"{source}_ready", "in_data": data or f"{source}_data"}
    given = {"out_valid": offers[0], "out_ready": offers[1], "out_data": offers[2]}
    verilog.instance("edgeml_repack", name, [_RESET, taken, given], parameters)
