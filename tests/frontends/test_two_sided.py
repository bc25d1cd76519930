"""PReLU with slopes below 0 in some channels: the channels that fall and rise become two, and the model is the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import edgeml
from edgeml.errors import EdgemlError
from edgeml.frontends import load_model
from edgeml.frontends.mlp import Mlp
from edgeml.network import Lookup, Threshold

from .architectures import Functional

SLOPES = [0.25, -0.5, 0.0, -1.5, 0.75, -0.125]


def prelu(*slopes: float) -> nn.PReLU:
    layer = nn.PReLU(len(slopes))
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(slopes))
    return layer


def norm(channels: int) -> nn.BatchNorm1d:
    """A batch norm with numbers of its own; two scales are negative."""
    layer = nn.BatchNorm1d(channels)
    with torch.no_grad():
        layer.running_mean = torch.randn(channels)
        layer.running_var = torch.rand(channels) + 0.5
        layer.weight.uniform_(0.5, 2.0)
        layer.weight[:2] *= -1
        layer.bias.normal_()
    return layer


MODELS: dict[str, tuple[Callable[[], nn.Module], list[int]]] = {
    "plain": (lambda: nn.Sequential(nn.Linear(4, 6), prelu(*SLOPES), nn.Linear(6, 3)), [9]),
    "norm before": (lambda: nn.Sequential(nn.Linear(4, 6), norm(6), prelu(*SLOPES), nn.Linear(6, 3)), [9]),
    "norm behind": (lambda: nn.Sequential(nn.Linear(4, 6), prelu(*SLOPES), norm(6), nn.Linear(6, 3)), [9]),
    "norms": (lambda: nn.Sequential(nn.Linear(4, 6), norm(6), prelu(*SLOPES), norm(6), nn.Linear(6, 3)), [9]),
    "below 0 alone": (lambda: nn.Sequential(nn.Linear(4, 3), prelu(-0.5, -1.0, -2.0), nn.Linear(3, 3)), [6]),
    "two in a row": (
        lambda: nn.Sequential(nn.Linear(4, 6), prelu(*SLOPES), nn.Linear(6, 3), prelu(-1, 1, -2), nn.Linear(3, 3)),
        [9, 5],
    ),
    "two takers": (
        lambda: Functional(
            lambda m, x: m.a(y := m.act(m.fc(x))) * 0.5 + m.b(y),
            fc=nn.Linear(4, 6), act=prelu(*SLOPES), a=nn.Linear(6, 3), b=nn.Linear(6, 3),
        ),
        [9],
    ),
}  # fmt: skip


def read(model: nn.Module) -> Mlp:
    found = load_model(model.eval())
    assert isinstance(found, Mlp)
    return found


@pytest.mark.parametrize("name", MODELS)
def test_the_model_is_the_same_with_channels_that_only_rise(name: str) -> None:
    torch.manual_seed(1)
    make, widths = MODELS[name]
    model = make().eval().double()
    found = read(model)
    functions = [node for node in found.nodes if node.operator.kind in ("leaky_relu", "clamp")]
    assert [found.sizes[node.name] for node in functions] == widths
    assert all(np.all(getattr(node.operator, "slope", np.zeros(1)) >= 0) for node in functions)
    x = np.random.default_rng(2).normal(size=(200, 4)) * 3
    with torch.no_grad():
        expected = model(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(found.evaluate(x), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("form", ["quantized", "spiking"])
def test_the_integers_are_thresholds_and_follow_the_model(form: str, tmp_path: Path) -> None:
    torch.manual_seed(1)
    model = MODELS["norms"][0]().eval()
    x = np.random.default_rng(2).normal(size=(400, 4))
    options = {"epochs": 0, "bits": 8} if form == "quantized" else {"epochs": 0}
    bundle = edgeml.convert(model, to=form, target="host", data={"x": x}, output=tmp_path / "b", options=options)
    kinds = {type(node.layer) for node in bundle.network.layers}
    assert Lookup not in kinds
    assert form == "spiking" or Threshold in kinds
    assert {each.status for each in edgeml.verify(bundle)} <= {"exact", "unavailable"}
    expected = read(model).evaluate(x)
    assert np.abs(bundle.run(x).real - expected).max() <= 0.03 * np.abs(expected).max()


def test_sums_that_something_else_takes_stay_as_they_are() -> None:
    torch.manual_seed(1)
    model = Functional(
        lambda m, x: m.a(m.act(h := m.fc(x))) + m.b(h),
        fc=nn.Linear(4, 6), act=prelu(*SLOPES), a=nn.Linear(6, 3), b=nn.Linear(6, 3),
    )  # fmt: skip
    found = read(model)
    assert [found.sizes[node.name] for node in found.nodes if node.operator.kind == "leaky_relu"] == [6]


def test_one_slope_for_all_channels_stays_one_function() -> None:
    found = read(nn.Sequential(nn.Linear(4, 6), prelu(*[-0.5] * 6), nn.Linear(6, 3)))
    assert [found.sizes[node.name] for node in found.nodes] == [6, 6, 3]


@pytest.mark.parametrize(
    "model",
    [
        nn.Sequential(nn.Linear(4, 6), prelu(*SLOPES)),
        Functional(
            lambda m, x: m.head(m.act(h := m.fc(x)) + h), fc=nn.Linear(4, 6), act=prelu(*SLOPES), head=nn.Linear(6, 3)
        ),
    ],
    ids=["at the end", "in a sum"],
)
def test_elsewhere_the_refusal_says_what_to_train(model: nn.Module, tmp_path: Path) -> None:
    torch.manual_seed(1)
    with pytest.raises(EdgemlError, match="rises and falls otherwise in each channel") as caught:
        edgeml.convert(
            model.eval(), to="quantized", target="host", data={"x": np.random.default_rng(2).normal(size=(64, 4))},
            output=tmp_path / "b", options={"epochs": 0},
        )  # fmt: skip
    assert "PReLU" in caught.value.remedy
    assert "Linear behind it" in caught.value.remedy
