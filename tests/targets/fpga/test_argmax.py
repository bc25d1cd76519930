"""The argmax unit and designs with it: the class is numpy's, whatever the shape, the pauses and the resets."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeml.errors import EdgemlError, InputError
from edgeml.network import Dense, InputQuantizer, Network, Node, Output, decisions, simulate
from edgeml.profile import load_profile
from edgeml.targets.fpga import FpgaTarget
from edgeml.targets.fpga.argmax import check_classes
from edgeml.targets.fpga.design import Built, Design, build, laid_out, read_design
from edgeml.targets.fpga.executors.icarus import run_icarus
from edgeml.targets.fpga.executors.verilator import compile_design
from edgeml.targets.fpga.interface import Interface
from edgeml.targets.fpga.tools.programs import (
    compiler,
    find_verilator,
    icarus,
    run,
)
from edgeml.targets.fpga.verilog.element import Element
from edgeml.targets.fpga.verilog.memory import memory_image, pack_words
from edgeml.targets.fpga.verilog.shipped_modules import library_text
from tests.network.random_networks import random_inputs

from .architectures.test_spiking import undefined_after_reset
from .designs import folded_designs, small_network
from .forms import int8_network, spiking_network

SEED = 3
_SECONDS = 120.0
needs_icarus = pytest.mark.skipif(icarus() is None, reason="Icarus Verilog is not installed")
needs_verilator = pytest.mark.skipif(
    find_verilator() is None or compiler() is None, reason="Verilator or a C++ compiler is not installed"
)


def _run_unit(interface: Interface, y: np.ndarray, pause: int, reset_at: int) -> tuple[np.ndarray, np.ndarray, int]:
    """(elements [frames, outputs], class so far by word [frames, words], clock of the last word) of the unit itself."""
    programs = icarus()
    assert programs is not None
    element, lanes, words = interface.output_element, interface.output_lanes, interface.output_beats
    rng = np.random.default_rng(len(y))
    # What pads the last word is as large as can be: it must not win.
    padded = np.full((len(y), words * lanes), element.high, np.int64)
    padded[:, : interface.outputs] = y
    padded[:, interface.outputs :] -= rng.integers(0, 2, padded[:, interface.outputs :].shape)
    image = memory_image(pack_words(padded.reshape(-1, lanes), element.bits), interface.output_bits)
    defines = {
        "OUTPUTS": interface.outputs, "LANES": lanes, "ELEMENT_BITS": element.bits, "SIGNED": int(element.signed),
        "FRAMES": len(y), "PAUSE": pause, "RESET_AT": reset_at,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "words.mem").write_text(image)
        for name in ("edgeml_fifo.v", "edgeml_argmax.v"):
            (folder / name).write_bytes(library_text(name))
        command = [programs[0], "-g2005", "-o", "bench.vvp", "-s", "argmax_bench"]
        command += [f"-D{name}={value}" for name, value in defines.items()]
        bench = str(Path(__file__).with_name("argmax_bench.v"))
        run([*command, "edgeml_fifo.v", "edgeml_argmax.v", bench], folder, _SECONDS, "iverilog")
        run([programs[1], "-n", "bench.vvp"], folder, _SECONDS, "vvp")
        lines = [line.split() for line in (folder / "out.txt").read_text().splitlines()]
    assert len(lines) == len(y) * words
    assert not any(set("xz") & set(word + winner) for word, winner, _ in lines)
    fields = [
        [int(word, 2) >> (k * element.bits) & ((1 << element.bits) - 1) for k in range(lanes)] for word, _, _ in lines
    ]
    elements = np.array(fields, np.int64).reshape(len(y), -1)[:, : interface.outputs]
    if element.signed:
        elements = (elements ^ (1 << (element.bits - 1))) - (1 << (element.bits - 1))
    winners = np.array([int(winner, 2) for _, winner, _ in lines]).reshape(len(y), words)
    return elements, winners, int(lines[-1][2])


@st.composite
def _shapes(draw: st.DrawFn) -> Interface:
    element = Element(draw(st.integers(1, 33)), draw(st.booleans()))
    outputs = draw(st.integers(1, 20))
    lanes = draw(st.integers(1, outputs + 2))
    return Interface(1, 1, Element(1, False), outputs, lanes, element, classes=True)


@needs_icarus
@settings(max_examples=25)
@given(interface=_shapes(), spread=st.sampled_from([0, 1, 3, 1000]), pause=st.sampled_from([0, 100, 200]),
       seed=st.integers(0, 2**32 - 1))  # fmt: skip
def test_the_unit_gives_numpys_argmax_and_the_words_unchanged(
    interface: Interface, spread: int, pause: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    element, frames = interface.output_element, 30
    # A small spread around a random middle, which may be an end of the range, makes many ties.
    middle = rng.choice([element.low, element.high, 0, -1, int(rng.integers(element.low, element.high + 1))])
    y = np.clip(middle + rng.integers(-spread, spread + 1, (frames, interface.outputs)), element.low, element.high)
    reset_at = int(rng.integers(1, frames * interface.output_beats)) if pause else -1
    elements, winners, last = _run_unit(interface, y, pause, reset_at)
    np.testing.assert_array_equal(elements, y)
    for word in range(interface.output_beats):
        so_far = y[:, : min((word + 1) * interface.output_lanes, interface.outputs)]
        np.testing.assert_array_equal(winners[:, word], np.argmax(so_far, axis=1))
    if not pause:  # a word every clock, and the first as late as predicted
        assert last == interface.class_latency + frames * interface.output_beats - 1


def test_a_wrong_class_is_found_by_its_frame() -> None:
    y = np.array([[1, 3, 3], [5, 5, 2]], np.int32)
    shape = Interface(1, 1, Element(8, True), 3, 3, Element(8, True), True)
    check_classes(shape, y, np.array([1, 0], np.uint32))
    with pytest.raises(EdgemlError, match="frame 1: class 1, expected 0"):
        check_classes(shape, y, np.array([1, 1], np.uint32))
    with pytest.raises(EdgemlError, match="1 classes for 2"):
        check_classes(shape, y, np.array([1], np.uint32))


def binary_network(threshold: int) -> Network:
    """The sum of two integers, decided by a threshold."""
    nodes = (
        Node("input", InputQuantizer(2, np.ones(1), np.zeros(1), 0, 4, True)),
        Node("sum", Dense(np.array([[1, 1]]), 2, np.zeros(1, np.int32)), ("input",)),
    )
    return Network("sums", nodes, Output(np.ones(1), 0, (), "binary", threshold))


@needs_icarus
@pytest.mark.parametrize("threshold", [-3, 5, -(2**31), 2**31 - 1])
def test_a_binary_network_gives_its_decision_below_at_and_above_the_threshold(threshold: int, tmp_path: Path) -> None:
    network = binary_network(threshold)
    built = build(network, Design("unrolled", argmax=True))
    q = np.array([[a, b] for a in range(-8, 8) for b in (-2, 0, 7)], np.int32)
    y = simulate(network, q)
    outputs, verdict = run_icarus(built, tmp_path / "right", q, y, pause=90)
    assert verdict == f"PASS {len(q)}"
    np.testing.assert_array_equal(built.interface.classes_of(outputs), decisions(network, y))
    text = built.files["edgeml_argmax.v"].decode()
    wrong = {**built.files, "edgeml_argmax.v": text.replace("value > threshold", "value >= threshold").encode()}
    assert wrong != built.files
    if threshold in y:
        with pytest.raises(EdgemlError, match="argmax unit: frame"):
            run_icarus(replace(built, files=wrong), tmp_path / "wrong", q, y)


@needs_verilator
def test_a_binary_decision_is_clean_in_verilator(tmp_path: Path) -> None:
    network = binary_network(5)
    q = np.array([[a, b] for a in range(-8, 8) for b in range(-8, 8)], np.int32)
    outputs, _ = compile_design(build(network, Design("folded", argmax=True)), tmp_path).run(q)
    np.testing.assert_array_equal(outputs, simulate(network, q))


def test_a_network_of_values_has_no_class_to_give() -> None:
    network = replace(binary_network(0), output=Output(np.ones(1), 0, (), "values"))
    with pytest.raises(InputError, match="no class"):
        build(network, Design("unrolled", argmax=True))


_FORMS = ("folded", "unrolled", "int8", "spiking")


def _design(form: str) -> Built:
    """A design of that form, with the unit; as few lanes as can be but for the unrolled one."""
    if form == "spiking":
        return build(spiking_network(1, "stbif"), Design("folded", argmax=True))
    network = int8_network(1, "fp32_rne") if form == "int8" else small_network(SEED)
    design = Design("unrolled") if form == "unrolled" else folded_designs(network, 1)[0]
    return build(network, replace(design, argmax=True))


def _network(form: str) -> Network:
    if form == "spiking":
        return spiking_network(1, "stbif")
    return int8_network(1, "fp32_rne") if form == "int8" else small_network(SEED)


@needs_icarus
@pytest.mark.parametrize("form", _FORMS)
def test_the_test_bench_checks_the_class_of_every_form(form: str, tmp_path: Path) -> None:
    network, built = _network(form), _design(form)
    q = random_inputs(network, 20, 1).astype(np.int32)
    y = simulate(network, q)
    outputs, verdict = run_icarus(built, tmp_path / "right", q, y, pause=90, trace=1)
    assert verdict == "PASS 20"
    np.testing.assert_array_equal(outputs, y)
    assert undefined_after_reset(tmp_path / "right" / "trace.vcd") == []


@needs_icarus
def test_a_unit_that_takes_the_highest_of_equals_fails(tmp_path: Path) -> None:
    """The unit's comparison made "not less": the test bench and the executors say so."""
    network = small_network(14)
    built = build(network, Design("unrolled", argmax=True))
    q = random_inputs(network, 200, 1).astype(np.int32)
    y = simulate(network, q)
    best = np.sort(y, axis=1)
    assert (best[:, -1] == best[:, -2]).any(), "the vectors hold no tie"
    text = built.files["edgeml_argmax.v"].decode()
    wrong = {
        **built.files,
        "edgeml_argmax.v": text.replace("{{ELEMENT_BITS{1'b0}}, 1'b1}", "{ELEMENT_BITS + 1{1'b0}}").encode(),
    }
    assert wrong != built.files
    with pytest.raises(EdgemlError, match="argmax unit: frame"):
        run_icarus(replace(built, files=wrong), tmp_path, q, y)


