"""Operators of ONNX in all their forms, checked against ONNX's reference evaluator by the loader and by hand here."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper

from edgeml.errors import CheckFailed, InputError
from edgeml.frontends import load_model
from edgeml.frontends.mlp import Affine, Clamp, Linear
from edgeml.frontends.onnx_model.operators.applied import OPERATORS

from .onnx_graphs import model, node

W = np.arange(12, dtype=np.float32).reshape(4, 3) / 7
B = np.array([1, -2, 0.5], np.float32)
X = np.random.default_rng(0).normal(size=(5, 4))


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("alpha", [1.0, 0.5])
@pytest.mark.parametrize(("beta", "bias"), [(1.0, B), (2.0, B[None]), (1.0, np.float32(3)), (0.0, B), (1.0, None)])
def test_gemm(transposed: bool, alpha: float, beta: float, bias: np.ndarray | None) -> None:
    arrays = {"w": W.T.copy() if transposed else W} | ({} if bias is None else {"b": bias})
    inputs = ["x", "w"] + ([] if bias is None else ["b"])
    mlp = load_model(model([node("Gemm", inputs, "y", transB=int(transposed), alpha=alpha, beta=beta)], arrays))
    expected = alpha * (X @ W) + (0 if bias is None else beta * bias)
    np.testing.assert_allclose(mlp.evaluate(X), expected, rtol=1e-15, atol=1e-15)


def test_matmul_from_either_side() -> None:
    right = load_model(model([node("MatMul", ["x", "w"], "y")], {"w": W}))
    assert np.array_equal(right.nodes[0].operator.weight, W.T)
    left = [
        node("Transpose", ["x"], "t", perm=[1, 0]),
        node("MatMul", ["w", "t"], "p"),
        node("Transpose", ["p"], "y", perm=[1, 0]),
    ]
    assert np.array_equal(load_model(model(left, {"w": W.T.copy()})).nodes[0].operator.weight, W.T)
    column = [
        node("Unsqueeze", ["x", "two"], "c"),
        node("MatMul", ["w", "c"], "p"),
        node("Squeeze", ["p", "two"], "y"),
    ]
    mlp = load_model(model(column, {"w": W.T.copy(), "two": np.array([2])}))
    assert np.array_equal(mlp.nodes[0].operator.weight, W.T)
    batched = load_model(model([node("MatMul", ["x", "w"], "y")], {"w": W[None]}, shape=[1, 4]))
    assert batched.output_size == 3


def test_a_bias_added_behind_joins_the_layer() -> None:
    mlp = load_model(model([node("MatMul", ["x", "w"], "p"), node("Add", ["b", "p"], "y")], {"w": W, "b": B}))
    assert [type(n.operator) for n in mlp.nodes] == [Linear]
    assert np.array_equal(mlp.nodes[0].operator.bias, B)


@pytest.mark.parametrize(
    ("clip", "opset", "arrays", "expected"),
    [
        ({"min": 0.0, "max": 6.0}, 6 + 1, {}, Clamp(0, 6)),
        ({"max": 2.0}, 9, {}, Clamp(-np.inf, 2)),
        ({}, 13, {"low": np.float32(-1)}, Clamp(-1, np.inf)),
        ({}, 13, {"low": np.float32(-1), "high": np.float32(1)}, Clamp(-1, 1)),
    ],
)
def test_clip(clip: dict[str, float], opset: int, arrays: dict[str, np.ndarray], expected: Clamp) -> None:
    graph = [node("MatMul", ["x", "w"], "p"), node("Clip", ["p", *arrays], "y", **clip)]
    assert load_model(model(graph, {"w": W, **arrays}, opset=opset)).nodes[-1].operator == expected


def test_clip_from_above_alone_leaves_an_input_out() -> None:
    graph = [node("MatMul", ["x", "w"], "p"), node("Clip", ["p", "", "high"], "y")]
    assert load_model(model(graph, {"w": W, "high": np.float32(4)})).nodes[-1].operator == Clamp(-np.inf, 4)


def test_constants_as_nodes_and_from_other_constants() -> None:
    graph = [
        node("Constant", [], "w", value=helper.make_tensor("", TensorProto.FLOAT, [4, 3], W.ravel())),
        node("Constant", [], "half", value_float=0.5),
        node("Constant", [], "three", value_ints=[3]),
        node("ConstantOfShape", ["three"], "b", value=helper.make_tensor("", TensorProto.FLOAT, [1], [2.0])),
        node("Mul", ["w", "half"], "scaled"),
        node("Transpose", ["scaled"], "turned"),
        node("Cast", ["turned"], "cast", to=TensorProto.DOUBLE),
        node("Sqrt", ["b"], "root"),
        node("Gemm", ["x", "cast", "root"], "y", transB=1),
    ]
    mlp = load_model(model(graph))
    np.testing.assert_allclose(mlp.evaluate(X), X @ (W * 0.5) + np.sqrt(2.0), rtol=1e-14)


def test_every_number_type_of_weights() -> None:
    for dtype in (np.float64, np.float16, np.int8, np.int32, np.uint8, np.int64):
        weights = (np.arange(12).reshape(4, 3)).astype(dtype)
        graph = [node("Cast", ["w"], "f", to=TensorProto.FLOAT), node("MatMul", ["x", "f"], "y")]
        assert np.array_equal(load_model(model(graph, {"w": weights})).nodes[0].operator.weight, weights.T)
    typed = {
        TensorProto.FLOAT: [0.5] * 12,
        TensorProto.DOUBLE: [0.1] * 12,
        TensorProto.FLOAT16: [0.25] * 12,
        TensorProto.BFLOAT16: [1.5] * 12,
        TensorProto.INT32: [-3] * 12,
        TensorProto.UINT8: [200] * 12,
    }
    for kind, values in typed.items():
        stored = model([node("Cast", ["w"], "f", to=TensorProto.FLOAT), node("MatMul", ["x", "f"], "y")])
        stored.graph.initializer.append(helper.make_tensor("w", kind, [4, 3], values))
        assert np.all(load_model(stored).nodes[0].operator.weight == values[0])


def test_an_integer_input_is_taken_as_numbers() -> None:
    graph = [
        node("Cast", ["x"], "f", to=TensorProto.FLOAT),
        node("Div", ["f", "c"], "s"),
        node("MatMul", ["s", "w"], "y"),
    ]
    mlp = load_model(model(graph, {"c": np.float32(255), "w": W}, kind=TensorProto.UINT8))
    assert [type(n.operator) for n in mlp.nodes] == [Affine, Linear]


@pytest.mark.parametrize("opset", [9, 12, 13])
def test_softmax_of_older_opsets_takes_all_dimensions_behind_its_axis(opset: int) -> None:
    graph = [node("MatMul", ["x", "w"], "p"), node("Softmax", ["p"], "y")]
    assert load_model(model(graph, {"w": W}, opset=opset)).final == "softmax"
    cube = [node("Reshape", ["x", "s"], "c"), node("MatMul", ["c", "w"], "p"), node("Softmax", ["p"], "y", axis=1)]
    stored = model(cube, {"w": W, "s": np.array([0, 1, 4])}, opset=opset)
    if opset < 13:
        assert load_model(stored).final == "softmax"
    else:
        with pytest.raises(InputError, match="softmax over dimension 1"):
            load_model(stored)


def test_sums_and_extremes_of_many() -> None:
    graph = [
        node("MatMul", ["x", "w"], "p"),
        node("Sum", ["p", "b", "one", "p"], "s"),
        node("Max", ["s", "one", "low"], "m"),
        node("Min", ["five", "m"], "y"),
    ]
    arrays = {"w": W, "b": B, "one": np.float32(1), "low": np.float32([0, 0, 0]), "five": np.float32(5)}
    expected = np.minimum(np.maximum(2 * (X @ W) + B + 1, 1), 5)
    np.testing.assert_allclose(load_model(model(graph, arrays)).evaluate(X), expected, rtol=1e-14)


def test_shapes_computed_from_the_batch() -> None:
    graph = [
        node("Shape", ["x"], "s"),
        node("Gather", ["s", "zero"], "n", axis=0),
        node("Unsqueeze", ["n", "axis"], "n1"),
        node("Slice", ["s", "one", "two"], "rest"),
        node("Concat", ["n1", "rest", "minus"], "target", axis=0),
        node("Reshape", ["x", "target"], "cube"),
        node("Flatten", ["cube"], "flat"),
        node("Gemm", ["flat", "w"], "y"),
    ]
    arrays = {
        "zero": np.array(0),
        "axis": np.array([0]),
        "one": np.array([1]),
        "two": np.array([2]),
        "minus": np.array([-1]),
    }
    assert load_model(model(graph, arrays | {"w": W})).input_size == 4


BAD: dict[str, tuple[list, dict, str]] = {
    "unknown operator": ([node("Atan", ["x"], "y")], {}, "Atan is not supported"),
    "a logarithm": ([node("Log", ["x"], "y")], {}, "edgeml knows: tanh, sigmoid, leaky_relu, abs"),
    "a shrink that jumps": ([node("Shrink", ["x"], "y", lambd=0.5)], {}, "jumps at ±0.5"),
    "quantized already": ([node("QuantizeLinear", ["x", "s"], "y")], {"s": np.float32(1)}, "no linear layer"),
    "other domain": ([helper.make_node("Other", ["x"], ["y"], domain="somebody")], {}, "somebody.Other"),
    "an input times itself": (
        [node("Mul", ["x", "x"], "s"), node("Mul", ["s", "x"], "y")],
        {},
        "no layer|inputs|linear",
    ),
    "divided by a signal": ([node("Div", ["w", "x"], "y")], {"w": W}, "depends on the input"),
    "weights that depend on the input": ([node("Gemm", ["x", "x"], "y")], {}, "both depend"),
    "wrong width": ([node("MatMul", ["x", "w"], "y")], {"w": W.T.copy()}, "weights of shape"),
    "no weights": ([node("MatMul", ["x", "w"], "y")], {}, "'w', which no node before it gives"),
    "a circle": ([node("Add", ["x", "x"], "a"), node("Add", ["a", "y"], "y")], {}, "which no node before"),
    "given twice": ([node("Relu", ["x"], "y"), node("Relu", ["x"], "y")], {}, "given already"),
    "an unknown attribute": ([node("Relu", ["x"], "y", alpha=1.0)], {}, "attribute 'alpha'"),
    "an attribute of a wrong type": ([node("Gemm", ["x", "w"], "y", alpha="one")], {"w": W}, "Gemm"),
    "samples mixed": ([node("Reshape", ["x", "s"], "y")], {"s": np.array([-1, 8])}, "mixes samples"),
    "samples summed": ([node("Transpose", ["x"], "t"), node("MatMul", ["t", "w"], "y")], {"w": W}, "over the samples"),
    "outputs at several places": (
        [node("Reshape", ["x", "s"], "r"), node("MatMul", ["r", "w"], "y")],
        {"s": np.array([0, 2, 2]), "w": np.ones((2, 2), np.float32)},
        "its output has shape",
    ),
    "a window of several dimensions": (
        [node("Conv", ["x", "w"], "y")],
        {"w": np.ones((2, 1, 3), np.float32)},
        "a window of 1 dimensions over a tensor of shape",
    ),
    "a kernel that its weights have not": (
        [node("Reshape", ["x", "s"], "r"), node("Conv", ["r", "w"], "y", kernel_shape=[2])],
        {"s": np.array([0, 1, 4]), "w": np.ones((2, 1, 3), np.float32)},
        "with weights of shape",
    ),
    "the largest of a window of norm p": (
        [node("Reshape", ["x", "s"], "r"), node("LpPool", ["r"], "y", kernel_shape=[2])],
        {"s": np.array([0, 1, 4])},
        "LpPool is not supported",
    ),
    "softmax within": (
        [node("Softmax", ["x"], "s"), node("MatMul", ["s", "w"], "y")],
        {"w": W},
        "may only stand at the end",
    ),
    "argmax within": (
        [node("ArgMax", ["x"], "s", axis=1), node("Cast", ["s"], "c", to=1), node("Relu", ["c"], "y")],
        {},
        "argmax is followed",
    ),
    "the last argmax": ([node("ArgMax", ["x"], "y", axis=1, select_last_index=1)], {}, "takes the first"),
    "argmax over samples": ([node("ArgMax", ["x"], "y")], {}, "argmax over dimension 0"),
    "batch norm in training": (
        [node("BatchNormalization", ["x", "g", "g", "g", "g"], "y", training_mode=1)],
        {"g": np.ones(4, np.float32)},
        "training mode",
    ),
    "dropout in training": (
        [node("Dropout", ["x", "r", "t"], "y")],
        {"r": np.float32(0.5), "t": np.array(True)},
        "training",
    ),
    "negative variance": (
        [node("BatchNormalization", ["x", "g", "g", "g", "v"], "y")],
        {"g": np.ones(4, np.float32), "v": -np.ones(4, np.float32)},
        "negative variance",
    ),
    "NaN weights": ([node("MatMul", ["x", "w"], "y")], {"w": np.full((4, 3), np.nan, np.float32)}, "NaN"),
    "infinite bias": (
        [node("Gemm", ["x", "w", "b"], "y")],
        {"w": W, "b": np.full(3, np.inf, np.float32)},
        "NaN or infinity",
    ),
    "clip upside down": ([node("Clip", ["x", "h", "l"], "y")], {"h": np.float32(1), "l": np.float32(0)}, "low < high"),
    "clip per feature": ([node("Clip", ["x", "l"], "y")], {"l": np.float32([0, 1, 2, 3])}, "Clip"),
    "no layer": ([node("Identity", ["x"], "y")], {}, "no layer"),
    "only a relu": ([node("Relu", ["x"], "y")], {}, "no linear layer"),
    "not from the input": ([node("Identity", ["w"], "y")], {"w": W}, "does not depend on its input"),
    "another output": ([node("MatMul", ["x", "w"], "z")], {"w": W}, "no node gives its output"),
    "text": ([node("Constant", [], "y", value_string="text")], {}, "Constant"),
    "a huge constant": ([node("ConstantOfShape", ["s"], "y")], {"s": np.array([10**6, 10**6])}, "more than"),
    "a huge expansion": ([node("Expand", ["w", "s"], "y")], {"w": W, "s": np.array([10**9, 4, 3])}, "more than"),
    "a huge outer sum": (
        [node("Add", ["a", "b"], "y")],
        {"a": np.ones((20000, 1)), "b": np.ones((1, 20000))},
        "more than",
    ),
    "a huge reshape": ([node("Reshape", ["x", "s"], "y")], {"s": np.array([2**62, 2**62])}, "Reshape"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_no_mlp_is_gets_a_named_error(name: str) -> None:
    nodes, arrays, text = BAD[name]
    with pytest.raises(InputError, match=text) as caught:
        load_model(model(nodes, arrays))
    assert caught.value.exit_code == 2
    assert caught.value.remedy or name == "only a relu"


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        ([2], "Export it"),
        ([], "Export it"),
        (["b", "n"], "dynamic"),
        (["b", 2**40], "features"),
        (["b", 4, "c"], "dynamic"),
    ],
)
def test_inputs_of_other_shapes(shape: list, text: str) -> None:
    with pytest.raises(InputError, match=text):
        load_model(model([node("MatMul", ["x", "w"], "y")], {"w": W}, shape=shape))


def test_models_of_several_inputs_or_outputs() -> None:
    stored = model([node("MatMul", ["x", "w"], "y")], {"w": W})
    stored.graph.input.append(helper.make_tensor_value_info("second", TensorProto.FLOAT, [1, 4]))
    with pytest.raises(InputError, match=r"has 2 inputs \(x, second\)"):
        load_model(stored)
    stored = model([node("MatMul", ["x", "w"], "y"), node("Relu", ["y"], "z")], {"w": W})
    stored.graph.output.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, 4]))
    with pytest.raises(InputError, match=r"has 2 outputs \(y, z\)"):
        load_model(stored)


def test_an_operator_misread_never_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loader's check on itself: were Relu read as Identity, loading would fail."""
    stored = model([node("MatMul", ["x", "w"], "p"), node("Relu", ["p"], "y")], {"w": W})
    load_model(stored)
    monkeypatch.setitem(OPERATORS, "Relu", lambda applied: applied.needed(0))
    with pytest.raises(CheckFailed, match="edgeml misread this model"):
        load_model(stored)


def test_models_that_overflow() -> None:
    stored = model(
        [node("MatMul", ["x", "w"], "a"), node("MatMul", ["a", "v"], "y")],
        {"w": W.astype(np.float64) * 1e200, "v": np.full((3, 3), 1e200)},
    )
    with pytest.raises(InputError, match=r"overflows|NaN or infinity"):
        load_model(stored)
