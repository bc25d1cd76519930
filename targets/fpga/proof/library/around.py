"""Benches of what is made around a network's units: the unrolled core, and the AXI4-Stream top of any design."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ...interface import Interface
from .benches import bench_text
from .ties import Parameters

__all__ = ["axis_bench", "core_bench"]

Bench = tuple[str, Parameters]
"""Text and parameters."""


def core_bench(core: str, pipeline: str, interface: Interface, latency: int) -> Bench:
    """The bench of an unrolled core around a pipeline that is `latency` clocks long, 1 or more."""
    parameters = {"INPUT_BITS": interface.input_bits, "OUTPUT_BITS": interface.output_bits, "LATENCY": latency}
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


def _with(text: str, parameters: Mapping[str, int]) -> str:
    """The bench with these values as defaults: those in it that stand for others are not given parameters."""
    for name, value in parameters.items():
        text = re.sub(rf"^(    parameter {name} = )\d+", rf"\g<1>{value}", text, flags=re.MULTILINE)
    return text
