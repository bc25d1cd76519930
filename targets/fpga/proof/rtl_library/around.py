"""Benches of what is made around a network's units: the unrolled core, and the tops of any design."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ...interface import Interface
from ...tops.packets import Packets
from .benches import bench_text
from .ties import Parameters

__all__ = ["axi_bench", "axis_bench", "core_bench", "packets_bench", "uart_bench"]

Bench = tuple[str, Parameters]
"""Text and parameters."""


def core_bench(core: str, pipeline: str, interface: Interface, latency: int, *, straight: bool = False) -> Bench:
    """The bench of an unrolled core around a pipeline that is `latency` clocks long, 1 or more; straight : whether
    results pass an empty FIFO by."""
    parameters = {
        "INPUT_BITS": interface.input_bits,
        "OUTPUT_BITS": interface.output_bits,
        "LATENCY": latency,
        "STRAIGHT": int(straight),
    }
    text = re.sub(r"\bCORE\b", core, bench_text("core"))
    return _with(re.sub(r"\bpipeline_of_core\b", pipeline, text), parameters), parameters


def axis_bench(top: str, core: str, interface: Interface) -> Bench:
    """The bench of the AXI4-Stream top of a design."""
    parameters = {
        "INPUT_BITS": interface.input_bits,
        "INPUT_BYTES": interface.input_bytes,
        "LANES": interface.output_lanes,
        "ELEMENT_BITS": interface.output_element.bits,
        "SIGNED": int(interface.output_element.signed),
        "RESULT_BYTES": interface.result_bytes,
        "BEATS": interface.output_beats,
        "CLASS_BITS": interface.class_bits,
        "USER_BITS": 8 * interface.class_bytes if interface.classes else 0,
    }
    text = re.sub(r"\bTOP\b", top, re.sub(r"\bCORE\b", core, bench_text("axis")))
    if interface.classes:
        text = re.sub(r"/\*(\.m_axis_tuser.*?)\*/", r", \1", text)
    return _with(text, {**parameters, "OUTPUT_BITS": interface.output_bits}), parameters


def uart_bench(top: str, core: str, interface: Interface, reach: tuple[int, int], found: Mapping[str, int]) -> Bench:
    """The bench of the UART top. reach : least and most input. found : SAMPLES and CLOCKS_PER_BIT, its own choice."""
    parameters = {
        "INPUTS": interface.inputs,
        "INPUT_LANES": interface.input_lanes,
        "INPUT_BITS": interface.input_element.bits,
        "INPUT_SIGNED": int(interface.input_element.signed),
        "INPUT_LOW": reach[0],
        "INPUT_HIGH": reach[1],
        "OUTPUTS": interface.outputs,
        "OUTPUT_LANES": interface.output_lanes,
        "OUTPUT_BITS": interface.output_element.bits,
        "OUTPUT_SIGNED": int(interface.output_element.signed),
        **found,
    }
    text = re.sub(r"\bTOP\b", top, re.sub(r"\bCORE\b", core, bench_text("uart")))
    widths = {"CORE_INPUT": interface.input_bits, "CORE_OUTPUT": interface.output_bits}
    return _with(text, {**parameters, **widths}), parameters


def packets_bench(top: str, axis: str, packets: Packets) -> Bench:
    """The bench of the top that takes packets."""
    interface = packets.interface
    parameters = {
        "BUS": packets.width,
        "SLOT_BYTES": packets.slot_bytes,
        "INPUT_BITS": interface.input_element.bits,
        "INPUTS": interface.inputs,
        "INPUT_LANES": interface.input_lanes,
        "IN_WIDTH": 8 * interface.input_bytes,
        "IN_UNIT": packets.inward.unit,
        "OUTPUTS": interface.outputs,
        "OUTPUT_LANES": interface.output_lanes,
        "RESULT_BYTES": interface.result_bytes,
        "SIGNED": int(interface.output_element.signed),
        "OUT_WIDTH": 8 * interface.output_bytes,
        "OUT_UNIT": packets.outward.unit,
        "USER_BITS": 8 * interface.class_bytes if interface.classes else 0,
    }
    text = re.sub(r"\bTOP\b", top, re.sub(r"\bAXIS\b", axis, bench_text("packets")))
    if interface.classes:
        text = re.sub(r"/\*(\.out_class.*?)\*/", r", \1", text)
    return _with(text, parameters), parameters


def axi_bench(top: str, inner: str, packets: Packets) -> Bench:
    """The bench of the top with registers on AXI4-Lite around `inner`, which takes packets."""
    interface = packets.interface
    parameters = {"BUS": packets.width, "USER_BITS": 8 * interface.class_bytes if interface.classes else 0}
    text = re.sub(r"\bTOP\b", top, re.sub(r"\bPACKETS\b", inner, bench_text("axi")))
    return _with(text, parameters), parameters


def _with(text: str, parameters: Mapping[str, int]) -> str:
    """The bench with these values as defaults: those in it that stand for others are not given parameters."""
    for name, value in parameters.items():
        text = re.sub(rf"^(    parameter {name} = )-?\d+", rf"\g<1>{value}", text, flags=re.MULTILINE)
    return text
