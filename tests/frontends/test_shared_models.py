"""Convolutions, pools, layers on positions, and what moves values between them, as torch itself computes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from edgeml.errors import InputError
from edgeml.frontends import load_model
from edgeml.frontends.float_operators.pooled_sum import PooledSum
from edgeml.frontends.float_operators.shared_linear import SharedLinear
from edgeml.frontends.reading import positions
from edgeml.frontends.reading.builder import MlpBuilder
from edgeml.frontends.reading.positions import Window
from edgeml.frontends.reading.shapes import permute
from edgeml.frontends.reading.value import NotAnMlp, Signal

from .architectures import Functional
from .shared_models import SHARED, lively

FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def computed(builder: MlpBuilder, signal: Signal, x: np.ndarray) -> np.ndarray:
    """What `signal` is for inputs x [samples, …], by the operators that the builder has made: a linear layer behind,
    whose weights choose the values, makes a model of it."""
    vector = Signal(signal.node, (signal.shape[0], signal.size), order=signal.order)
    flat = builder.linear(vector, np.eye(signal.size), None)
    mlp = builder.build(flat, "model")
    return mlp.evaluate(x.reshape(len(x), -1)).reshape(len(x), *signal.features)


def example(draw: st.DrawFn, shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(draw(st.integers(0, 1000))).normal(size=(3, *shape))


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, object]]:
    """(x, weight, bias, settings of torch's conv1d or conv2d)."""
    dimensions, groups = draw(st.sampled_from([1, 2])), draw(st.sampled_from([1, 1, 2, 3]))
    inner, outer = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    each = [
        (draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(0, 2)), draw(st.integers(1, 2)))
        for _ in range(dimensions)
    ]
    kernel, stride, padding, dilation = zip(*each, strict=True)
    x = example(draw, (inner * groups, *(draw(st.integers(1, 7)) for _ in range(dimensions))))
    weight = example(draw, (inner, *kernel)).repeat(2, axis=0)[: outer * groups]
    assume(len(weight) == outer * groups)
    return x, weight, example(draw, (4,))[0].repeat(2)[: outer * groups], {
        "stride": stride, "padding": padding, "dilation": dilation, "groups": groups
    }  # fmt: skip


@given(convolutions())
@FEW
def test_convolutions_of_any_shape(case: tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, object]]) -> None:
    x, weight, bias, given_settings = case
    stride, padding, dilation = (list(given_settings[name]) for name in ("stride", "padding", "dilation"))  # type: ignore[call-overload]
    function = nn.functional.conv1d if x.ndim == 3 else nn.functional.conv2d
    builder = MlpBuilder((None, *x.shape[1:]))
    window = Window(list(weight.shape[2:]), stride, [(side, side) for side in padding], dilation)
    try:
        expected = function(*(torch.from_numpy(each) for each in (x, weight, bias)), **given_settings).numpy()  # type: ignore[arg-type]
    except RuntimeError:
        with pytest.raises(NotAnMlp, match="window"):
            positions.convolution(builder, builder.input, weight, bias, window, given_settings["groups"])  # type: ignore[arg-type]
        return
    found = positions.convolution(builder, builder.input, weight, bias, window, given_settings["groups"])  # type: ignore[arg-type]
    assert found.features == expected.shape[1:]
    assert np.allclose(computed(builder, found, x), expected, rtol=0, atol=1e-12)


