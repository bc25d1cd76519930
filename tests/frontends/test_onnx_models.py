"""Models exported to ONNX by torch's exporters are read exactly."""

from __future__ import annotations

import io
import logging
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from edgeml.errors import InputError
from edgeml.frontends import load_model
from edgeml.frontends.mlp import Linear, Mlp

from .architectures import ARCHITECTURES, samples, trained
from .test_torch_models import assert_same

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning"),
]

LEGACY = [name for name in ARCHITECTURES if name not in ("changed_under_a_view", "no_grad")]
"""The legacy exporter traces what the other two run."""

IN_FLOAT32 = ("computed_std", "hardsigmoid", "pixel_scaling", "weight_norm")
"""What the exporter computes or writes in float32: constants of the code, square roots, sums."""


@pytest.fixture(autouse=True)
def _quiet() -> None:
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)


def legacy(model: torch.nn.Module, x: torch.Tensor, dynamic: bool, opset: int = 17) -> onnx.ModelProto:
    buffer = io.BytesIO()
    axes = {"x": {0: "batch"}} if dynamic else None
    torch.onnx.export(model, (x,), buffer, dynamo=False, input_names=["x"], dynamic_axes=axes, opset_version=opset)
    return onnx.load_model_from_string(buffer.getvalue())


def assert_close_to(mlp: Mlp, name: str, model: torch.nn.Module) -> None:
    """As `assert_same`, for exporters that fold batch norms into weights in float32."""
    x = samples(name).double()
    expected = load_model(model, example=samples(name, 3)).evaluate(x.reshape(len(x), -1).numpy())
    found = mlp.evaluate(x.reshape(len(x), -1).numpy())
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dynamic", [pytest.param(False, marks=pytest.mark.slow), True], ids=["fixed", "dynamic"])
@pytest.mark.parametrize("name", LEGACY)
def test_legacy_exporter(name: str, dynamic: bool, tmp_path: Path) -> None:
    model = trained(name)
    path = tmp_path / f"{name}.onnx"
    path.write_bytes(legacy(model, samples(name, 3), dynamic).SerializeToString())
    mlp = load_model(path)
    assert (mlp.name, mlp.final) == (name, ARCHITECTURES[name].final)
    if name in IN_FLOAT32 or any(isinstance(part, torch.nn.BatchNorm1d) for part in model.modules()):
        assert_close_to(mlp, name, model)
    else:
        assert_same(mlp, name, model)


@pytest.mark.parametrize(
    "name",
    [
        "plain",
        "wide_narrow_wide",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("image", "norm_before", "norm_behind", "hourglass", "normalised", "views", "argmax")
        ),
    ],
)
def test_dynamo_exporter_and_its_file_of_weights(name: str, tmp_path: Path) -> None:
    model = trained(name)
    path = tmp_path / "model.onnx"
    dynamic = ({0: torch.export.Dim.AUTO},)
    torch.onnx.export(
        model, (samples(name, 3),), path, dynamo=True, dynamic_shapes=dynamic, external_data=True, verbose=False
    )
    assert (tmp_path / "model.onnx.data").is_file()
    mlp = load_model(str(path))
    assert mlp.final == ARCHITECTURES[name].final
    assert_close_to(mlp, name, model)


@pytest.mark.parametrize("opset", [9, 10, 11, 12, 13, 14, 18, 20])
def test_opsets(opset: int) -> None:
    for name in ("hourglass", "log_softmax", "hardtanh", "image", "views"):
        model = trained(name)
        assert_close_to(load_model(legacy(model, samples(name, 3), True, opset)), name, model)


def test_one_sample_as_the_fixed_batch() -> None:
    for name in ("plain", "image", "wide_narrow_wide"):
        model = trained(name)
        assert_close_to(load_model(legacy(model, samples(name, 1), False)), name, model)


def test_layers_are_named_after_the_users_modules() -> None:
    mlp = load_model(legacy(trained("hourglass"), samples("hourglass", 3), True))
    names = [node.name for node in mlp.nodes if isinstance(node.operator, Linear)]
    assert names[1:] == ["up", "head"]


