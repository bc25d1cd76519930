"""QONNX files read into integer networks: the golden simulator gives what qonnx's own executor gives on the file."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("qonnx", reason="qonnx is not installed")

from edgeml.converters.quantized.qonnx.staircases import ROUNDINGS
from edgeml.errors import InputError
from edgeml.frontends import load_model
from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold, simulate
from edgeml.targets.fpga.qonnx.writer import to_qonnx
from tests.targets.fpga.qonnx.test_qonnx import _network as random_network

from .qonnx_files import brevitas_file, general, graph_file, run_by_qonnx


def read(path: Path) -> Network:
    network = load_model(path)
    assert isinstance(network, Network)
    return network


def expect_the_same(path: Path, x: np.ndarray) -> Network:
    """The network's real outputs against qonnx's; equal as integers."""
    network = read(path)
    y = simulate(network, network.quantizer.quantize(x))
    steps = run_by_qonnx(path, x) / network.output.scale[0] + network.output.zero_point
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-3)
    np.testing.assert_array_equal(np.rint(steps), y)
    assert len(np.unique(y, axis=0)) > len(x) // 4
    return network


@pytest.mark.parametrize("bits", [1, 4])
def test_our_own_file_read_again_takes_the_real_numbers_that_it_was_written_for(tmp_path: Path, bits: int) -> None:
    """The file's nodes begin and end with integers; the scales stand in its metadata."""
    network, generator = random_network(2), np.random.default_rng(3)
    scale, offset = 10.0 ** generator.uniform(-4, 4, 12), generator.normal(0, 100, 12)
    quantizer = InputQuantizer(12, scale, offset, -1, bits, True)
    nodes = (Node("input", quantizer), *network.layers)
    network = Network("net", nodes, Output(generator.uniform(0.1, 2, 5), -7))
    path = tmp_path / "model.onnx"
    path.write_bytes(to_qonnx(network))
    x = offset + scale * generator.normal(0, 4, (200, 12))
    found = read(path)
    expected = network.output.real(simulate(network, quantizer.quantize(x)))
    np.testing.assert_array_equal(found.output.real(simulate(found, found.quantizer.quantize(x))), expected)


@pytest.mark.parametrize("change", [("high", 300), ("low", -3), ("scale", [0.0]), ("scale", "none")])
def test_a_statement_that_does_not_fit_its_file_is_refused(tmp_path: Path, change: tuple[str, Any]) -> None:
    import onnx

    model = onnx.load_model_from_string(to_qonnx(random_network(2)))
    (entry,) = model.metadata_props
    stated = json.loads(entry.value)
    stated["input"][change[0]] = change[1]
    entry.value = json.dumps(stated)
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(InputError, match=r"model\.onnx"):
        read(path)


@pytest.mark.parametrize(
    ("kind", "dynamo"),
    [
        ("w1a1", False),
        ("w1a2", False),
        ("w2a2", False),
        ("relu", False),
        pytest.param("relu", True, marks=pytest.mark.slow),
    ],
)
def test_what_brevitas_exports(tmp_path: Path, kind: str, dynamo: bool) -> None:
    pytest.importorskip("onnxoptimizer", reason="onnxoptimizer, which Brevitas exports with, is not installed")
    path = tmp_path / "model.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        brevitas_file(path, kind, dynamo=dynamo)
    network = expect_the_same(path, np.random.default_rng(0).normal(0, 0.7, (60, 24)))
    bits = {node.layer.weight_bits for node in network.layers if isinstance(node.layer, Dense)}
    assert bits == ({int(kind[1])} if kind != "relu" else {2, 3, 4})


@pytest.mark.parametrize("choices", [{}, {"base": -2}, {"weight_bits": 1}, {"labels": False, "bias": True}], ids=str)
def test_our_own_files_come_back_as_the_same_integers(tmp_path: Path, choices: dict[str, Any]) -> None:
    for seed in range(3):
        written = random_network(seed, **choices)
        (tmp_path / "model.onnx").write_bytes(to_qonnx(written))
        back = read(tmp_path / "model.onnx")
        q = np.random.default_rng(seed).integers(-8, 8, (400, 12)).astype(np.int32)
        np.testing.assert_array_equal(simulate(back, q), simulate(written, q))
        np.testing.assert_array_equal(back.quantizer.quantize(q.astype(float)), q)


