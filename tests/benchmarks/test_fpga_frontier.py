"""The frontier benchmark: circuits are judged by their own answers, which must be those of their software."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.fpga_frontier import data_sets, runs
from benchmarks.fpga_frontier.circuits import Circuit, answers, argmax_unit
from benchmarks.fpga_frontier.contestants import CONTESTANTS, settings_of
from benchmarks.fpga_frontier.jets import _circuits, as_integers, reduced
from benchmarks.fpga_frontier.measured import front, means, merged, read, write
from benchmarks.fpga_frontier.ours import circuit, entrance, float_model
from benchmarks.fpga_frontier.page import against, rows
from benchmarks.fpga_frontier.picture import picture
from benchmarks.fpga_frontier.rivals.contract import at_least
from edgeml.errors import EdgemlError
from edgeml.network import Dense, InputQuantizer, Network, Node, Output, decisions, simulate
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


@needs_icarus
@pytest.mark.parametrize("bias", [1, -2])
def test_our_circuit_takes_upper_bits_and_says_two_classes_by_two_outputs(bias: int) -> None:
    rng = np.random.default_rng(1)
    quantizer = InputQuantizer(5, np.array([1.0]), np.array([0.0]), 0, 3, False)
    dense = Dense(rng.integers(-2, 2, (1, 5)), 2, np.array([bias]))
    nodes = (Node("input", quantizer), Node("fc", dense, ("input",)))
    network = Network("n", nodes, Output(np.array([1.0]), 0, ("no", "yes"), "binary", -3))
    x = rng.integers(0, 32, (200, 5))
    text, bits, signed = circuit(network, 5, 5, 2)
    expected = decisions(network, simulate(network, quantizer.quantize(x >> 2)))
    assert 20 < expected.sum() < 180
    assert np.array_equal(answers(Circuit(text, bits, signed, 2), x, 5).argmax(axis=1), expected)


def test_a_line_of_few_features_sees_those_alone_that_tell_the_classes_apart() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (300, 6))
    y = (3 * x[:, 4] - x[:, 1] > 255).astype(np.int64)
    data = data_sets.DataSet(x, y, x, y, x, y, 8)
    model = float_model(data, [], 0, 0, features=2)
    assert sorted(np.flatnonzero(model[0].weight.detach().numpy()[0])) == [1, 4]
    answers = model(torch.tensor(x, dtype=torch.float32))[:, 0].detach().numpy() > 0
    assert (answers == y).mean() > 0.95


def test_a_model_sees_the_bits_of_features_beside_their_values() -> None:
    x = np.random.default_rng(0).integers(0, 16, (30, 2))
    data = data_sets.DataSet(x, x[:, 0] & 1, x, x[:, 0] & 1, x, x[:, 0] & 1, 4)
    model = float_model(data, [3], 1, 0, apart=True)
    seen = model[0](torch.tensor(x, dtype=torch.float32)).numpy()
    bits = [x[:, feature] >> bit & 1 for feature in (0, 1) for bit in range(4)]
    np.testing.assert_allclose(seen, np.stack([*bits, x[:, 0] / 15, x[:, 1] / 15], axis=1), rtol=1e-6)
    assert model(torch.tensor(x, dtype=torch.float32)).shape == (30, 1)


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
    monkeypatch.setattr(runs, "counted", lambda circuit, cache, short=False: {"luts": 3, "carry": 0, "levels": 1})
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


@needs_icarus
def test_both_adder_graphs_of_weights_of_any_size_compute_the_layer() -> None:
    pytest.importorskip("da4ml")
    rng = np.random.default_rng(3)
    weight = rng.integers(-1500, 1500, (3, 5)) * rng.integers(0, 2, (3, 5))
    x = rng.integers(0, 16, (50, 5))
    for made in _circuits(weight).values():
        assert np.array_equal(answers(made, x, 4), x @ weight.T)


def test_every_contestant_has_trainings_for_every_data_set() -> None:
    for contestant in CONTESTANTS:
        for name in data_sets.DATA_SETS:
            assert settings_of(contestant, name, quick=False)
            assert len(settings_of(contestant, name, quick=True)) == 1


def _point(how: str, settings: int, seed: int, luts: int, score: float) -> runs.Point:
    (contestant,) = (one for one in CONTESTANTS if one.name == how)
    chosen = settings_of(contestant, "digits", quick=False)[settings]
    return runs.Point("digits", how, seed, chosen, score, score, luts, 0, 5, 20, {how: "0"})


def test_the_front_and_the_picture_hold_what_no_other_mean_beats() -> None:
    found = means(
        [_point("torchlogix", k, 0, luts, score) for k, (luts, score) in enumerate(((100, 0.9), (200, 0.89)))]
    )
    found += means([_point("torchlogix", 2, 0, 300, 0.95)])
    assert [one.luts for one in front(found)] == [100, 300]
    text = picture(found)
    assert text.count('r="3.5"') == 3
    assert "torchlogix" in text


def test_seeds_of_one_training_are_averaged_and_circuits_of_one_run_are_not() -> None:
    seeds = [_point("edgeml logic", 0, seed, 100 + seed, 0.9 + seed / 50) for seed in range(3)]
    front_of_a_run = [_point("HGQ2 + da4ml", 0, 0, luts, 0.9) for luts in (500, 600)]
    found = means([*seeds, *front_of_a_run])
    assert [(one.luts, one.seeds, one.folds) for one in found] == [(101, (0, 1, 2), 1), (500, (0,), 1), (600, (0,), 1)]
    assert (found[0].least, found[0].score, found[0].most) == pytest.approx((0.9, 0.92, 0.94))


def _fold(how: str, settings: int, fold: int | None, luts: int, score: float, seed: int = 0) -> runs.Point:
    (contestant,) = (one for one in CONTESTANTS if one.name == how)
    chosen = settings_of(contestant, "cancer", quick=False)[settings]
    return runs.Point("cancer", how, seed, chosen, score, score, luts, 0, 5, 3, {}, None, fold)


def test_a_score_is_the_mean_over_all_folds_and_there_is_none_while_one_is_missing() -> None:
    trees = [_fold("boosted trees", 1, fold, 40 + fold, 0.9 + fold / 100) for fold in range(5)]
    network = [_fold("HGQ2 + da4ml", 0, fold, luts + fold, 0.9) for fold in range(5) for luts in (100, 300)]
    found = means([*trees, *network])
    assert [(one.luts, one.folds, one.seeds) for one in found] == [(42, 5, (0,)), (102, 5, (0,)), (302, 5, (0,))]
    assert (found[0].least, found[0].score, found[0].most) == pytest.approx((0.9, 0.92, 0.94))
    assert any(row.startswith("| boosted trees | 92.0% | 5: 90.0% … 94.0% | 42 |") for row in rows(found))
    assert means(trees[:4]) == []
    assert means([*trees, _fold("boosted trees", 1, 0, 40, 0.9, seed=1)]) == []


def test_a_fold_takes_its_own_place_among_what_is_measured_and_a_score_on_one_split_has_none() -> None:
    old = [_fold("boosted trees", 1, fold, 40, 0.9) for fold in (None, 0, 1)]
    again = merged(old, [_fold("boosted trees", 1, 1, 50, 0.9)])
    assert [(point.fold, point.luts) for point in again] == [(0, 40), (1, 50)]


def test_folds_test_each_sample_once_and_take_the_range_of_their_own_training_samples(tmp_path: Path) -> None:
    from sklearn.datasets import load_breast_cancer

    cells = load_breast_cancer()
    tested = []
    for fold in data_sets.folds("cancer"):
        data = data_sets.load(data_sets.data_file("cancer", tmp_path, None, fold))
        assert len(data.y_train) + len(data.y_validation) + len(data.y_test) == 569
        own = np.concatenate([data.x_train, data.x_validation])
        assert (own.min(axis=0).tolist(), own.max(axis=0).tolist()) == ([0] * 30, [255] * 30)
        assert abs(data.y_test.mean() - cells.target.mean()) < 0.01
        tested.append(data.y_test)
    assert np.bincount(np.concatenate(tested)).tolist() == np.bincount(cells.target).tolist()
    assert data_sets.folds("digits") == (None,)
    assert len(list(tmp_path.iterdir())) == 5


def test_the_page_says_where_a_rival_is_not_reached() -> None:
    ours = means([_point("edgeml logic", 0, seed, 100, 0.9) for seed in (0, 1)])
    trees = means(
        [_point("boosted trees", k, 0, luts, score) for k, (luts, score) in enumerate(((200, 0.9), (400, 0.95)))]
    )
    reached, not_reached = list(against([*ours, *trees]))[-2:]
    assert reached.endswith("| 90.0% | 200 | 90.0% | 100 | 0.50 |")
    assert not_reached.endswith("| at most 90.0% | 100 | not reached |")
    assert "| edgeml logic | 90.0% | 2: 90.0% … 90.0% | 100 | 0 | 20 | 5 | | | |" in list(rows(ours))


def test_what_is_measured_anew_takes_the_place_of_the_old_and_what_nobody_trains_any_more_goes(tmp_path: Path) -> None:
    old = [_point("boosted trees", 0, 0, 200, 0.9), _point("boosted trees", 0, 1, 210, 0.9)]
    gone = runs.Point("digits", "boosted trees", 0, {"rounds": -1}, 0.9, 0.9, 1, 0, 1, 1, {})
    write([*old, gone], tmp_path / "measured.json")
    again = merged(read(tmp_path / "measured.json"), [_point("boosted trees", 0, 0, 150, 0.91)])
    assert [point.luts for point in again] == [150, 210]


def test_a_circuit_that_came_out_the_same_keeps_where_it_was_placed() -> None:
    placed = replace(_point("boosted trees", 0, 0, 200, 0.9), ecp5={"luts": 300, "ns": 7.0})
    (same,) = merged([placed], [replace(placed, ecp5=None)])
    (other,) = merged([placed], [_point("boosted trees", 0, 0, 201, 0.9)])
    assert same.ecp5 == placed.ecp5
    assert other.ecp5 is None


def test_the_split_is_the_same_in_every_run_and_whole() -> None:
    x, y, x_test, y_test, bits = data_sets.DATA_SETS["digits"](None, None)
    again = data_sets.DATA_SETS["digits"](None, None)
    assert len(x) + len(x_test) == 1797
    assert len(y_test) == 450
    assert np.array_equal(x_test, again[2])
    assert int(x.max()) == (1 << bits) - 1
    assert json.dumps(sorted(set(y.tolist()))) == json.dumps(list(range(10)))
    assert data_sets.DataSet(x, y, x, y, x_test, y_test, bits).classes == 10
