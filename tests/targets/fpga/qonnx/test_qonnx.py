"""QONNX files: qonnx computes the golden integers from them, and the rules of FINN are checked on the file itself."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeml.errors import CheckFailed, InputError
from edgeml.network import Dense, Encode, InputQuantizer, Network, Node, Output, Threshold, simulate
from edgeml.network.layers.lookup import Lookup
from edgeml.targets.fpga.qonnx.activation import affine_of_thresholds, steps_of_table
from edgeml.targets.fpga.qonnx.executor import receive_qonnx, run_qonnx
from edgeml.targets.fpga.qonnx.folding import finn_units, names_units
from edgeml.targets.fpga.qonnx.rules import check_model
from edgeml.targets.fpga.qonnx.writer import RESULT, to_qonnx
from edgeml.verification.reception import real_vectors
from edgeml.verification.stated_scales import StatedScales


def _network(
    seed: int, *, base: int = 0, levels: int = 3, weight_bits: int = 2, labels: bool = True, bias: bool = False
) -> Network:
    """A chain whose thresholds come from random scales and shifts, as trained batch norms give them."""
    rng = np.random.default_rng(seed)
    sizes = (12, 24, 16, 5)
    nodes = [Node("input", InputQuantizer(sizes[0], np.array([1.0]), np.array([0.0]), 0, 4, True))]
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        last = index == 2
        weight = rng.integers(-1, 2, (outputs, inputs))
        if weight_bits == 1:
            weight = rng.choice(np.array([-1, 1]), (outputs, inputs))
        constant = rng.integers(-20, 21, outputs) if bias or not last else np.zeros(outputs, np.int64)
        zero_point = 0 if last else int(rng.integers(-2, 3))
        nodes.append(Node(f"fc{index}", Dense(weight, weight_bits, constant, zero_point), (nodes[-1].name,)))
        if not last:
            step, start = rng.uniform(0.2, 9, outputs), rng.normal(0, 8, outputs)
            steps = (np.arange(1, levels + 1) - 0.5) * step[:, None]
            thresholds = np.ceil(steps + start[:, None]).astype(np.int64)
            nodes.append(Node(f"act{index}", Threshold(thresholds, base), (nodes[-1].name,)))
    names = tuple(f"class {k}" for k in range(sizes[-1])) if labels else ()
    return Network("net", tuple(nodes), Output(np.array([1.0]), 0, names))


@pytest.mark.parametrize(
    "choices",
    [{}, {"levels": 15}, {"base": -2}, {"weight_bits": 1}, {"labels": False, "bias": True}, {"levels": 1}],
    ids=str,
)
def test_qonnx_computes_the_golden_integers(choices: dict[str, int]) -> None:
    pytest.importorskip("qonnx", reason="qonnx is not installed")
    for seed in range(3):
        network = _network(seed, **choices)
        q = np.random.default_rng(seed).integers(-8, 8, (200, 12)).astype(np.int32)
        np.testing.assert_array_equal(run_qonnx(to_qonnx(network), q), simulate(network, q))


def _on_bits(seed: int) -> Network:
    """Behind bits of three bytes, some levels and a category."""
    inner = _network(seed)
    rng = np.random.default_rng(seed)
    rule = np.array([1] * 7 + [2] * 4 + [3])
    operand = np.array([*rng.integers(0, 8, 7), *rng.integers(1, 256, 5)])
    encode = Encode(rng.integers(0, 3, 12), rule, operand, 3)
    first = Node("input", InputQuantizer(3, np.array([0.5]), np.array([-1.0]), 0, 8, False))
    dense = inner.nodes[1]
    nodes = (first, Node("bits", encode, ("input",)), replace(dense, inputs=("bits",)), *inner.nodes[2:])
    return Network("net", nodes, inner.output)


def test_behind_an_encoding_the_file_takes_bits_and_says_how_they_are_made() -> None:
    pytest.importorskip("qonnx", reason="qonnx is not installed")
    for seed in range(3):
        network = _on_bits(seed)
        content = to_qonnx(network)
        q = np.random.default_rng(seed).integers(0, 256, (300, 3)).astype(np.int32)
        bits = network.layers[0].layer.evaluate(q)
        np.testing.assert_array_equal(run_qonnx(content, bits), simulate(network, q))
        assert all(result.passed for result in check_model(content)), check_model(content)
        x = real_vectors(network.quantizer, q)
        real = network.output.real(simulate(network, network.quantizer.quantize(x)))
        np.testing.assert_array_equal(receive_qonnx(content, x).real, real)


def test_the_same_network_gives_the_same_bytes() -> None:
    assert to_qonnx(_network(1)) == to_qonnx(_network(1))


def test_the_input_itself_says_that_it_takes_integers() -> None:
    import onnx

    (given,) = onnx.load_from_string(to_qonnx(_network(0))).graph.input
    assert given.doc_string.startswith("Integers, not real numbers")


def test_our_files_keep_every_rule_of_finn() -> None:
    assert [result.rule for result in check_model(to_qonnx(_network(0))) if not result.passed] == []


def test_a_bias_behind_the_last_layer_is_named() -> None:
    broken = [result.rule for result in check_model(to_qonnx(_network(0, bias=True))) if not result.passed]
    assert broken == ["finn-last-layer-without-bias"]


def test_every_rule_can_fail() -> None:
    """One model each that breaks one rule, made by editing a good file."""
    import onnx

    def broken_by(change: object) -> set[str]:
        model = onnx.load_model_from_string(to_qonnx(_network(0)))
        change(model)  # type: ignore[operator]
        return {result.rule for result in check_model(model.SerializeToString()) if not result.passed}

    def attribute(model: onnx.ModelProto, position: int, name: str, value: int) -> None:
        quants = [node for node in model.graph.node if node.op_type == "Quant"]
        next(a for a in quants[position].attribute if a.name == name).i = value

    def unsigned_input(model: onnx.ModelProto) -> None:
        attribute(model, 0, "signed", 0)

    def gemm(model: onnx.ModelProto) -> None:
        next(node for node in model.graph.node if node.op_type == "MatMul").op_type = "Gemm"

    def sigmoid(model: onnx.ModelProto) -> None:
        next(node for node in model.graph.node if node.op_type == "Relu").op_type = "Sigmoid"

    def dynamic(model: onnx.ModelProto) -> None:
        model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "batch"

    def opset(model: onnx.ModelProto) -> None:
        model.opset_import[0].version = 18

    def outside(model: onnx.ModelProto) -> None:
        model.graph.initializer[0].data_location = 1

    def negative(model: onnx.ModelProto) -> None:
        attribute(model, 1, "narrow", 0)
        factor = next(t for t in model.graph.initializer if t.name == "act0_factor")
        factor.CopyFrom(onnx.numpy_helper.from_array(-onnx.numpy_helper.to_array(factor), factor.name))

    assert "finn-signed-input-quant" in broken_by(unsigned_input)
    assert "finn-matmul-not-gemm" in broken_by(gemm)
    assert "finn-relu-then-unsigned-quant" in broken_by(sigmoid)
    assert broken_by(dynamic) == {"finn-static-shapes"}
    assert broken_by(opset) == {"finn-opset-13"}
    assert "finn-one-file" in broken_by(outside)
    assert broken_by(negative) == {"finn-narrow-weights-with-negative-scale"}


def test_uneven_thresholds_are_stated_as_they_are() -> None:
    network = _network(0)
    node = network.nodes[2]
    assert isinstance(node.layer, Threshold)
    thresholds = node.layer.thresholds.copy()
    thresholds[4] = [-20, -19, 30]
    nodes = [n if n is not node else Node(n.name, Threshold(thresholds), n.inputs) for n in network.nodes]
    uneven = Network("net", tuple(nodes), network.output)
    content = to_qonnx(uneven)
    assert [n.op_type for n in onnx_nodes(content)].count("MultiThreshold") == 1
    assert all(result.passed for result in check_model(content)), check_model(content)
    q = np.random.default_rng(2).integers(-8, 8, (500, 12)).astype(np.int32)
    np.testing.assert_array_equal(run_qonnx(content, q), simulate(uneven, q))


def onnx_nodes(content: bytes) -> list[Any]:
    import onnx

    return list(onnx.load_model_from_string(content).graph.node)


@pytest.mark.parametrize("seed", range(6))
def test_any_function_of_one_integer_is_steps_up_and_steps_down(seed: int) -> None:
    """Tables that rise, fall, stay and jump, on inputs of both signs, with and without a dense layer that has a
    constant before them, and two dense layers in a row."""
    pytest.importorskip("qonnx", reason="qonnx is not installed")
    rng = np.random.default_rng(seed)
    table = rng.integers(-128, 128, 16).astype(np.int32)
    table = np.sort(table) if seed == 1 else np.sort(table)[::-1].copy() if seed == 2 else table
    table = np.full(16, 7, np.int32) if seed == 3 else table
    weight = [rng.integers(-3, 4, (5, 5)) for _ in range(3)]
    bias = rng.integers(-9, 10, 5)
    nodes = [
        Node("input", InputQuantizer(5, np.array([1.0]), np.array([0.0]), 0, 4, True)),
        Node("first", Lookup(table, -8), ("input",)),
        Node("a", Dense(weight[0], 3, bias, 2), ("first",)),
        Node("b", Dense(weight[1], 3, bias, -1), ("a",)),
        Node("act", Threshold(np.sort(rng.integers(-900, 900, (5, 15))), -3), ("b",)),
        Node("again", Lookup(table[::-1].copy(), -3), ("act",)),
        Node("last", Dense(weight[2], 3, bias, 0), ("again",)),
    ]
    network = Network("net", tuple(nodes), Output(np.array([1.0]), 0, ()))
    content = to_qonnx(network)
    q = rng.integers(-8, 8, (400, 5)).astype(np.int32)
    assert len(np.unique(simulate(network, q))) > (1 if seed == 3 else 50) - (seed == 3)
    np.testing.assert_array_equal(run_qonnx(content, q), simulate(network, q))
    differences = [r for r in check_model(content) if r.rule == "finn-no-difference-of-tensors"]
    assert [r.passed for r in differences] == [seed == 3]
    assert not names_units(network)


def test_steps_of_a_table_are_counted_as_high_as_they_are() -> None:
    steps = steps_of_table(np.array([5, 5, 8, 7, 7, 1], np.int32), -2, -1, 3)
    assert (steps.base, steps.up.tolist(), steps.down.tolist()) == (5, [0, 0, 0], [1] + [3] * 6)


def test_what_float32_cannot_compare_is_refused() -> None:
    wide = Dense(np.ones((1, 4), np.int64), 2, np.full(1, 2**24))
    nodes = (
        Node("input", InputQuantizer(4, np.array([1.0]), np.array([0.0]), 0, 4, True)),
        Node("wide", wide, ("input",)),
        Node("act", Threshold(2**24 + np.array([[-20, 19, 20]])), ("wide",)),
    )
    with pytest.raises(InputError, match="rule float32"):
        to_qonnx(Network("net", nodes, Output(np.array([1.0]), 0, ())))


def test_an_affine_is_found_for_every_rounding() -> None:
    rng = np.random.default_rng(3)
    for _ in range(300):
        levels = int(rng.choice([1, 3, 7, 15]))
        step, start = rng.uniform(0.05, 40), rng.normal(0, 60)
        thresholds = np.ceil((np.arange(1, levels + 1) - 0.5) * step + start).astype(np.int64)
        low = int(rng.integers(-200, 0))
        high = low + int(rng.integers(1, 300))
        found = affine_of_thresholds(thresholds, 0, low, high)
        assert found is not None
        values = np.arange(low, high + 1)
        y = np.clip(np.rint(values.astype(np.float32) * found[0] + found[1]), 0, levels)
        np.testing.assert_array_equal(y, (values[:, None] >= thresholds).sum(axis=1))


@pytest.mark.parametrize("content", [b"", b"no model", b"\x00" * 100])
def test_files_that_are_no_model_are_refused(content: bytes) -> None:
    try:
        results = check_model(content)
    except InputError:
        return
    assert any(not result.passed for result in results)


@pytest.mark.parametrize("interval", [1, 16, 10**6])
@pytest.mark.parametrize("standalone", [False, True])
def test_the_folds_for_finn_divide_the_layers_and_reach_the_interval(interval: int, standalone: bool) -> None:
    network = _network(0)
    units = finn_units(network, interval, "xc7z020clg400-1", standalone_thresholds=standalone)
    layers = [node.layer for node in network.layers if isinstance(node.layer, Dense)]
    matrices = [unit for unit in units if unit.name.startswith("MVAU")]
    assert len(matrices) == len(layers)
    for unit, layer in zip(matrices, layers, strict=True):
        assert layer.outputs % unit.folds["PE"] == 0
        assert layer.inputs % unit.folds["SIMD"] == 0
        assert (layer.outputs // unit.folds["PE"]) * (layer.inputs // unit.folds["SIMD"]) == unit.clocks
    assert max(unit.clocks for unit in units) <= interval
    assert len({unit.name for unit in units}) == len(units) == (7 if standalone else 5)


def test_folds_for_finn_keep_its_widest_stream() -> None:
    weight = np.ones((64, 2048), np.int64)
    quantizer = InputQuantizer(2048, np.array([1.0]), np.array([0.0]), 0, 2, True)
    network = Network(
        "wide",
        (Node("input", quantizer), Node("fc", Dense(weight, 2, np.zeros(64, np.int64)), ("input",))),
        Output(np.ones(1)),
    )
    *_, one = finn_units(network, 1, "xczu7ev-ffvc1156-2-e")
    assert one.folds["PE"] * one.folds["SIMD"] * 2 <= 8191
    assert one.clocks == 64 * 2048 // (one.folds["PE"] * one.folds["SIMD"])
    *_, slow = finn_units(network, 10**9, "xczu7ev-ffvc1156-2-e")
    assert slow.folds == {"PE": 1, "SIMD": 2}


def test_inspect_shows_the_rules_of_finn_with_the_node_at_fault(tmp_path: Path) -> None:
    import json

    from typer.testing import CliRunner

    from edgeml.cli import app

    def inspect(name: str, content: bytes) -> tuple[int, dict[str, Any]]:
        (tmp_path / name).write_bytes(content)
        result = CliRunner().invoke(app, ["inspect", str(tmp_path / name), "--json"])
        return result.exit_code, json.loads(result.stdout)

    code, document = inspect("good.onnx", to_qonnx(_network(0)))
    assert code == 0
    assert {rule["tool"] for rule in document["rules"]} == {"finn"}
    assert all(rule["passed"] for rule in document["rules"])
    code, document = inspect("bias.onnx", to_qonnx(_network(0, bias=True)))
    assert code == 1
    (broken,) = [rule for rule in document["rules"] if not rule["passed"]]
    assert broken["rule"] == "finn-last-layer-without-bias"
    assert broken["layer"].startswith("Add_")
    assert broken["remedy"]


@pytest.mark.parametrize("bits", [1, 4])
def test_the_file_alone_says_what_real_numbers_become(bits: int) -> None:
    """Per feature: unlike scales and offsets, half steps; and a scale per output."""
    pytest.importorskip("qonnx", reason="qonnx is not installed")
    network = _network(2)
    generator = np.random.default_rng(3)
    scale, offset = 10.0 ** generator.uniform(-4, 4, 12), generator.normal(0, 100, 12)
    quantizer = InputQuantizer(12, scale, offset, -1 if bits == 1 else 3, bits, True)
    nodes = (replace(network.nodes[0], layer=quantizer), *network.nodes[1:])
    output = Output(generator.uniform(0.1, 2, 5), -7, network.output.labels)
    network = replace(network, nodes=nodes, output=output)
    x = real_vectors(quantizer, generator.integers(quantizer.low, quantizer.high + 1, (100, 12)).astype(np.int32))
    expected = network.output.real(simulate(network, quantizer.quantize(x)))
    content = to_qonnx(network)
    np.testing.assert_array_equal(receive_qonnx(content, x).real, expected)

    import onnx

    model = onnx.load_model_from_string(content)
    (entry,) = model.metadata_props
    centred = replace(nodes[0], layer=replace(quantizer, offset=offset * 0))
    without_offset = replace(network, nodes=(centred, *nodes[1:]))
    entry.value = StatedScales.of(without_offset).as_json()
    assert not np.array_equal(receive_qonnx(model.SerializeToString(), x).real, expected)
    del model.metadata_props[:]
    with pytest.raises(CheckFailed, match="does not say what real numbers become"):
        receive_qonnx(model.SerializeToString(), x)


@pytest.mark.parametrize(("base", "levels"), [(-1, 1), (0, 4), (-3, 3), (5, 7)])
def test_activations_that_no_quant_gives_are_thresholds(base: int, levels: int) -> None:
    """qonnx takes a signed Quant of one bit for a bipolar one, for example."""
    pytest.importorskip("qonnx", reason="qonnx is not installed")
    network = _network(0, base=base, levels=levels)
    content = to_qonnx(network)
    assert [node.op_type for node in onnx_nodes(content)].count("MultiThreshold") == 2
    q = np.random.default_rng(0).integers(-8, 8, (200, 12)).astype(np.int32)
    np.testing.assert_array_equal(run_qonnx(content, q), simulate(network, q))


def test_two_labels_of_one_output_are_no_choice_of_the_largest() -> None:
    """TopK and LabelSelect over one output would always say class 0."""
    onnx = pytest.importorskip("onnx")
    nodes = (
        Node("input", InputQuantizer(3, np.ones(1), np.zeros(1), 0, 2, True)),
        Node("out", Dense(np.array([[1, -1, 1]]), 2, np.zeros(1, np.int32)), ("input",)),
    )
    network = Network("net", nodes, Output(np.ones(1), 0, ("no", "yes"), "binary"))
    graph = onnx.load_from_string(to_qonnx(network)).graph
    assert "TopK" not in {node.op_type for node in graph.node}
    assert [output.name for output in graph.output] == [RESULT]