def test_sklearn_like_graphs() -> None:
    """x → (Cast, Sub, Mul) → MatMul, Add, Relu → MatMul, Add → Softmax → ArgMax, as classifiers of other tools are."""
    from onnx import TensorProto, helper, numpy_helper

    generator = np.random.default_rng(0)
    arrays = {
        "mean": generator.normal(size=(1, 8)).astype(np.float32),
        "scale": generator.uniform(0.5, 2, size=8).astype(np.float32),
        "coefficient": generator.normal(size=(8, 6)).astype(np.float32),
        "intercepts": generator.normal(size=(1, 6)).astype(np.float32),
        "coefficient1": generator.normal(size=(6, 3)),
        "intercepts1": generator.normal(size=(3,)),
    }
    nodes = [
        helper.make_node("Cast", ["X"], ["cast"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["cast", "mean"], ["centred"]),
        helper.make_node("Div", ["centred", "scale"], ["scaled"]),
        helper.make_node("MatMul", ["scaled", "coefficient"], ["product"]),
        helper.make_node("Add", ["intercepts", "product"], ["sum"]),
        helper.make_node("Relu", ["sum"], ["activated"]),
        helper.make_node("Gemm", ["activated", "coefficient1", "intercepts1"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        helper.make_node("ArgMax", ["probabilities"], ["label"], axis=1, keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "classifier",
        [helper.make_tensor_value_info("X", TensorProto.INT64, [None, 8])],
        [helper.make_tensor_value_info("label", TensorProto.INT64, [None])],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    mlp = load_model(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)]))
    assert mlp.final == "argmax"
    x = generator.normal(size=(5, 8))
    hidden = np.maximum((x - arrays["mean"]) / arrays["scale"] @ arrays["coefficient"] + arrays["intercepts"], 0)
    expected = hidden @ arrays["coefficient1"] + arrays["intercepts1"]
    np.testing.assert_allclose(mlp.evaluate(x), expected, rtol=1e-12)


def test_weights_beside_the_model_are_read_from_nowhere_else(tmp_path: Path) -> None:
    model = legacy(trained("plain"), samples("plain", 3), True)
    secret = tmp_path / "secret.bin"
    folder = tmp_path / "models"
    folder.mkdir()
    onnx.save(model, folder / "model.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0)
    secret.write_bytes((folder / "weights.bin").read_bytes())
    good = load_model(folder / "model.onnx")
    assert good.output_size == 3

    stored = onnx.load(folder / "model.onnx", load_external_data=False)
    (folder / "link.bin").symlink_to(secret)
    for location in (
        "../secret.bin",
        str(secret),
        "link.bin",
        "models/../../secret.bin",
        "",
        ".",
        "missing.bin",
        "a\0b",
    ):
        for tensor in stored.graph.initializer:
            for entry in tensor.external_data:
                if entry.key == "location":
                    entry.value = location
        (folder / "bad.onnx").write_bytes(stored.SerializeToString())
        with pytest.raises(
            InputError, match=r"missing\.bin: cannot be read" if location == "missing.bin" else "tensor"
        ):
            load_model(folder / "bad.onnx")


@pytest.mark.parametrize(
    ("key", "value"), [("offset", "-1"), ("offset", "x"), ("length", "3"), ("offset", "999999999")]
)
def test_weights_beside_the_model_have_the_right_size(key: str, value: str, tmp_path: Path) -> None:
    model = legacy(trained("plain"), samples("plain", 3), True)
    onnx.save(model, tmp_path / "model.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0)
    stored = onnx.load(tmp_path / "model.onnx", load_external_data=False)
    for tensor in stored.graph.initializer:
        kept = [(entry.key, entry.value) for entry in tensor.external_data if entry.key != key]
        del tensor.external_data[:]
        for name, text in [*kept, (key, value)]:
            tensor.external_data.add(key=name, value=text)
    (tmp_path / "model.onnx").write_bytes(stored.SerializeToString())
    with pytest.raises(InputError, match="tensor"):
        load_model(tmp_path / "model.onnx")
