"""Bits and inputs under a budget: the program is exact, distortion measured, and conversions keep what was asked."""

from __future__ import annotations

from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeml import plugins
from edgeml.allocation.budget import read_budget
from edgeml.allocation.distortion import ALL, Choice, distortion, paired
from edgeml.allocation.dynamic_program import STEPS, best_choices
from edgeml.allocation.layer_costs import LayerCost
from edgeml.allocation.untrained_networks import stand_in
from edgeml.allocation.within_budget import Allocator
from edgeml.data.dataset import Dataset
from edgeml.errors import CheckFailed, InputError
from edgeml.explore.mlp_family import train_member
from edgeml.frontends.mlp import Mlp
from edgeml.network import Network
from edgeml.options.installed import form_owner
from edgeml.profile import load_profile


@pytest.fixture(scope="module")
def trained() -> tuple[Mlp, Dataset]:
    """Sixteen features, the last four of them noise, and four classes around centres."""
    generator = np.random.default_rng(1)
    y = generator.integers(0, 4, 900)
    x = generator.normal(0, 0.5, (900, 16)).astype(np.float32)
    x[:, :12] += generator.normal(0, 1, (4, 12))[y]
    data = Dataset(x[:700], x[700:], y[:700], y[700:])
    return train_member(data.x, y[:700], (20, 12), 4, 200, 0), data


def bits_of(network: Network) -> float:
    """A cost that needs no target: bits of all weights that are not zero, and of all thresholds."""
    total = 0.0
    for node in network.layers:
        weight = getattr(node.layer, "weight", None)
        if weight is not None:
            total += float(np.count_nonzero(weight) * node.layer.weight_bits)
        thresholds = getattr(node.layer, "thresholds", None)
        total += 0.0 if thresholds is None else float(thresholds.size)
    return total


@pytest.mark.parametrize(
    ("text", "name", "limit"),
    [
        ("luts=700", "luts", 700),
        ("flash=4k", "flash_bytes", 4096),
        (" instructions = 5k ", "instructions", 5000),
        ("latency=1.5", "latency_us", 1.5),
        ("ram=1M", "ram_bytes", 1 << 20),
    ],
)
def test_a_budget_is_read_with_the_names_that_targets_use(text: str, name: str, limit: float) -> None:
    found = read_budget(text)
    assert (found.name, found.limit) == (name, limit)


@pytest.mark.parametrize("text", ["", "luts", "luts=", "luts=-3", "luts=0", "luts=1e3", "luts<=4", "=4", "luts=9" * 9])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="option budget"):
        read_budget(text)


@given(seed=st.integers(0, 10**6), layers=st.integers(1, 4), limit=st.floats(0, 400))
@settings(max_examples=60)
def test_the_program_finds_what_trying_everything_finds(seed: int, layers: int, limit: float) -> None:
    """Costs are whole steps of the room here, so that rounding takes nothing."""
    generator = np.random.default_rng(seed)
    counts = generator.integers(1, 5, layers)
    costs = [generator.integers(0, 80, count).astype(float) for count in counts]
    own = [generator.uniform(0, 1, count) for count in counts]
    pairs = [generator.normal(0, 0.5, shape) for shape in pairwise(counts)]
    limit = round(limit)
    limit = (
        sum(each.min() for each in costs) + round(max(limit - sum(each.min() for each in costs), -1) / STEPS) * STEPS
    )

    def value(places: tuple[int, ...]) -> float:
        alone = sum(float(each[place]) for each, place in zip(own, places, strict=True))
        return alone + sum(float(pairs[k][places[k], places[k + 1]]) for k in range(layers - 1))

    def cost(places: tuple[int, ...]) -> float:
        return sum(float(each[place]) for each, place in zip(costs, places, strict=True))

    fitting = [places for places in product(*map(range, counts)) if cost(places) <= limit]
    found = best_choices(costs, own, pairs, limit)
    if not fitting:
        assert found is None
        return
    assert found is not None
    assert cost(found) <= limit
    assert value(found) == pytest.approx(min(map(value, fitting)))


def test_less_of_a_layer_disturbs_more(trained: tuple[Mlp, Dataset]) -> None:
    mlp, data = trained
    found = distortion(mlp, data.x, (2, 8), (2, 8, ALL), (1, 4), 0)
    assert [layer.name for layer in found.layers] == list(mlp.linears)
    for place, layer in enumerate(found.layers):
        value = dict(zip(layer.choices, layer.distortion, strict=True))
        finest = 4 if place else 0
        assert value[Choice(8, ALL, finest)] < 0.02
        assert value[Choice(8, 2, finest)] > 3 * value[Choice(8, ALL, finest)]
        assert value[Choice(2, 8, finest)] > value[Choice(8, 8, finest)]
        assert not place or value[Choice(8, 8, 1)] > value[Choice(8, 8, 4)]
    pairs = paired(found)
    assert [each.shape for each in pairs] == [(6, 12), (12, 12)]
    finest = [layer.choices.index(Choice(8, ALL, 4 if place else 0)) for place, layer in enumerate(found.layers)]
    assert abs(pairs[0][finest[0], finest[1]]) < 0.02
    assert np.abs(pairs[0]).max() > 0.02, "layers in a row are not independent"


