"""Budgets of models that share weights between positions: what bits disturb, and cost, is measured there too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgeml import plugins
from edgeml.allocation.budget import read_budget
from edgeml.allocation.distortion import ALL, Choice, distortion
from edgeml.allocation.layer_costs import LayerCost
from edgeml.allocation.untrained_models import stand_in_of
from edgeml.allocation.within_budget import Allocator, Part, convert_within
from edgeml.data.dataset import Dataset
from edgeml.explore.mlp_family import train_member
from edgeml.frontends.float_operators.pooled_maximum import PooledMaximum
from edgeml.frontends.float_operators.pooled_sum import PooledSum
from edgeml.frontends.float_operators.shared_linear import SharedLinear
from edgeml.frontends.mlp import Add, Affine, Clamp, Linear, Mlp, MlpNode
from edgeml.network import Network, Shared, Threshold
from edgeml.options.installed import form_owner
from edgeml.profile import load_profile

GROUPS = np.kron(np.eye(2), np.ones((2, 6)))


def convolution(generator: np.random.Generator) -> Mlp:
    """A convolution of 3 over 10 positions of 2 channels, maxima, one of two groups, a residual sum, a mean."""
    windows = (np.arange(10)[:, None] + np.arange(-1, 2)).clip(-1, 10)
    windows[windows == 10] = -1
    taken = np.where(windows[:, :, None] < 0, -1, windows[:, :, None] * 2 + np.arange(2)).reshape(10, 6)
    pairs = (np.arange(5)[:, None, None] * 8 + np.arange(4)[:, None] + np.array([0, 4])).reshape(20, 2)
    triples = (np.arange(3)[:, None] * 4 + np.arange(12)).reshape(3, 12)
    sums = (np.arange(3) * 4 + np.arange(4)[:, None]).reshape(4, 3)
    floats = [each.astype(np.float64) for each in (taken, pairs, triples, sums)]
    weight = [generator.normal(0, 0.5, shape) for shape in ((4, 6), (4, 12), (3, 4))]
    return Mlp(
        "sensor",
        20,
        (
            MlpNode("conv", SharedLinear(weight[0], np.zeros(4), floats[0], 20), ("input",)),
            MlpNode("relu", Clamp(0.0, np.inf), ("conv",)),
            MlpNode("pool", PooledMaximum(floats[1], 40), ("relu",)),
            MlpNode("groups", SharedLinear(weight[1] * GROUPS, np.zeros(4), floats[2], 20, 2), ("pool",)),
            MlpNode("relu2", Clamp(0.0, np.inf), ("groups",)),
            MlpNode("turned", PooledSum(np.arange(12)[::-1, None].astype(np.float64), 12), ("relu2",)),
            MlpNode("residual", Add(), ("relu2", "turned")),
            MlpNode("sums", PooledSum(floats[3], 12), ("residual",)),
            MlpNode("mean", Affine(np.full(4, 1 / 3), np.zeros(4)), ("sums",)),
            MlpNode("last", Linear(weight[2], np.zeros(3)), ("mean",)),
        ),
        "",
        (),
        "classes",
    )


@pytest.fixture(scope="module")
def model() -> tuple[Mlp, Dataset]:
    """A random model, and answers that it gives itself."""
    generator = np.random.default_rng(3)
    mlp, x = convolution(generator), generator.normal(0, 1, (400, 20))
    outputs = mlp.evaluate(x)
    centred = Affine(1 / outputs.std(axis=0), -outputs.mean(axis=0) / outputs.std(axis=0))
    last = replace(mlp.nodes[-1], operator=mlp.nodes[-1].operator.scaled_and_shifted(centred.scale, centred.shift))
    mlp = replace(mlp, nodes=(*mlp.nodes[:-1], last))
    y = mlp.evaluate(x).argmax(axis=1)
    return mlp, Dataset(x[:300], x[300:], y[:300], y[300:])


def stored(network: Network) -> float:
    """A cost that needs no target: bits of weights that are not zero and thresholds, as they are stored."""
    total = 0.0
    for node in network.layers:
        for layer in node.layer.chain if isinstance(node.layer, Shared) else (node.layer,):
            weight = getattr(layer, "weight", None)
            total += 0.0 if weight is None else float(np.count_nonzero(weight) * layer.weight_bits)
    return total


def test_at_one_position_a_layer_disturbs_what_it_does_alone() -> None:
    generator = np.random.default_rng(1)
    x, y = generator.normal(0, 1, (300, 6)), generator.integers(0, 3, 300)
    mlp = train_member(x, y, (7,), 3, 40, 0)
    nodes = []
    for node in mlp.nodes:
        operator = node.operator
        if isinstance(operator, Linear):
            index = np.arange(operator.weight.shape[1])[None].astype(np.float64)
            operator = SharedLinear(operator.weight, operator.bias, index, index.size)
        nodes.append(replace(node, operator=operator))
    shared = replace(mlp, nodes=tuple(nodes))
    found = [distortion(each, x, (2, 8), (2, ALL), (1, 4), 0).layers for each in (mlp, shared)]
    for one, other in zip(*found, strict=True):
        assert one.choices == other.choices
        assert one.distortion == pytest.approx(other.distortion, rel=1e-9, abs=1e-12)


def test_fewer_bits_of_a_shared_layer_disturb_more(model: tuple[Mlp, Dataset]) -> None:
    mlp, data = model
    found = distortion(mlp, data.x, (2, 8), (3, ALL), (1, 4), 0)
    assert [(layer.name, layer.inputs, layer.outputs, layer.taken) for layer in found.layers] == [
        ("conv", 6, 4, 20),
        ("groups", 12, 4, 20),
        ("last", 4, 3, 4),
    ]
    for place, layer in enumerate(found.layers):
        value = dict(zip(layer.choices, layer.distortion, strict=True))
        finest = 4 if place else 0
        assert value[Choice(8, ALL, finest)] < 0.05
        assert value[Choice(2, ALL, finest)] > value[Choice(8, ALL, finest)]
        assert value[Choice(8, 3, finest)] > value[Choice(8, ALL, finest)]


def test_a_stand_in_has_the_structure_of_what_conversion_gives(model: tuple[Mlp, Dataset]) -> None:
    mlp, data = model
    options = {"layer_bits": {"conv": (4, 3), "groups": (2, 2), "last": (4, None)}, "epochs": 1}
    real = plugins.converters("quantized").convert(mlp, data, options, lambda *_: None).network
    made = stand_in_of(mlp, (4, 2, 4), (3, 2), 8)
    assert [node.layer.kinds for node in made.nodes] == [node.layer.kinds for node in real.nodes]
    assert [made.sizes[node.name] for node in made.nodes] == [real.sizes[node.name] for node in real.nodes]
    counts = [[node.layer.multiplications for node in network.nodes] for network in (made, real)]
    assert counts[0] == counts[1]
    for one, other in zip(made.layers, real.layers, strict=True):
        assert one.layer.weight_memory == other.layer.weight_memory
        if isinstance(one.layer, Threshold):
            assert one.layer.levels == other.layer.levels
            before = next(node.layer for node in made.layers if node.name == one.inputs[0])
            assert not isinstance(before, Shared) or before.followed_by(one.layer, made.ranges[one.inputs[0]])
    (weight,) = (node.layer.chain[0].weight for node in made.layers if node.name == "groups")
    assert not np.any(weight * (1 - GROUPS))


def test_costs_are_those_of_weights_that_are_stored_once(model: tuple[Mlp, Dataset]) -> None:
    mlp, data = model
    allocator = Allocator.of(mlp, data, stored, act_bits=(4,))
    layer = next(layer for layer in allocator.measured.layers if layer.name == "conv")
    found = dict(zip(layer.choices, LayerCost(stored, layer, 8).of(layer.choices), strict=True))
    assert found[Choice(4, 3)] == pytest.approx(4 * 3 * 4)
    for limit in (150, 300):
        choices, cost = allocator.best(limit)
        assert 0.5 * limit <= cost <= limit, choices


def test_a_model_is_converted_within_a_budget(model: tuple[Mlp, Dataset]) -> None:
    mlp, data = model
    profile, hardware = load_profile("cortex-m4"), plugins.targets("mcu")
    conversion = convert_within(
        read_budget("flash=4500"),
        mlp,
        data,
        plugins.converters("quantized"),
        form_owner("quantized").options,
        {"epochs": 1},
        Part(hardware, profile, {}),
        lambda *_: None,
        lambda stage: None,
    )
    assert conversion.notes[0].startswith("flash=4500: ")
    assert hardware.estimate(conversion.network, profile, {})["flash_bytes"] <= 4500
