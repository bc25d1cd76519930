"""The frontier benchmark: circuits are judged by their own answers, which must be those of their software."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.fpga_frontier import data_sets, runs
from benchmarks.fpga_frontier.circuits import Circuit, answers, argmax_unit
from benchmarks.fpga_frontier.contestants import CONTESTANTS, settings_of
from benchmarks.fpga_frontier.jets import as_integers, bits_of, reduced
from benchmarks.fpga_frontier.ours import circuit, entrance
from benchmarks.fpga_frontier.picture import front, picture
from benchmarks.fpga_frontier.rivals.contract import at_least
from edgeml.errors import EdgemlError
from edgeml.network import Dense, InputQuantizer, Network, Node, Output, simulate
from edgeml.targets.fpga.tools.programs import icarus

needs_icarus = pytest.mark.skipif(icarus() is None, reason="Icarus Verilog is not installed")


def _module(body: str, inputs: int, outputs: int) -> str:
    return f"module m(input [{inputs - 1}:0] in_data, output [{outputs - 1}:0] out_data);\n{body}\nendmodule\n"


@needs_icarus
def test_a_comparison_made_of_gates_is_the_comparison_for_every_threshold() -> None:
    body = "\n".join(f"  assign out_data[{t}] = {at_least('in_data', 4, t)};" for t in range(18))
    x = np.arange(16)[:, None]
    found = answers(Circuit(_module(body, 4, 18), 1, False, 18), x, 4)
    assert np.array_equal(found, x >= np.arange(18))


@needs_icarus
@pytest.mark.parametrize("signed", [False, True])
def test_the_class_is_the_first_of_the_largest_outputs(signed: bool) -> None:
    rng = np.random.default_rng(0)
    outputs = rng.integers(-4, 4, (300, 7)) if signed else rng.integers(0, 8, (300, 7))
    unit = argmax_unit(Circuit("", 3, signed, 7))
    found = answers(unit, outputs & 7, 3)[:, 0]
    assert np.array_equal(found, outputs.argmax(axis=1))


@needs_icarus
def test_features_become_the_integers_of_the_network_whatever_its_quantizer_does() -> None:
    levels = np.array([[0, 0, 1, 2, 2, 3, 3, 3], [3, 3, 2, 2, 1, 1, 0, 0], [1, 0, 1, 0, 1, 0, 1, 0]])
    body = entrance(levels, 3, 2) + "\n  assign out_data = entered;"
    x = np.stack([np.arange(8)] * 3, axis=1)
    assert np.array_equal(answers(Circuit(_module(body, 9, 6), 2, False, 3), x, 3), levels.T)


@needs_icarus
@pytest.mark.parametrize("scale", [1.0, 5.0])
def test_our_circuit_computes_the_golden_integers_from_the_features(scale: float) -> None:
    rng = np.random.default_rng(1)
    quantizer = InputQuantizer(5, np.array([scale]), np.array([0.0]), 0, 4 if scale == 1 else 2, False)
    dense = Dense(rng.integers(-2, 2, (3, 5)), 2, np.array([1, -2, 0]))
    network = Network("n", (Node("input", quantizer), Node("fc", dense, ("input",))), Output(np.array([1.0])))
    x = rng.integers(0, 16, (100, 5))
    text, bits, signed = circuit(network, 5, 4)
    assert np.array_equal(answers(Circuit(text, bits, signed, 3), x, 4), simulate(network, quantizer.quantize(x)))


def _shop(folder: Path, rival: str) -> tuple[runs.Workshop, Path]:
    """A workshop whose rival's script is `rival`, and data of two features of 2 bits."""
    rng = np.random.default_rng(2)
    x = rng.integers(0, 4, (60, 2))
    y = (x[:, 1] > x[:, 0]).astype(np.int64)
    (folder / "data").mkdir()
    np.savez(
        folder / "data" / "digits.npz", x_train=x, y_train=y, x_validation=x, y_validation=y, x_test=x, y_test=y, bits=2
    )
    script = folder / "rival.py"
    script.write_text(rival)
    return runs.Workshop(folder, Path(sys.executable), None), script


