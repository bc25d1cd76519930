"""Lines to copy: the bundle from Python, its C in a program, its Verilog in a design, a test against a device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..network import Network
from .blocks import Code, Group, Section

__all__ = ["snippets", "snippets_section"]

_PYTHON = """\
import edgeml

bundle = edgeml.load("build/{name}")
result = bundle.run(x)  # x: floats [samples, {inputs}]
print(result.integers, result.classes)
"""
_VALUES = _PYTHON.replace("result.classes", "result.real")
_C = """\
#include "{name}.h"

static uint8_t arena[{NAME}_ARENA_BYTES] __attribute__((aligned({NAME}_ARENA_ALIGNMENT)));

int32_t answer_of(const {ctype} input[{NAME}_INPUTS])
{{
    int32_t output[{NAME}_OUTPUTS];
    return {name}_invoke(input, output, arena);
}}
"""
_VERILOG = """\
{name}_axis network (
    .aclk(clk), .aresetn(reset_n),
    .s_axis_tdata(in_data), .s_axis_tvalid(in_valid), .s_axis_tready(in_ready),
    .m_axis_tdata(out_data), .m_axis_tvalid(out_valid), .m_axis_tready(out_ready), .m_axis_tlast(out_last)
);
"""
_TEST = "pytest --edgeml-bundle build/{name} --edgeml-port /dev/ttyACM0 --edgeml-conformance\n"


def snippets(manifest: Mapping[str, Any], network: Network) -> dict[str, str]:
    """By where they go: what of a bundle's files there is a snippet for; Python always."""
    files = manifest.get("files", {})
    names = {
        "name": network.name,
        "NAME": network.name.upper(),
        "inputs": network.input_size,
        "ctype": "int8_t" if network.quantizer.signed else "uint8_t",
    }
    found = {"Python": _VALUES if network.task == "values" else _PYTHON}
    if {f"c/{network.name}.h", f"c/include/{network.name}.h"} & set(files):
        found["C"] = _C
    if f"rtl/{network.name}_axis.v" in files:
        found["Verilog"] = _VERILOG
    if any(path.startswith(("c/hil/", "tops/uart/")) for path in files):
        found["A test against the device"] = _TEST
    return {title: snippet.format(**names) for title, snippet in found.items()}


def snippets_section(manifest: Mapping[str, Any], network: Network) -> Section:
    """Each snippet under its title."""
    found = [Group("", [Code(title, lines)]) for title, lines in snippets(manifest, network).items()]
    return Section("To copy", [Group("columns", found)])