def test_costs_of_layers_follow_the_target(trained: tuple[Mlp, Dataset]) -> None:
    mlp, data = trained
    layer = distortion(mlp, data.x, (2, 4), (3, ALL), (1, 4), 0).layers[1]
    found = dict(zip(layer.choices, LayerCost(bits_of, layer, 8).of(layer.choices), strict=True))
    # 12 neurons with their threshold of 1 bit; 20 neurons before them with 15 thresholds instead of 1
    assert found[Choice(4, 3, 1)] == pytest.approx(12 * (3 * 4 + 1))
    assert found[Choice(4, 3, 4)] - found[Choice(4, 3, 1)] == pytest.approx(20 * 14)
    assert found[Choice(4, ALL, 1)] > 4 * found[Choice(4, 3, 1)]


def test_the_whole_stand_in_keeps_the_limit_and_uses_it(trained: tuple[Mlp, Dataset]) -> None:
    mlp, data = trained
    allocator = Allocator.of(mlp, data, bits_of)
    spent = []
    for limit in (500, 1000, 2500):
        choices, cost = allocator.best(limit)
        assert 0.6 * limit <= cost <= limit
        spent.append(sum(each.fan_in or 20 for each in choices))
        options = allocator.options(choices)
        assert options["layer_bits"]["linear1"] == (choices[0].weight_bits, choices[1].input_bits)
    assert spent == sorted(spent)
    _, least = allocator.best(10)
    assert least > 10


def test_a_stand_in_of_few_inputs_has_so_many_in_each_neuron() -> None:
    network = stand_in((30, 9, 4), (2, 4), (2,), 8, fan_in=(5, 0))
    first, second = (node.layer.weight for node in network.layers if hasattr(node.layer, "weight"))
    assert set(np.count_nonzero(first, axis=1)) == {5}
    assert np.count_nonzero(second, axis=1).min() > 5


def test_a_stand_in_has_the_codes_that_training_takes(trained: tuple[Mlp, Dataset]) -> None:
    """700 samples: 2-bit weights on 8 bits have −2, on 1 bit they have not; more bits and fewer samples neither."""
    mlp, data = trained
    options = {"layer_bits": {"linear1": (2, 2), "linear2": (2, 1), "linear3": (2, None)}, "epochs": 3}
    conversion = plugins.converters("quantized").convert(mlp, data, options, lambda *_: None)
    for network in (conversion.network, stand_in((16, 20, 12, 4), (2, 2, 2), (2, 1), 8, full_range=True)):
        weights = [node.layer.weight for node in network.layers if hasattr(node.layer, "weight")]
        assert [int(weight.min()) for weight in weights] == [-2, -2, -1]
        assert 0.04 < np.mean(weights[0] == -2) < 0.25
    narrow = stand_in((16, 20, 12, 4), (2, 3, 2), (2, 1), 8)
    assert [int(node.layer.weight.min()) for node in narrow.layers if hasattr(node.layer, "weight")] == [-1, -3, -1]


def _convert(trained: tuple[Mlp, Dataset], budget: str, target: str, **options: object) -> plugins.Conversion:
    from edgeml.allocation.within_budget import Part, convert_within

    mlp, data = trained
    profile = load_profile(target)
    hardware = plugins.targets(profile.kind)
    own = {"architecture": "unrolled"} if profile.kind == "fpga" else {}
    return convert_within(
        read_budget(budget),
        mlp,
        data,
        plugins.converters("quantized"),
        form_owner("quantized").options,
        {"epochs": 2, **options},
        Part(hardware, profile, own),
        lambda *_: None,
        lambda stage: None,
    )


def test_luts_of_a_design_stay_within_the_budget(trained: tuple[Mlp, Dataset]) -> None:
    conversion = _convert(trained, "luts=300", "xczu7ev")
    profile = load_profile("xczu7ev")
    found = plugins.targets("fpga").estimate(conversion.network, profile, {"architecture": "unrolled"})
    assert 100 < found["luts"] <= 300
    assert conversion.notes[0].startswith("luts=300: ")


def test_what_cannot_be_kept_says_the_least_that_was_reached(trained: tuple[Mlp, Dataset]) -> None:
    with pytest.raises(CheckFailed, match=r"budget=luts=9: cannot be met: the least that was reached is \d+"):
        _convert(trained, "luts=9", "xczu7ev")


@pytest.mark.parametrize(
    ("budget", "options", "said"),
    [("sheep=4", {}, "names nothing that target xczu7ev"), ("luts=400", {"fan_in": "3"}, "option fan_in is given too")],
)
def test_budgets_of_nothing_and_choices_given_twice_are_refused(
    trained: tuple[Mlp, Dataset], budget: str, options: dict[str, str], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        _convert(trained, budget, "xczu7ev", **options)


def test_a_form_without_bits_of_layers_is_refused(trained: tuple[Mlp, Dataset], tmp_path: Path) -> None:
    import torch

    from edgeml.pipeline import convert

    model = torch.nn.Sequential(torch.nn.Linear(4, 3)).eval()
    data = {"x": np.zeros((20, 4), np.float32)}
    with pytest.raises(InputError, match="Use --to quantized"):
        convert(model, to="tflite", target="host", data=data, budget="flash=4k", output=tmp_path / "bundle")
