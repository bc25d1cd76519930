"""Origins of layers in Verilog: beside the hardware of their layers, and comments whatever they say."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from edgeml.network import Network
from edgeml.targets.fpga.design import Built, Design, build
from edgeml.targets.fpga.tools.programs import find_verilator
from edgeml.targets.fpga.tools.programs import run as run_tool
from tests.network.test_origin import with_origins

from .designs import folded_designs, small_network
from .forms import spiking_network

ARCHITECTURES = ("folded", "unrolled", "event-driven", "step per clock")


def design(architecture: str, change: bool) -> tuple[Network, Built]:
    """A small design; with `change`, of a network whose layers have hostile origins."""
    spiking = architecture in ("event-driven", "step per clock")
    network = spiking_network(2, "unary") if spiking else small_network(2)
    chosen = Design("unrolled") if architecture in ("unrolled", "step per clock") else Design("folded")
    if architecture == "folded":
        chosen = folded_designs(network, 1)[0]
    network = with_origins(network) if change else network
    return network, build(network, chosen)


def code(content: bytes) -> str:
    """Verilog without its comments, which are all of `//`; strings of ours hold none."""
    return re.sub(r" *//[^\n]*", "", content.decode()).replace("\n\n", "\n")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_hostile_origins_change_comments_alone(architecture: str) -> None:
    _, plain = design(architecture, False)
    network, built = design(architecture, True)
    assert set(built.files) == set(plain.files)
    changed = [name for name, content in built.files.items() if content != plain.files[name]]
    assert changed
    assert all(name.endswith(".v") for name in changed)
    for name in changed:
        lines = [line for line in code(built.files[name]).splitlines() if line.strip()]
        assert lines == [line for line in code(plain.files[name]).splitlines() if line.strip()]
    text = "".join(built.files[name].decode() for name in changed)
    said = [origin for origin in network.origins.values() if f"from {origin}" in text]
    assert len(said) >= len(network.origins) // 3, "each unit tells where its layer comes from"


@pytest.mark.skipif(find_verilator() is None, reason="Verilator is not installed")
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("name", ["net", "verilator_net"])
def test_verilator_reads_no_directive_in_names_and_origins(architecture: str, name: str, tmp_path: Path) -> None:
    network, built = design(architecture, True)
    built = build(replace(network, name=name), built.design)
    for file, content in built.files.items():
        (tmp_path / file).write_bytes(content)
    tool = find_verilator()
    assert tool is not None
    command = [tool.program, "--lint-only", "-Wall", "--top-module", built.top, *built.sources]
    run_tool(command, tmp_path, 120, "verilator", tool.environment)