@needs_verilator
@pytest.mark.parametrize(
    "form", ["unrolled", *(pytest.param(form, marks=pytest.mark.slow) for form in ("folded", "spiking"))]
)
def test_classes_come_in_the_predicted_clock_and_survive_pauses_and_resets(form: str, tmp_path: Path) -> None:
    network, built = _network(form), _design(form)
    simulation = compile_design(built, tmp_path)
    q = random_inputs(network, 200, 2).astype(np.int32)
    y = simulate(network, q)
    outputs, counts = simulation.run(q)  # holds the classes against argmax
    np.testing.assert_array_equal(outputs, y)
    predicted = list(built.cycles(q[: len(counts["ends"])]).frames)
    assert not built.clocks.exact or predicted[0] + 1 == built.latency
    count = min(len(predicted), len(counts["ends"]))
    assert count >= 6
    assert counts["ends"][:count] == predicted[:count]
    for run_number, (input_pause, output_pause) in enumerate([(128, 0), (60, 200)]):
        outputs, counts = simulation.run(
            q, seed=run_number, input_pause=input_pause, output_pause=output_pause, resets=4
        )
        np.testing.assert_array_equal(outputs, y)
        assert counts["resets"] > 0


def test_the_choice_is_stored_and_only_where_it_is_made(tmp_path: Path) -> None:
    network = small_network(SEED)
    for design in (Design("unrolled"), Design("unrolled", argmax=True), Design("folded", argmax=True)):
        (tmp_path / "design.json").write_text(design.to_json())
        assert read_design(tmp_path, network) == replace(design, choices=laid_out(network, design).choices)
    assert "argmax" not in Design("unrolled").to_json()
    (tmp_path / "design.json").write_text('{"format": 1, "architecture": "unrolled", "argmax": 1}')
    with pytest.raises(InputError, match="argmax must be true or false"):
        read_design(tmp_path, network)


def test_the_target_offers_it_and_says_what_it_costs() -> None:
    network, profile = small_network(SEED), load_profile("ecp5-25k")
    for architecture in ("folded", "unrolled"):
        without = FpgaTarget().estimate(network, profile, {"architecture": architecture})
        asked = FpgaTarget().estimate(network, profile, {"architecture": architecture, "argmax": "true"})
        assert asked["luts"] > without["luts"]
        assert asked["cycles"] > without["cycles"]
        assert asked["interval"] == without["interval"]
    with pytest.raises(InputError, match="option argmax"):
        FpgaTarget().estimate(network, profile, {"argmax": "maybe"})
