"""Networks trained in snnTorch go in whole, and their integer form stands beside the float one."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from edgeml.converters.spiking.converter import SpikingConverter
from edgeml.converters.spiking.snn import convert_snn
from edgeml.data.dataset import as_dataset
from edgeml.errors import InputError
from edgeml.frontends import load_model
from edgeml.frontends.snn import Snn, SnnLayer
from edgeml.network import argmax, network_file, simulate
from edgeml.profile import load_profile
from edgeml.targets.neuromorphic.loihi import run_on_loihi_model
from edgeml.targets.neuromorphic.rules import apply_rules
from edgeml.targets.neuromorphic.xylosim import run_on_xylosim

from .trained import digits

torch = pytest.importorskip("torch")
snn = pytest.importorskip("snntorch")

STEPS = 8
NEURONS = {
    "Leaky": lambda n, **o: snn.Leaky(beta=0.85, init_hidden=True, **o),
    "Synaptic": lambda n, **o: snn.Synaptic(alpha=0.6, beta=0.8, init_hidden=True, **o),
    "Lapicque": lambda n, **o: snn.Lapicque(R=1.0, C=4.0, time_step=1.0, init_hidden=True, **o),
    "RLeaky": lambda n, **o: snn.RLeaky(beta=0.8, linear_features=n, init_hidden=True, **o),
    "RSynaptic": lambda n, **o: snn.RSynaptic(alpha=0.5, beta=0.8, linear_features=n, init_hidden=True, **o),
}


def silent(*_: object) -> None:
    return None


def sequential(kind: str, **options: object) -> torch.nn.Sequential:
    torch.manual_seed(3)
    return torch.nn.Sequential(
        torch.nn.Linear(6, 9),
        NEURONS[kind](9, threshold=0.1 if kind == "Lapicque" else 0.4, **options),
        torch.nn.Dropout(0.5),
        torch.nn.Linear(9, 4),
        NEURONS[kind](4, threshold=0.1 if kind == "Lapicque" else 0.4, **options),
    )


def source_spikes(module: torch.nn.Sequential, events: np.ndarray) -> np.ndarray:
    """Output spikes [steps, samples, neurons] of the module itself, in float64."""
    module = module.double().eval()
    for part in module:
        if hasattr(part, "reset_mem"):
            part.reset_mem()
    given = []
    with torch.no_grad():
        for step in torch.tensor(events):
            for part in module:
                step = part(step).double()
                if type(part).__name__.startswith("R"):
                    part.spk = part.spk.double()
            given.append(step.numpy())
    return np.stack(given)


@pytest.mark.parametrize("kind", NEURONS)
@pytest.mark.parametrize("reset", ["subtract", "zero", "none"])
@pytest.mark.parametrize("delayed", [True, False])
def test_the_frontend_reads_every_class_so_that_its_float_network_fires_the_same(
    kind: str, reset: str, delayed: bool
) -> None:
    options = {"reset_mechanism": reset}
    if not delayed:
        if kind == "Lapicque":
            pytest.skip("snnTorch's Lapicque has no reset_delay")
        options["reset_delay"] = False
    module = sequential(kind, **options)
    if kind == "RSynaptic" and not delayed:
        with pytest.raises(InputError, match="does not run with reset_delay=False"):
            load_model(module)
        return
    network = load_model(module)
    events = (np.random.default_rng(0).random((30, 5, 6)) < 0.5) * 1.0
    expected = source_spikes(module, events)
    assert expected.sum() > 20
    assert np.array_equal(network.run(events).spikes[-1], expected)


@lru_cache(maxsize=1)
def trained_network() -> torch.nn.Module:
    """64-48-32-10 of leaky neurons, trained with surrogate gradients on real digits."""
    data = digits()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    grad = snn.surrogate.fast_sigmoid()
    layers = []
    for a, b in ((64, 48), (48, 32), (32, 10)):
        layers += [torch.nn.Linear(a, b), snn.Leaky(beta=0.9, spike_grad=grad, init_hidden=True)]
    net = torch.nn.Sequential(*layers)
    x, y = torch.tensor(data.x, dtype=torch.float32), torch.tensor(data.y)
    optimiser = torch.optim.Adam(net.parameters(), lr=4e-3)
    for _ in range(10):
        for at in range(0, len(x), 128):
            for part in net[1::2]:
                part.reset_mem()
            counts = sum(net(x[at : at + 128]) for _ in range(STEPS))
            loss = torch.nn.functional.cross_entropy(counts, y[at : at + 128])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return net


def test_a_trained_network_keeps_its_accuracy_in_integers() -> None:
    network = load_model(trained_network(), name="digits_snn")
    assert isinstance(network, Snn)
    data = digits()
    conversion = SpikingConverter().convert(network, data, {"steps": STEPS}, silent)
    accuracy = conversion.metrics["accuracy"]
    assert accuracy["float"] > 0.9
    assert accuracy["integer"] > accuracy["float"] - 0.02
    assert conversion.metrics["spike_agreement"]["all"] > 0.95
    assert conversion.metrics["agreement"] > 0.95
    again = network_file.from_bytes(network_file.to_bytes(conversion.network))
    ours = argmax(simulate(again, again.quantizer.quantize(data.x_test)))
    assert float(np.mean(ours == data.y_test)) == accuracy["integer"]
    assert conversion.metrics["spiking"]["measures"]["total"]["synaptic_operations"] > 0


def test_fewer_bits_agree_less_and_fine_tuning_wins_accuracy_back() -> None:
    network, data = load_model(trained_network()), digits()
    options = {"steps": STEPS, "weight_bits": 2, "decay_bits": 3}
    plain = convert_snn(network, data, options, silent).metrics
    tuned = convert_snn(network, data, {**options, "epochs": 6, "learning_rate": 2e-3}, silent).metrics
    full = convert_snn(network, data, {"steps": STEPS}, silent).metrics
    assert plain["spike_agreement"]["all"] < full["spike_agreement"]["all"]
    assert tuned["accuracy"]["integer"] > plain["accuracy"]["integer"] + 0.02


@pytest.mark.parametrize("encoder", ["direct", "unary", "ttfs", "rate"])
def test_every_static_input_encoder_makes_a_network(encoder: str) -> None:
    network = load_model(trained_network())
    conversion = convert_snn(network, digits(), {"input_encoder": encoder, "steps": 16}, silent)
    assert conversion.metrics["spike_agreement"]["all"] > 0.95


@pytest.mark.parametrize("encoder", ["events", "delta"])
def test_samples_over_time_go_in_as_events(encoder: str) -> None:
    module = load_model(sequential("Synaptic"))
    x = np.random.default_rng(1).integers(0, 2, (50, 20 * 6)).astype(float)
    conversion = convert_snn(module, as_dataset({"x": x}), {"input_encoder": encoder, "input_bits": 2}, silent)
    assert conversion.network.input_size == 120
    assert conversion.network.origins == {"neurons0": "layer 1", "neurons1": "layer 4"}, "of the user's Sequential"
    assert conversion.metrics["spike_agreement"]["all"] > 0.97
    assert "accuracy" not in conversion.metrics


@pytest.mark.parametrize(("model", "chip"), [("loihi", "loihi1"), ("xylo", "xylo-audio2")])
def test_a_network_goes_onto_a_chip_in_the_chips_own_arithmetic(model: str, chip: str) -> None:
    torch.manual_seed(5)
    module = torch.nn.Sequential(
        torch.nn.Linear(12, 24), snn.Synaptic(alpha=0.5, beta=0.875, threshold=0.4, init_hidden=True),
        torch.nn.Linear(24, 6), snn.Synaptic(alpha=0.5, beta=0.875, threshold=0.4, init_hidden=True),
    )  # fmt: skip
    x = np.random.default_rng(1).integers(0, 2, (60, 20 * 12)).astype(float)
    conversion = convert_snn(load_model(module), as_dataset({"x": x}), {"model": model}, silent)
    network, q = conversion.network, x[:8].astype(np.int32)
    assert [r.detail for r in apply_rules(network, load_profile(chip)) if not r.passed] == []
    assert conversion.metrics["spike_agreement"]["all"] > 0.6
    if model == "loihi":
        outputs, _ = run_on_loihi_model(network, q)
    else:
        pytest.importorskip("xylosim", reason="the package xylosim is not installed")
        outputs, _ = run_on_xylosim(network, q)
    assert outputs.sum() > 0
    assert np.array_equal(outputs, simulate(network, q))


def test_the_same_arguments_give_the_same_bytes() -> None:
    network = load_model(trained_network())
    made = [
        network_file.to_bytes(convert_snn(network, digits(), {"steps": 4, "epochs": 1, "seed": 7}, silent).network)
        for _ in range(2)
    ]
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"input_encoder": "morse"}, "input_encoder"),
        ({"steps": 0}, "steps"),
        ({"input_encoder": "unary", "steps": 3}, "steps"),
        ({"weight_bits": 9}, "weight_bits"),
        ({"decay_bits": "many"}, "decay_bits"),
        ({"bits": 2}, "option bits: has no meaning"),
        ({"readout": "vote"}, "readout"),
        ({"model": "brain"}, "model"),
        ({"model": "loihi", "weight_bits": 4}, "model"),
        ({"epochs": 1, "learning_rate": 0}, "learning_rate"),
        ({"input_encoder": "delta", "steps": 7}, "steps"),
    ],
)
def test_wrong_options_are_refused_by_name(change: dict, says: str) -> None:
    with pytest.raises(InputError, match=says):
        convert_snn(load_model(trained_network()), digits(), change, silent)


def test_what_cannot_be_read_is_named_with_its_module() -> None:
    with pytest.raises(InputError, match=r"1 \(ReLU\)"):
        load_model(torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(), snn.Leaky(0.5)))
    with pytest.raises(InputError, match="inhibition"):
        load_model(torch.nn.Sequential(torch.nn.Linear(2, 2), snn.Leaky(0.5, inhibition=True)))
    with pytest.raises(InputError, match="ends in a linear layer"):
        load_model(torch.nn.Sequential(torch.nn.Linear(2, 2), snn.Leaky(0.5, init_hidden=True), torch.nn.Linear(2, 2)))
    with pytest.raises(InputError, match="init_hidden=True"):
        load_model(torch.nn.Sequential(torch.nn.Linear(2, 2), snn.Leaky(0.5), torch.nn.Linear(2, 2), snn.Leaky(0.5)))


def test_a_network_too_large_for_32_bits_is_refused_by_its_layer() -> None:
    layer = SnnLayer("big", np.ones((1, 2)), np.full(1, 1e15), np.ones(1), np.ones(1))
    with pytest.raises(InputError, match=r"big.*32 bits"):
        convert_snn(Snn("m", (layer,)), as_dataset({"x": np.ones((9, 2))}), {}, silent)
