"""ONNX files with QuantizeLinear and DequantizeLinear, as onnxruntime writes them, become the integers that they state:
the golden simulator gives what onnxruntime gives on the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

from onnx import helper, numpy_helper

import edgeml
from edgeml.errors import InputError
from edgeml.frontends import load_model
from edgeml.frontends.mlp import Mlp
from edgeml.network import Add, Dense, Network, simulate
from edgeml.network.task import BINARY, CLASSES

from .onnx_files import INPUTS, float_file, graph_file, run, samples, statically_quantized

X = samples()


def read(path: Path) -> Network:
    network = load_model(path)
    assert isinstance(network, Network)
    return network


def golden(network: Network) -> Any:
    return network.output.real(simulate(network, network.quantizer.quantize(X)))


def expect_the_same(path: Path) -> Network:
    """Both give the same levels for all samples, in steps of the output's scale."""
    network = read(path)
    steps = (golden(network) - run(path, X)) / network.output.scale[0]
    assert np.abs(steps).max() < 1e-3
    assert len(np.unique(golden(network))) > 20
    return network


def quantized(tmp_path: Path, kind: str, **choices: Any) -> Path:
    float_file(tmp_path / "float.onnx", kind)
    statically_quantized(tmp_path / "float.onnx", tmp_path / "model.onnx", **choices)
    return tmp_path / "model.onnx"


def types(weights: str = "QInt8", activations: str = "QInt8", form: str = "QDQ", **choices: Any) -> dict[str, Any]:
    from onnxruntime.quantization import QuantFormat, QuantType

    return {
        "weight_type": QuantType[weights],
        "activation_type": QuantType[activations],
        "quant_format": QuantFormat[form],
        **choices,
    }


@pytest.mark.parametrize("kind", ["plain", "product", "residual", "sigmoid"])
@pytest.mark.parametrize(
    "choices",
    [
        {"per_channel": True},
        {"activations": "QUInt8"},
        {"weights": "QInt4", "activations": "QUInt8"},
        {"form": "QOperator"},
        {"form": "QOperator", "activations": "QUInt8", "per_channel": True},
    ],
    ids=str,
)
def test_what_onnxruntime_writes_is_read_as_its_integers(tmp_path: Path, kind: str, choices: dict[str, Any]) -> None:
    network = expect_the_same(quantized(tmp_path, kind, **types(**choices)))
    assert network.task == (BINARY if kind == "sigmoid" else CLASSES)
    assert any(isinstance(node.layer, Add) for node in network.layers) == (kind == "residual")


@pytest.mark.parametrize("form", ["QDQ", "QOperator"])
def test_a_softmax_at_the_end_changes_no_class(tmp_path: Path, form: str) -> None:
    """Its own levels of 1/256 may make equals of different logits, where the first is the answer; no other answer."""
    path = quantized(tmp_path, "softmax", **types(form=form))
    scores, shares = golden(read(path)), run(path, X)
    answers = scores.argmax(axis=1)
    assert np.all(shares[np.arange(len(X)), answers] == shares.max(axis=1))


def test_a_binary_answer_is_that_of_the_probability(tmp_path: Path) -> None:
    path = quantized(tmp_path, "sigmoid", **types())
    network = read(path)
    answers = simulate(network, network.quantizer.quantize(X))[:, 0] > network.output.decision_threshold
    np.testing.assert_array_equal(answers, run(path, X)[:, 0] > 0.5)


def test_weights_and_biases_are_those_of_the_file(tmp_path: Path) -> None:
    import onnx

    path = quantized(tmp_path, "plain", **types(per_channel=True))
    stored = [
        numpy_helper.to_array(tensor)
        for tensor in onnx.load(path).graph.initializer
        if tensor.data_type == onnx.TensorProto.INT8 and len(tensor.dims) == 2
    ]
    found = [node.layer.weight for node in read(path).layers if isinstance(node.layer, Dense)]
    assert len(found) == 3
    for weight, expected in zip(found, stored, strict=True):
        assert np.array_equal(weight, expected) or np.array_equal(weight, expected.T)


QUANTIZED = {
    "s": np.float32(2**-4),
    "z": np.int8(3),
    "w": np.random.default_rng(2).integers(-7, 8, (4, INPUTS)).astype(np.int8),
    "ws": np.float32(2**-3),
    "wz": np.int8(0),
    "os": np.float32(2**-3),
    "oz": np.int8(-5),
}