@given(st.data())
@FEW
def test_pools_of_any_shape(data: st.DataObject) -> None:
    dimensions = data.draw(st.sampled_from([1, 2]))
    kernel = [data.draw(st.integers(1, 3)) for _ in range(dimensions)]
    stride = [data.draw(st.integers(1, 3)) for _ in range(dimensions)]
    padding = [data.draw(st.integers(0, size // 2)) for size in kernel]
    ceil, count = data.draw(st.booleans()), data.draw(st.booleans())
    shape = (data.draw(st.integers(1, 3)), *(data.draw(st.integers(3, 7)) for _ in range(dimensions)))
    x = np.random.default_rng(0).normal(size=(2, *shape))
    function = nn.functional.avg_pool1d if dimensions == 1 else nn.functional.avg_pool2d
    expected = function(torch.from_numpy(x), kernel, stride, padding, ceil, count).numpy()  # type: ignore[operator]
    builder = MlpBuilder((None, *shape))
    window = Window(kernel, stride, [(side, side) for side in padding], [1] * dimensions, ceil)
    found = positions.pooled(builder, builder.input, window, count)
    assert found.features == expected.shape[1:]
    assert np.allclose(computed(builder, found, x), expected, rtol=0, atol=1e-12)


@given(st.data())
@FEW
def test_permutations_layers_and_means_in_any_order(data: st.DataObject) -> None:
    """A few steps on a tensor of three dimensions; torch does the same."""
    generator = np.random.default_rng(data.draw(st.integers(0, 99)))
    shape = tuple(data.draw(st.integers(1, 4)) for _ in range(3))
    x = generator.normal(size=(2, *shape))
    builder = MlpBuilder((None, *shape))
    tensor, signal = torch.from_numpy(x), builder.linear(builder.input, np.eye(shape[-1]), None)
    for step in data.draw(
        st.lists(st.sampled_from(["permute", "linear", "mean", "residual", "norm", "pad", "cut"]), max_size=5)
    ):
        rank = tensor.ndim
        axis = data.draw(st.integers(1, rank - 1))
        if step == "permute":
            order = [0, *data.draw(st.permutations(range(1, rank)))]
            tensor, signal = tensor.permute(order), permute(signal, order)
        elif step == "linear":
            weight = generator.normal(size=(data.draw(st.integers(1, 3)), tensor.shape[axis]))
            tensor = torch.movedim(torch.movedim(tensor, axis, -1) @ torch.from_numpy(weight.T), -1, axis)
            signal = builder.linear(signal, weight, None, axis)
        elif step == "mean" and rank > 2:
            keep = data.draw(st.booleans())
            tensor, signal = tensor.mean(axis, keep), positions.reduced(builder, signal, [axis], keep, True)
        elif step == "residual" and all(size == tensor.shape[1] for size in tensor.shape[1:]):
            order = [0, *data.draw(st.permutations(range(1, rank)))]
            tensor, signal = (
                tensor + 2 * tensor.permute(order),
                builder.add(signal, builder.affine(permute(signal, order), 2.0, 0.0)),
            )
        elif step == "norm":
            values = [np.abs(generator.normal(size=tensor.shape[1])) + 0.1 for _ in range(4)]
            gamma, beta, mean, variance = (torch.from_numpy(each) for each in values)
            tensor = nn.functional.batch_norm(tensor, mean, variance, gamma, beta, eps=1e-3)
            signal = builder.batch_norm(signal, *values, 1e-3)
        elif step == "pad":
            sides = (data.draw(st.integers(0, 2)), data.draw(st.integers(0, 2)))
            tensor = nn.functional.pad(tensor, sides)
            signal = positions.padded(signal, [*[(0, 0)] * (rank - 2), sides])
        elif step == "cut" and tensor.shape[axis] > 1:
            tensor = tensor.narrow(axis, 1, tensor.shape[axis] - 1)
            signal = positions.chosen(builder, signal, axis, range(1, signal.shape[axis] or 0))
    assert signal.features == tuple(tensor.shape[1:])
    assert np.allclose(computed(builder, signal, x), tensor.numpy(), rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", SHARED)
def test_models_from_modules_programs_and_onnx(name: str, tmp_path: Path) -> None:
    """One model by three ways is one function, and the module's own."""
    make, shape = SHARED[name]
    model = lively(make(), shape)
    x = torch.randn(6, *shape)
    exported = torch.export.export(model, (x,), dynamic_shapes=({0: torch.export.Dim.AUTO},), strict=False)
    torch.export.save(exported, tmp_path / "model.pt2")
    torch.onnx.export(model, (x,), dynamo=True, verbose=False).save(str(tmp_path / "model.onnx"))
    with torch.no_grad():
        expected = model.double()(x.double()).numpy()
    model.float()
    for source, given_example in ((model, x), (tmp_path / "model.pt2", None), (tmp_path / "model.onnx", None)):
        mlp = load_model(source, example=given_example)
        found = mlp.evaluate(x.double().numpy().reshape(6, -1))
        assert np.allclose(found, expected, rtol=0, atol=1e-5), source
        kinds = {node.operator.kind for node in mlp.nodes}
        assert SharedLinear.kind in kinds
        assert PooledSum.kind in kinds


@FEW
@given(
    dimensions=st.sampled_from([1, 2]),
    kernel=st.integers(1, 3),
    stride=st.integers(1, 3),
    padding=st.integers(0, 1),
    dilation=st.integers(1, 2),
    ceil=st.booleans(),
    seed=st.integers(0, 99),
)
def test_the_largest_of_windows_is_that_of_torch(
    dimensions: int, kernel: int, stride: int, padding: int, dilation: int, ceil: bool, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    shape = (2, *generator.integers(5, 8, dimensions).tolist())
    padding = min(padding, kernel // 2)
    x = generator.normal(size=(3, *shape))
    pool = nn.functional.max_pool1d if dimensions == 1 else nn.functional.max_pool2d
    expected = pool(torch.from_numpy(x), kernel, stride, padding, dilation, ceil)
    builder = MlpBuilder((None, *shape))
    signal = builder.linear(builder.input, np.eye(shape[-1]), None)
    each = [kernel] * dimensions
    window = Window(each, [stride] * dimensions, [(padding, padding)] * dimensions, [dilation] * dimensions, ceil)
    found = positions.largest(builder, signal, window)
    assert found.features == tuple(expected.shape[1:])
    assert np.array_equal(computed(builder, found, x), expected.numpy())


def test_max_pools_come_from_modules_programs_and_onnx(tmp_path: Path) -> None:
    model = lively(
        nn.Sequential(
            nn.Conv2d(1, 3, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, 1),
            nn.Conv2d(3, 4, 2),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(4, 3),
        ),
        (1, 8, 8),
    )
    x = torch.randn(6, 1, 8, 8)
    torch.export.save(torch.export.export(model, (x,), strict=False), tmp_path / "model.pt2")
    torch.onnx.export(model, (x,), dynamo=True, verbose=False).save(str(tmp_path / "model.onnx"))
    with torch.no_grad():
        expected = model(x).numpy()
    for source, given_example in ((model, x), (tmp_path / "model.pt2", None), (tmp_path / "model.onnx", None)):
        mlp = load_model(source, example=given_example)
        assert "pooled_maximum" in {node.operator.kind for node in mlp.nodes}
        assert np.allclose(mlp.evaluate(x.double().numpy().reshape(6, -1)), expected, rtol=0, atol=1e-5)


def test_a_pool_keeps_its_weights_apart_from_those_that_are_trained() -> None:
    """The mean is a sum of integers; what it divides by stands behind it."""
    model = lively(SHARED["picture"][0](), (1, 8, 8))
    mlp = load_model(model, example=torch.zeros(2, 1, 8, 8))
    assert [node.operator.kind for node in mlp.nodes if node.operator.kind == "pooled_sum"] == ["pooled_sum"] * 2
    assert list(mlp.linears) == ["conv_0", "conv_4", "linear_9"]
    assert mlp.linears["conv_0"].weight.shape == (8, 9)


REFUSED = {
    "adaptive pool of unlike windows": (
        nn.Sequential(nn.Conv1d(2, 3, 2), nn.AdaptiveAvgPool1d(2), nn.Flatten(), nn.Linear(6, 2)),
        "windows differ in size",
        "sizes that divide",
    ),
    "pool of the largest with its places": (
        nn.Sequential(nn.Conv1d(2, 3, 2), nn.AdaptiveMaxPool1d(2), nn.Flatten(), nn.Linear(6, 2)),
        "adaptive_max_pool1d",
        "MaxPool without indices",
    ),
    "padding with copies": (
        nn.Sequential(nn.Conv1d(2, 3, 3, padding=1, padding_mode="replicate"), nn.Flatten(), nn.Linear(18, 2)),
        "pad",
        "Pad with zeros|edgeml reads",
    ),
    "samples cut": (Functional(lambda m, x: m.fc(torch.tanh(m.fc(x)))[1:], fc=nn.Linear(6, 6)), "samples", "edgeml"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_read_is_refused_by_name(name: str) -> None:
    model, text, remedy = REFUSED[name]
    with pytest.raises(InputError, match=text) as caught:
        load_model(model, example=np.zeros((3, 2, 6)))
    assert caught.value.exit_code == 2
    assert caught.value.remedy
    assert any(part in caught.value.remedy for part in remedy.split("|"))


def test_values_changed_in_place_keep_their_order() -> None:
    def forward(model: nn.Module, x: Tensor) -> Tensor:
        turned = model.conv(x).transpose(1, 2)
        turned.relu_()
        return model.fc(turned.reshape(len(x), -1))  # type: ignore[operator, no-any-return]

    model = Functional(forward, conv=nn.Conv1d(2, 3, 3), fc=nn.Linear(12, 4))
    x = torch.randn(5, 2, 6)
    mlp = load_model(model, example=x)
    with torch.no_grad():
        assert np.allclose(mlp.evaluate(x.numpy().reshape(5, -1)), model(x).numpy(), atol=1e-5)