def quantizer(source: str, output: str, *, mode: str = "ROUND", signed: int = 1, narrow: int = 0, at: str = "") -> Any:
    return general(
        "Quant",
        [source, f"{at}scale", f"{at}zero", f"{at}bits"],
        output,
        signed=signed,
        narrow=narrow,
        rounding_mode=mode,
    )


INPUT = {"in_scale": 1.0, "in_zero": 0.0, "in_bits": 5.0}


@pytest.mark.parametrize("mode", sorted(ROUNDINGS))
@pytest.mark.parametrize(("signed", "narrow", "zero"), [(1, 0, 0.0), (1, 1, 0.0), (0, 0, 0.0), (0, 0, 3.0)])
def test_every_rounding_on_its_ties(tmp_path: Path, mode: str, signed: int, narrow: int, zero: float) -> None:
    """Sums are multiples of ¼ of a step, rising and falling, so that every kind of tie is met."""
    nodes = [
        quantizer("x", "q", at="in_"),
        quantizer("w", "weight", at="w_"),
        helper_node("MatMul", ["q", "weight"], "acc"),
        quantizer("acc", "y", mode=mode, signed=signed, narrow=narrow),
    ]
    arrays = {**INPUT, "w": [[0.25, -0.25, 0.5]], "w_scale": 0.25, "w_zero": 0.0, "w_bits": 4.0}
    graph_file(tmp_path / "m.onnx", nodes, {**arrays, "scale": 1.0, "zero": zero, "bits": 4.0}, inputs=1)
    network = read(tmp_path / "m.onnx")
    x = np.arange(-16, 16)[:, None].astype(float)
    y = network.output.real(simulate(network, network.quantizer.quantize(x)))
    np.testing.assert_array_equal(y, run_by_qonnx(tmp_path / "m.onnx", x))


def helper_node(kind: str, inputs: list[str], output: str) -> Any:
    from onnx import helper

    return helper.make_node(kind, inputs, [output], name=f"node_{output}")


