"""Whether claims about a bundle's own modules are about the widths that their Verilog and the network have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...network import Network, network_file
from .statements import integer, need

__all__ = ["need_shape"]


def need_shape(
    kind: str, place: str, parameters: Mapping[str, Any], network: Network, files: Mapping[str, str]
) -> None:
    """CheckFailed where a claim about NAME_core, _axis, … has other widths. files : Verilog by name."""
    said = {name: integer(value) for name, value in parameters.items()}
    own, core = _widths(files[f"{place}.v"]), _widths(files[f"{network.name}_core.v"])
    wanted: dict[str, int | None] = {}
    if kind == "core":
        wanted = {"INPUT_BITS": own.get("in_data"), "OUTPUT_BITS": own.get("out_data")}
    elif kind == "axis":
        lanes = said["LANES"]
        wanted = {
            "INPUT_BITS": core.get("in_data"),
            "INPUT_BYTES": own.get("s_axis_tdata", 0) // 8,
            "ELEMENT_BITS": core.get("out_data", 0) // lanes if lanes else None,
            "RESULT_BYTES": own.get("m_axis_tdata", 0) // (8 * lanes) if lanes else None,
            "BEATS": -(-network.output_size // lanes) if lanes else None,
            "USER_BITS": own.get("m_axis_tuser", 0),
        }
        need(said["LANES"] * said["ELEMENT_BITS"] == core.get("out_data"), place, "is claimed with other elements")
    elif kind == "packets":
        wanted = _packets(own, _widths(files[f"{network.name}_axis.v"]), network, said)
        need(said["INPUT_LANES"] * said["INPUT_BITS"] == core.get("in_data"), place, "is claimed with other inputs")
    elif kind == "axi":
        inner = _widths(files[f"{network.name}_packets.v"])
        wanted = {"BUS": own.get("s_axis_tdata"), "USER_BITS": inner.get("out_class", 0)}
        _need_hash(files[f"{place}.v"], place, f".MODEL_HASH(256'h{network_file.model_hash(network)})")
    elif kind == "uart":
        wanted = _device(files[f"{place}.v"])
        wanted |= {"INPUTS": network.input_size, "OUTPUTS": network.output_size}
        _need_hash(files[f"{place}.v"], place, f"256'h{bytes.fromhex(network_file.model_hash(network))[::-1].hex()},")
        wanted |= {"INPUT_LOW": network.quantizer.low, "INPUT_HIGH": network.quantizer.high}
        need(said["INPUT_LANES"] * said["INPUT_BITS"] == core.get("in_data"), place, "is claimed with other inputs")
        need(said["OUTPUT_LANES"] * said["OUTPUT_BITS"] == core.get("out_data"), place, "is claimed with other outputs")
    for name, value in wanted.items():
        need(said.get(name) == value, place, f"is claimed with {name} {said.get(name)}, where it is {value}")


def _need_hash(text: str, place: str, said: str) -> None:
    """A top, which is proved for any hash, has the network's at its place, and no other."""
    need(text.count("256'h") == text.count(said) == 1, place, "has another model's hash")


def _packets(
    own: Mapping[str, int], axis: Mapping[str, int], network: Network, said: Mapping[str, int]
) -> dict[str, int | None]:
    """What a claim about a top that takes packets says of its ports, of the network's stream and of the network."""
    bits, lanes = said["INPUT_BITS"], said["OUTPUT_LANES"]
    return {
        "BUS": own.get("s_axis_tdata"),
        "SLOT_BYTES": 1 if bits <= 8 else 2 if bits <= 16 else 4,
        "INPUTS": network.input_size,
        "IN_WIDTH": axis.get("s_axis_tdata"),
        "OUTPUTS": network.output_size,
        "OUT_WIDTH": axis.get("m_axis_tdata"),
        "RESULT_BYTES": axis.get("m_axis_tdata", 0) // (8 * lanes) if lanes else None,
        "USER_BITS": own.get("out_class", 0),
    }


def _widths(text: str) -> dict[str, int]:
    """Bits of each port of the first module of a text."""
    ports = re.findall(r"^\s*(?:input|output)\s+(?:wire|reg)\s+(?:\[(\d+):0\]\s*)?(\w+)", text, re.MULTILINE)
    return {name: int(high) + 1 if high else 1 for high, name in ports}


def _device(text: str) -> dict[str, int | None]:
    """Numbers that the protocol's device is given in a UART top."""
    given = re.search(r"edgeml_hil_device #\(((?:[^()]|\([^()]*\))*)\)", text)
    shape = ("INPUTS", "INPUT_LANES", "INPUT_BITS", "INPUT_SIGNED", "OUTPUTS", "OUTPUT_LANES", "OUTPUT_BITS",
             "OUTPUT_SIGNED", "SAMPLES")  # fmt: skip
    found = dict(re.findall(r"\.(\w+)\s*\(\s*(\d+)\s*\)", given[1] if given else ""))
    return {name: int(found[name]) if name in found else None for name in shape}
