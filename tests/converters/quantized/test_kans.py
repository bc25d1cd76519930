"""KANs: one table for each edge, on the grid of its input; exact in every executor, near the float network, and refused
by name by forms that have no tables."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import edgeml
from edgeml import plugins
from edgeml.converters.quantized import QuantizedConverter
from edgeml.converters.quantized.edge_tables import edges_as_tables
from edgeml.converters.quantized.model_file import BREVITAS_FILE, from_bytes
from edgeml.converters.quantized.one_hot_slopes import with_slopes
from edgeml.converters.quantized.options import read_options
from edgeml.data.dataset import Dataset
from edgeml.errors import InputError
from edgeml.frontends.float_operators.edge_functions import EdgeFunctions
from edgeml.frontends.float_operators.encode import EQUAL, Encode
from edgeml.frontends.float_operators.linear import Linear
from edgeml.frontends.float_operators.tanh import Tanh
from edgeml.frontends.mlp import Affine, Clamp, Mlp, MlpNode
from edgeml.judging import fidelity
from edgeml.network import Network, Tables, trace

RNG = np.random.default_rng(5)


def convert(mlp: Mlp, data: Dataset | None, **options: Any) -> plugins.Conversion:
    return QuantizedConverter().convert(mlp, data, options, lambda *_: None)


def edges(inputs: int, outputs: int, order: int = 3, **fields: Any) -> EdgeFunctions:
    knots = np.linspace(-2.5, 2.5, 9 + order) * np.ones((inputs, 1))
    coefficients = RNG.normal(size=(outputs, inputs, 8))
    given = {"formulas": np.zeros((0, 6)), "formula_names": (), **fields}
    base = RNG.normal(size=(outputs, inputs)) / 2
    return EdgeFunctions(knots, coefficients, order, base, "silu", RNG.normal(size=outputs), **given)


def kan(*sizes: int, between: tuple[Any, ...] = ()) -> Mlp:
    """Layers of edge functions, with operators of single channels between them."""
    nodes: list[MlpNode] = []
    source = "input"
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        for place, operator in enumerate(between if index else ()):
            nodes.append(MlpNode(f"between_{index}_{place}", operator, (source,)))
            source = nodes[-1].name
        nodes.append(MlpNode(f"kan_{index}", edges(inputs, outputs), (source,)))
        source = nodes[-1].name
    return Mlp("kan", sizes[0], tuple(nodes))


def data_of(mlp: Mlp, count: int = 600) -> Dataset:
    x = np.random.default_rng(1).uniform(-1.5, 2, (count, mlp.input_size))
    y = mlp.decisions(mlp.evaluate(x))
    return Dataset(x[: count // 2], x[count // 2 :], y[: count // 2], y[count // 2 :])


def tables_of(network: Network, name: str) -> Tables:
    layer = next(node.layer for node in network.nodes if node.name == name)
    assert isinstance(layer, Tables)
    return layer


@pytest.mark.parametrize("bits", [8, 6, 4])
def test_each_layer_is_tables_of_its_functions_and_gives_the_integers_of_brevitas(bits: int) -> None:
    mlp = kan(4, 5, 3)
    network = convert(mlp, data_of(mlp), bits=bits, input_bits=bits).network
    assert [node.layer.kind for node in network.nodes] == ["input_quantizer", "tables", "threshold", "tables"]
    for name in ("kan_0", "kan_1"):
        layer = tables_of(network, name)
        assert (layer.values, layer.entry_bits) == (1 << bits, bits)


@pytest.mark.parametrize(("bits", "error", "agreement"), [(8, 0.06, 0.98), (6, 0.2, 0.94), (4, 0.5, 0.8)])
def test_the_fewer_bits_the_further_from_the_float_network(bits: int, error: float, agreement: float) -> None:
    mlp = kan(4, 6, 3)
    metrics = convert(mlp, data_of(mlp, 2000), bits=bits, epochs=0).metrics
    assert metrics["output_error"] < error
    assert metrics["agreement"] > agreement


def test_entries_are_the_functions_on_the_grid() -> None:
    """At 8 bits the first layer's table, in real numbers, is each function at the input quantizer's own values."""
    mlp = kan(3, 4, 2)
    conversion = convert(mlp, data_of(mlp), bits=8)
    network, model = conversion.network, from_bytes(conversion.files[BREVITAS_FILE])
    table, quantizer = tables_of(network, "kan_0"), network.quantizer
    scale = next(node.operator.scale for node in model.nodes if node.name == "kan_0")
    points = quantizer.dequantize(np.repeat(np.arange(256, dtype=np.int32)[:, None], 3, axis=1))
    functions = mlp.nodes[0].operator
    assert isinstance(functions, EdgeFunctions)
    values = functions.on_edges(points)
    for channel in range(3):
        entries = table.table(channel).T * scale[:, None]
        # Scales of thresholds are in steps of the next layer's grid: the shape of each function is what is compared.
        for output in range(4):
            assert np.corrcoef(entries[output], values[output, channel])[0, 1] > 0.9995


def test_what_takes_each_channel_by_itself_between_layers_is_part_of_the_tables() -> None:
    between = (Affine(np.array([0.3, -0.2, 0.0, 1.0]), RNG.normal(size=4)), Clamp(-1.0, 1.0), Tanh())
    mlp = kan(3, 4, 3, between=between)
    conversion = convert(mlp, data_of(mlp, 1500), bits=8)
    assert [node.layer.kind for node in conversion.network.nodes] == [
        "input_quantizer",
        "tables",
        "threshold",
        "tables",
    ]
    assert conversion.metrics["output_error"] < 0.05


def test_inputs_without_edges_have_no_table_and_layers_without_any_still_convert() -> None:
    mlp = kan(4, 5, 3)
    first = mlp.nodes[0].operator
    assert isinstance(first, EdgeFunctions)
    weights = np.array([1.0, 0, 1, 0])
    part = replace(first, coefficients=first.coefficients * weights[:, None], base=first.base * weights)
    mlp = replace(mlp, nodes=(replace(mlp.nodes[0], operator=part), *mlp.nodes[1:]))
    layer = tables_of(convert(mlp, data_of(mlp), bits=8).network, "kan_0")
    assert layer.source.tolist() == [0, 2]
    nothing = replace(first, coefficients=first.coefficients * 0, base=first.base * 0)
    mlp = replace(mlp, nodes=(replace(mlp.nodes[0], operator=nothing), *mlp.nodes[1:]))
    convert(mlp, data_of(mlp), bits=8)


def test_bits_of_a_layer_are_those_of_its_grid_and_of_its_entries() -> None:
    mlp = kan(3, 4, 5, 2)
    options = {"weight_bits": 7, "act_bits": 4, "input_bits": 5, "layer_bits": "kan_1=3/6"}
    network = convert(mlp, data_of(mlp), **options, epochs=0).network
    layers = [tables_of(network, f"kan_{index}") for index in range(3)]
    assert all(isinstance(layer, Tables) for layer in layers)
    assert [(layer.values, layer.entry_bits) for layer in layers if isinstance(layer, Tables)] == [
        (32, 7), (16, 3), (64, 7)
    ]  # fmt: skip


def test_a_function_without_a_value_on_its_grid_is_named() -> None:
    mlp = kan(2, 3, 2)
    bad = edges(2, 3, formulas=np.array([[2, 1, 1.0, 0, 1, 0]]), formula_names=("log",))
    mlp = Mlp("kan", 2, (MlpNode("kan_0", bad, ("input",), "layer 0"), mlp.nodes[1]))
    with pytest.raises(InputError, match=r"^layer 0: .*log from input 1 to output 2 is not finite at -"):
        edges_as_tables(mlp, np.array([[0.0, -1], [1, 1]]), read_options({}))


def test_kans_are_trained_below_four_bits_and_by_who_asks() -> None:
    mlp = kan(3, 4, 2)
    data = data_of(mlp, 60)
    epochs = [convert(mlp, data, bits=bits).metrics["epochs"] for bits in (8, 4, 3)]
    assert epochs[:2] == [0, 0]
    assert epochs[2] > 0
    assert convert(mlp, data, bits=4, epochs=1).metrics["epochs"] == 1


def test_slopes_are_differences_of_neighbouring_entries() -> None:
    encode = Encode(*(np.array(each, float) for each in ([0] * 4 + [1] * 4, [EQUAL] * 8, [0, 1, 2, 3] * 2)), 2, 2)
    table = torch.tensor([1.0, 4, 9, 16, 0, -1, -2, -3])
    q = torch.tensor([[0.0, 1], [1, 3], [3, 2]], requires_grad=True)
    one_hot = torch.from_numpy(encode.evaluate(q.detach().numpy())).float()
    (with_slopes(encode, q, one_hot) @ table).sum().backward()
    assert q.grad is not None
    assert q.grad.tolist() == [[3.0, -1.0], [4.0, -1.0], [7.0, -1.0]]


def test_fidelity_holds_the_integers_against_the_users_functions() -> None:
    mlp = kan(4, 6, 3)
    data = data_of(mlp)
    conversion = convert(mlp, data, bits=8)
    reference = conversion.reference
    assert reference is not None
    (name,) = reference.readings
    values, x = reference.evaluate(data.x, {}), data.x
    integers = trace(conversion.network, conversion.network.quantizer.quantize(x))
    assert np.array_equal(values[conversion.network.nodes[-1].name], mlp.evaluate(x))
    assert np.abs(values[name] - integers[name])[(values[name] > 0) & (values[name] < 255)].max() < 8
    assert np.abs(reference.evaluate(x, {name: values[name]})["kan_1"] - mlp.evaluate(x)).max() < 1e-9
    assert fidelity.measure(reference, x).within


@pytest.mark.parametrize(("form", "message"), [("tflite", "edge_functions has no int8"), ("spiking", "tables.*spikes")])
def test_forms_without_tables_refuse_by_name(form: str, message: str, tmp_path: Path) -> None:
    mlp = kan(3, 4, 2)
    with pytest.raises(InputError, match=message):
        plugins.converters(form).convert(mlp, data_of(mlp), {}, lambda *_: None)


def test_the_same_model_gives_the_same_bytes() -> None:
    mlp = kan(3, 4, 2)
    first, second = (convert(mlp, data_of(mlp), bits=3, epochs=2) for _ in range(2))
    assert first.files[BREVITAS_FILE] == second.files[BREVITAS_FILE]


class Hats(torch.nn.Module):
    """A layer of piecewise linear functions."""

    def __init__(self, inputs: int, outputs: int, points: int) -> None:
        super().__init__()
        self.register_buffer("centres", torch.linspace(-2, 2, points))
        self.step = 4 / (points - 1)
        self.values = torch.nn.Linear(inputs * points, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        distance = torch.abs(x.unsqueeze(2) - self.centres) / self.step
        return self.values(torch.relu(1 - distance).flatten(1))


class Bells(Hats):
    """A layer of sums of bells."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.values(torch.exp(-(((x.unsqueeze(2) - self.centres) / self.step) ** 2)).flatten(1))


