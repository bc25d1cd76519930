"""A float operator of somebody's package, found by its entry point: read from torch and ONNX, quantized, trained and
held against Brevitas like edgeml's own, with inputs of different sizes and scales."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from edgeml.converters.quantized import QuantizedConverter
from edgeml.converters.quantized.brevitas_network import BrevitasNetwork
from edgeml.converters.quantized.model_file import BREVITAS_FILE, from_bytes, to_bytes
from edgeml.converters.tflite import TfliteConverter
from edgeml.data.dataset import Dataset
from edgeml.errors import InputError
from edgeml.frontends import load_model
from edgeml.frontends.float_operators import operator
from edgeml.frontends.float_operators.add import Add
from edgeml.frontends.float_operators.arrays import ArrayLibrary
from edgeml.frontends.float_operators.operator import Role
from edgeml.frontends.mlp import Linear, Mlp, MlpNode
from edgeml.judging.fidelity import measure, samples
from edgeml.network import network_file, trace


class Branches(nn.Module):
    """Two branches of 5 and 4 channels, of which one is never negative, and the input itself behind them."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(6, 5), nn.Linear(6, 4)
        self.norm = nn.BatchNorm1d(4)
        self.join, self.last = nn.Linear(15, 8), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        left, right = torch.relu(self.left(x)), 4 * nn.functional.hardtanh(self.norm(self.right(x)))
        return self.last(torch.relu(self.join(torch.cat([left, right, x], dim=1))))


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package as if it were installed."""
    info = tmp_path / "outside-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: outside\nVersion: 1.0\n")
    here = f"{__package__}.outside"
    (info / "entry_points.txt").write_text(
        f"[edgeml.float_operators]\noutside_cat = {here}.operator:Cat\n"
        f"[edgeml.layers]\noutside_join = {here}.layer:Join\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    # What it registers is gone again behind the test.
    monkeypatch.setattr(operator, "_KINDS", dict(operator.registered_kinds()))


def data() -> Dataset:
    """Features of unlike sizes, and three classes."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(240, 6)) * [1, 1, 2, 1, 0.5, 1]
    y = (x[:, 0] > 0).astype(np.int64) + (x[:, 2] > 0)
    return Dataset(x[:200], x[200:], y[:200], y[200:])


def model() -> Branches:
    """Seeded weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Branches().eval()


@pytest.mark.usefixtures("installed")
def test_it_is_read_from_torch_and_from_onnx_and_checked_against_both(tmp_path: Path) -> None:
    torch.onnx.export(model(), (torch.zeros(2, 6),), str(tmp_path / "m.onnx"), dynamo=False)
    for source in (model(), tmp_path / "m.onnx"):
        mlp = load_model(source)
        assert isinstance(mlp, Mlp)
        assert [node.operator.kind for node in mlp.nodes].count("outside_cat") == 2
        assert [mlp.sizes[node.name] for node in mlp.nodes if node.operator.kind == "outside_cat"] == [9, 15]


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("options", [{"bits": 8}, {"bits": 2, "epochs": 3}, {"bits": 1, "epochs": 2}])
def test_it_becomes_its_integer_layer_bit_for_bit(options: dict[str, int]) -> None:
    mlp = load_model(model())
    conversion = QuantizedConverter().convert(mlp, data(), options, lambda *_: None)  # type: ignore[arg-type]
    network = conversion.network
    assert [node.layer.kind for node in network.nodes].count("outside_join") == 2
    quantized = from_bytes(conversion.files[BREVITAS_FILE])
    assert to_bytes(quantized) == conversion.files[BREVITAS_FILE]
    assert network_file.to_bytes(network_file.from_bytes(network_file.to_bytes(network))) == network_file.to_bytes(
        network
    )
    q = np.random.default_rng(2).integers(network.quantizer.low, network.quantizer.high, (300, 6), endpoint=True)
    golden = trace(network, q.astype(np.int32))
    for name, integers in BrevitasNetwork(quantized).integers(q).items():
        assert np.array_equal(golden[name], integers), name
    if options["bits"] == 8:
        assert conversion.reference is not None
        assert measure(conversion.reference, samples(network, data())).error < 0.1


@pytest.mark.usefixtures("installed")
def test_a_form_that_has_nothing_for_it_refuses_it_by_name() -> None:
    with pytest.raises(InputError, match="outside_cat has no int8 operator"):
        TfliteConverter().convert(load_model(model()), data(), {}, lambda *_: None)  # type: ignore[arg-type]


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("role_", "said"),
    [(Role.JOIN, "is not s times add of the integers"), (Role.WEIGHTS, "which the quantized form does not have")],
)
def test_an_operator_that_its_role_does_not_fit_is_refused_by_its_layer(role_: Role, said: str) -> None:
    @dataclasses.dataclass(frozen=True)
    class Product(Add):
        """y = a · b, which is no multiple of the step of a and b."""

        kind: ClassVar[str] = "outside_product"
        role: ClassVar[Role] = role_

        def compute(self, arrays: ArrayLibrary, parameters: Mapping[str, Any], *inputs: Any) -> Any:
            return inputs[0] * inputs[1]

    rng = np.random.default_rng(0)
    nodes = (
        MlpNode("a", Linear(rng.normal(size=(4, 6)), np.zeros(4)), ("input",)),
        MlpNode("b", Linear(rng.normal(size=(4, 6)), np.zeros(4)), ("input",)),
        MlpNode("both", Product(), ("a", "b")),
        MlpNode("last", Linear(rng.normal(size=(3, 4)), np.zeros(3)), ("both",)),
    )
    with pytest.raises(InputError, match=f"layer both: .*{said}"):
        QuantizedConverter().convert(Mlp("m", 6, nodes), data(), {"epochs": 0}, lambda *_: None)