def test_multithreshold_bipolar_and_trunc(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    nodes = [
        helper_node("MatMul", ["x", "w1"], "a"),
        general("MultiThreshold", ["a", "t"], "b", out_dtype="INT2", out_scale=1.0, out_bias=-2.0),
        helper_node("MatMul", ["b", "w2"], "c"),
        general("BipolarQuant", ["c", "one"], "d"),
        helper_node("MatMul", ["d", "w1b"], "e"),
        general("Trunc", ["e", "one", "zero", "six", "four"], "y", rounding_mode="FLOOR"),
    ]
    arrays = {
        "w1": rng.integers(-3, 4, (6, 8)), "w2": rng.integers(-3, 4, (8, 7)), "w1b": rng.integers(-3, 4, (7, 5)),
        "t": np.sort(rng.integers(-40, 40, (8, 3))), "one": 1.0, "zero": 0.0, "six": 6.0, "four": 4.0,
    }  # fmt: skip
    graph_file(tmp_path / "m.onnx", nodes, arrays, inputs=6, input_type="INT4")
    x = rng.integers(-8, 8, (200, 6)).astype(float)
    network = read(tmp_path / "m.onnx")
    assert (network.quantizer.bits, network.quantizer.signed) == (4, True)
    y = network.output.real(simulate(network, network.quantizer.quantize(x)))
    np.testing.assert_array_equal(y, run_by_qonnx(tmp_path / "m.onnx", x))
    assert sum(isinstance(node.layer, Threshold) for node in network.layers) == 3


def test_an_input_declared_bipolar(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    nodes = [helper_node("MatMul", ["x", "w"], "a"), general("BipolarQuant", ["a", "one"], "y")]
    graph_file(
        tmp_path / "m.onnx", nodes, {"w": rng.integers(-1, 2, (9, 4)), "one": 0.5}, inputs=9, input_type="BIPOLAR"
    )
    network = read(tmp_path / "m.onnx")
    x = rng.choice([-1.0, 1.0], (100, 9))
    y = network.output.real(simulate(network, network.quantizer.quantize(x)))
    np.testing.assert_array_equal(y, run_by_qonnx(tmp_path / "m.onnx", x))


def refused(path: Path, nodes: list[Any], arrays: dict[str, Any]) -> str:
    graph_file(path, nodes, arrays, inputs=3)
    with pytest.raises(InputError) as caught:
        load_model(path)
    return str(caught.value)


def test_what_is_no_integer_network_is_refused_with_its_node(tmp_path: Path) -> None:
    path, weight = tmp_path / "m.onnx", np.ones((3, 2))
    first = quantizer("x", "q", at="in_")
    product = helper_node("MatMul", ["q", "w"], "y")
    said = refused(path, [helper_node("MatMul", ["x", "w"], "a"), general("BipolarQuant", ["a", "in_scale"], "y")],
                   {**INPUT, "w": weight})  # fmt: skip
    assert "node_a" in said
    assert "set_tensor_datatype" in said
    assert "Quantize its weights" in refused(path, [first, product], {**INPUT, "w": weight * 0.37})
    assert "at most 8" in refused(path, [first, product], {**INPUT, "in_bits": 9.0, "w": weight})
    assert "rounding mode" in refused(
        path, [quantizer("x", "q", at="in_", mode="SOMEHOW"), product], {**INPUT, "w": weight}
    )
    assert "bit width" in refused(path, [first, product], {**INPUT, "in_bits": 2.5, "w": weight})
    assert "not positive" in refused(path, [first, product], {**INPUT, "in_scale": 0.0, "w": weight})
    bias = helper_node("Add", ["p", "b"], "y")
    product.output[0] = "p"
    assert "Int32Bias" in refused(path, [first, product, bias], {**INPUT, "w": weight, "b": [0.3, 0.1]})


def test_a_qonnx_file_is_converted_as_the_integers_it_is(tmp_path: Path) -> None:
    import edgeml

    (tmp_path / "net.onnx").write_bytes(to_qonnx(random_network(4)))
    bundle = edgeml.convert(tmp_path / "net.onnx", to="quantized", target="host", output=tmp_path / "out")
    q = np.random.default_rng(4).integers(-8, 8, (64, 12)).astype(np.int32)
    np.testing.assert_array_equal(bundle.run(q, on="native").integers, simulate(random_network(4), q))


def gate(second_zero: float = 0.0) -> tuple[list[Any], dict[str, Any]]:
    """Two layers behind one input, one signed, one unsigned, of unlike scales, multiplied; a last layer behind."""
    rng = np.random.default_rng(4)
    nodes = [quantizer("x", "q", at="in_")]
    arrays: dict[str, Any] = {**INPUT, "in_scale": 0.5}
    for name, scale, zero, signed in (("a", 0.75, 0.0, 1), ("b", 0.3125, second_zero, 0)):
        arrays |= {f"{name}w": rng.integers(-3, 4, (3, 5)) * 0.25, f"{name}w_scale": 0.25, f"{name}w_zero": 0.0,
                   f"{name}w_bits": 3.0, f"{name}_scale": scale, f"{name}_zero": zero, f"{name}_bits": 4.0}  # fmt: skip
        nodes += [
            quantizer(f"{name}w", f"{name}_weight", at=f"{name}w_"),
            helper_node("MatMul", ["q", f"{name}_weight"], f"{name}_sum"),
            quantizer(f"{name}_sum", f"{name}_levels", signed=signed, at=f"{name}_"),
        ]
    arrays |= {"p_scale": 1.5, "p_zero": 0.0, "p_bits": 4.0, "w": rng.integers(-3, 4, (5, 2))}
    arrays |= {"w_scale": 1.0, "w_zero": 0.0, "w_bits": 3.0}
    nodes += [
        helper_node("Mul", ["a_levels", "b_levels"], "product"),
        quantizer("product", "p_levels", at="p_"),
        quantizer("w", "weight", at="w_"),
        helper_node("MatMul", ["p_levels", "weight"], "y"),
    ]
    return nodes, arrays


def test_a_product_of_two_quantized_tensors_is_that_of_their_integers(tmp_path: Path) -> None:
    nodes, arrays = gate()
    graph_file(tmp_path / "m.onnx", nodes, arrays, inputs=3)
    network = expect_the_same(tmp_path / "m.onnx", np.random.default_rng(0).normal(size=(150, 3)) * 4)
    assert [node.layer.kind for node in network.layers].count("multiply") == 1


def test_a_product_with_integers_that_do_not_count_from_0_is_refused(tmp_path: Path) -> None:
    nodes, arrays = gate(second_zero=3.0)
    graph_file(tmp_path / "m.onnx", nodes, arrays, inputs=3)
    with pytest.raises(InputError, match="multiplies integers that do not count from 0") as caught:
        load_model(tmp_path / "m.onnx")
    assert "zero point 0" in caught.value.remedy