@pytest.mark.parametrize("layer", [Hats, Bells])
@pytest.mark.parametrize("suffix", ["", ".pt2", ".onnx"])
def test_modules_that_spread_their_inputs_become_tables(layer: type[Hats], suffix: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    module = torch.nn.Sequential(layer(3, 6, 5), torch.nn.BatchNorm1d(6), layer(6, 2, 7)).eval()
    example, model = torch.zeros(7, 3), Path()
    if suffix:
        model = tmp_path / f"m{suffix}"
        if suffix == ".pt2":
            torch.export.save(torch.export.export(module, (example,)), model)
        else:
            torch.onnx.export(module, (example,), model, dynamo=False)
    x = np.random.default_rng(0).uniform(-2, 2, (400, 3)).astype(np.float32)
    bundle = edgeml.convert(
        str(model) if suffix else module, to="quantized", target="host", data=x, example=None if suffix else example,
        options={"bits": 8}, output=tmp_path / "bundle",
    )  # fmt: skip
    kinds = [node.layer.kind for node in bundle.network.nodes]
    assert kinds == ["input_quantizer", "tables", "threshold", "tables"]
    assert bundle.manifest["metrics"]["output_error"] < 0.05
    assert not isinstance(bundle.network.nodes[-1].layer, Linear)