_RIVAL = """
import json, sys
from pathlib import Path
import numpy as np
folder = Path(sys.argv[2]); network = folder / "network"; network.mkdir(parents=True)
count = folder.parent / "count"; count.write_text((count.read_text() if count.exists() else "") + "x")
x = np.load(sys.argv[1])["x_test"]
(network / "design.v").write_text(
    "module m(input [3:0] in_data, output [3:0] out_data); assign out_data = in_data; endmodule")
described = dict(output_bits=2, signed=False, outputs=2, validation=1.0, versions={"rival": "1"}, settings={})
described["test_classes"] = [int(b > a) ^ WRONG for a, b in x]
(network / "design.json").write_text(json.dumps(described))
"""


@needs_icarus
def test_a_training_runs_once_and_is_judged_by_the_circuit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop, script = _shop(tmp_path, _RIVAL.replace("WRONG", "0"))
    contestant = runs.Contestant("a rival", str(script), "#000000")
    monkeypatch.setattr(runs, "counted", lambda circuit, cache: {"luts": 3, "carry": 0, "levels": 1})
    assert list(runs.points(shop, contestant, "digits", {}, 0, known=True)) == []
    for _ in range(2):
        (point,) = runs.points(shop, contestant, "digits", {}, 0)
        assert (point.score, point.luts, point.versions) == (1.0, 3, {"rival": "1"})
    assert (tmp_path / "trained" / "count").read_text() == "x"
    list(runs.points(shop, contestant, "digits", {}, 1))
    assert (tmp_path / "trained" / "count").read_text() == "xx"


@needs_icarus
def test_a_circuit_that_is_not_what_its_software_computed_has_no_figure(tmp_path: Path) -> None:
    shop, script = _shop(tmp_path, _RIVAL.replace("WRONG", "1"))
    with pytest.raises(EdgemlError, match="differ on 60 test samples"):
        list(runs.points(shop, runs.Contestant("a rival", str(script), "#000000"), "digits", {}, 0))


def test_a_rival_that_fails_is_told_of_with_its_last_words(tmp_path: Path) -> None:
    shop, script = _shop(tmp_path, "raise ValueError('no such gate')")
    with pytest.raises(EdgemlError, match="no such gate"):
        list(runs.points(shop, runs.Contestant("a rival", str(script), "#000000"), "digits", {}, 0))


def test_kernels_of_fixed_point_numbers_become_integers() -> None:
    assert as_integers(np.array([[0.25, -1.5], [0.0, 2.0]])).tolist() == [[1, -6], [0, 8]]
    with pytest.raises(ValueError, match="fixed-point"):
        as_integers(np.array([1 / 3]))


def test_powers_of_two_of_whole_inputs_and_outputs_are_taken_out_of_kernels() -> None:
    weight = np.array([[4, 24, 0], [-8, 40, 0], [0, 0, 0]])
    assert reduced(weight).tolist() == [[1, 3, 0], [-2, 5, 0], [0, 0, 0]]
    assert [bits_of(np.array([[one]])) for one in (0, 1, -2, 2, 3, -4, 127, -128, 128)] == [2, 2, 2, 3, 3, 3, 8, 8, 9]


def test_every_contestant_has_trainings_for_every_data_set() -> None:
    for contestant in CONTESTANTS:
        for name in data_sets.DATA_SETS:
            assert settings_of(contestant, name, quick=False)
            assert len(settings_of(contestant, name, quick=True)) == 1


def test_the_front_and_the_picture_hold_what_no_other_point_beats() -> None:
    def point(luts: int, score: float) -> runs.Point:
        return runs.Point("digits", "torchlogix", 0, {}, score, score, luts, 0, 5, 20, {"torchlogix": "0"})

    points = [point(100, 0.9), point(200, 0.89), point(300, 0.95)]
    assert [one.luts for one in front(points)] == [100, 300]
    text = picture(points)
    assert text.count('r="3.5"') == 3
    assert "torchlogix" in text


def test_the_split_is_the_same_in_every_run_and_whole() -> None:
    x, y, x_test, y_test, bits = data_sets.DATA_SETS["digits"](None)
    again = data_sets.DATA_SETS["digits"](None)
    assert len(x) + len(x_test) == 1797
    assert len(y_test) == 450
    assert np.array_equal(x_test, again[2])
    assert int(x.max()) == (1 << bits) - 1
    assert json.dumps(sorted(set(y.tolist()))) == json.dumps(list(range(10)))
    assert data_sets.DataSet(x, y, x, y, x_test, y_test, bits).classes == 10