def chain(*middle: Any, gemm: str = "xr") -> list[Any]:
    """x → QuantizeLinear → `middle` → DequantizeLinear → Gemm with dequantized weights → QuantizeLinear and back."""
    last = middle[-1].output[0] if middle else "xq"
    return [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["xq"]),
        *middle,
        helper.make_node("DequantizeLinear", [last, "s", "z"], ["xr"]),
        helper.make_node("DequantizeLinear", ["w", "ws", "wz"], ["wr"]),
        helper.make_node("Gemm", [gemm, "wr"], ["a"], transB=1),
        helper.make_node("QuantizeLinear", ["a", "os", "oz"], ["aq"]),
        helper.make_node("DequantizeLinear", ["aq", "os", "oz"], ["y"]),
    ]


def test_ties_go_to_the_even_level_as_in_the_runtime(tmp_path: Path) -> None:
    """With scales that are powers of two many sums lie on a tie, in the file's float32 as in rational numbers; the zero
    point, here an odd one, is added behind the rounding."""
    path = tmp_path / "model.onnx"
    graph_file(path, chain(), QUANTIZED, 4)
    network = expect_the_same(path)
    dense = next(node.layer for node in network.layers if isinstance(node.layer, Dense))
    sums = dense.evaluate(network.quantizer.quantize(X))
    assert np.mean((sums - dense.weight.sum(axis=1) * 3) % 16 == 8) > 0.02


def test_a_clip_of_integers_makes_fewer_bits(tmp_path: Path) -> None:
    """As Brevitas writes activations of 4 bits in int8."""
    path = tmp_path / "model.onnx"
    arrays = {**QUANTIZED, "low": np.int8(-8), "high": np.int8(7)}
    graph_file(path, chain(helper.make_node("Clip", ["xq", "low", "high"], ["xc"])), arrays, 4)
    assert (expect_the_same(path).quantizer.low, read(path).quantizer.high) == (-8, 7)


def test_integers_may_change_their_shape(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    nodes = chain(helper.make_node("Unsqueeze", ["xq", "one"], ["xu"]), helper.make_node("Flatten", ["xu"], ["xf"]))
    graph_file(path, nodes, {**QUANTIZED, "one": np.array([1])}, 4)
    expect_the_same(path)


def test_quantized_weights_alone_make_a_float_model(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    nodes = [
        helper.make_node("DequantizeLinear", ["w", "ws", "wz"], ["wr"]),
        helper.make_node("Gemm", ["x", "wr"], ["y"], transB=1),
    ]
    graph_file(path, nodes, QUANTIZED, 4)
    mlp = load_model(path)
    assert isinstance(mlp, Mlp)
    np.testing.assert_allclose(mlp.evaluate(X), run(path, X), atol=1e-4)


def test_a_bundle_is_exact_in_c(tmp_path: Path) -> None:
    """Sums of two scales and tables, too."""
    path = quantized(tmp_path, "residual", **types())
    bundle = edgeml.convert(str(path), to="quantized", target="host", data={"x": X}, output=tmp_path / "bundle")
    assert all(verdict.status == "exact" for verdict in edgeml.verify(bundle, ["native"]))


REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "other scale": ({"s2": np.float32(0.1)}, {"xr": ["xq", "s2", "z"]}, "one scale and zero point, and dequantized"),
    "16 bits": ({"z": np.int16(3)}, {}, "activations of type int16"),
    "a scale per channel": (
        {"s": 2.0 ** -np.arange(INPUTS, dtype=np.float32), "z": np.zeros(INPUTS, np.int8)},
        {},
        "channel",
    ),
    "wide weights": (
        {"w": np.full((4, INPUTS), 200, np.uint8), "wz": np.uint8(3)},
        {},
        r"weight_type=QuantType\.QInt8",
    ),
    "negative scale": ({"s": np.float32(-1)}, {}, "not positive"),
    "no quantizer": ({}, {"a": ["x", "wr"]}, "reaches a linear layer without a quantizer"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_network_of_small_integers_is_refused(tmp_path: Path, case: str) -> None:
    arrays, inputs, problem = REFUSED[case]
    nodes = chain()
    for node in nodes:
        if node.output[0] in inputs:
            node.input[:] = inputs[node.output[0]]
    graph_file(tmp_path / "model.onnx", nodes, {**QUANTIZED, **arrays}, 4)
    with pytest.raises(InputError, match=problem):
        load_model(tmp_path / "model.onnx")


def test_dynamic_quantization_is_refused_with_what_to_do(tmp_path: Path) -> None:
    """And the command that the refusal names makes a file that is read."""
    from onnxruntime.quantization import quantize_dynamic

    float_file(tmp_path / "float.onnx", "product")
    quantize_dynamic(str(tmp_path / "float.onnx"), str(tmp_path / "model.onnx"))
    with pytest.raises(InputError, match=r"dynamically.*quantize_static"):
        load_model(tmp_path / "model.onnx")
    statically_quantized(tmp_path / "float.onnx", tmp_path / "static.onnx")
    expect_the_same(tmp_path / "static.onnx")
