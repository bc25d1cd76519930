"""What is read of a module with snnTorch neurons is what its forward computes, however written; or it is refused."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("snntorch")

import snntorch as snn
import torch
from snntorch import utils

from edgeml.errors import EdgemlError
from edgeml.frontends import load_model

from .snntorch_modules import READ, REFUSED, STEPS, KeptStatesLooped, Two


def made(kind: type) -> torch.nn.Module:
    torch.manual_seed(1)
    return kind()


def given(module: torch.nn.Module, events: np.ndarray) -> np.ndarray:
    """What forward itself gives for events [steps, samples, features], as spikes or a readout, in float32."""
    module = module.eval()
    x = torch.tensor(events, dtype=torch.float32)
    name = type(module).__name__
    with torch.no_grad():
        if name == "TimeFirst":
            return module(x).numpy()
        if name == "TimeSecond":
            return module(x.transpose(0, 1)).numpy()
        if name in ("KeptStates", "Skip"):
            utils.reset(module)
            return np.stack([module(step).numpy() for step in x])
        if name == "StatesAsArguments":
            mem1, mem2, spikes = torch.zeros(0), torch.zeros(0), []
            for step in x:
                mem2, _, mem1, spk = module(step, mem1, mem2)
                spikes.append(spk.numpy())
            return np.stack(spikes)
        result = module(x[0].clone())
    result = result[0] if isinstance(result, tuple) else result
    result = next(iter(result.values())) if isinstance(result, dict) else result
    return result.transpose(0, 1).numpy() if name == "KeptStatesLooped" else result.numpy()


@pytest.mark.parametrize("kind", READ, ids=lambda kind: kind.__name__)
def test_the_reading_computes_what_forward_gives(kind: type) -> None:
    module = made(kind)
    network = load_model(module)
    events = np.random.default_rng(3).random((STEPS, 40, 6)) * (255 if kind.__name__ == "Normalised" else 2)
    events = events if network.source.steps is None else np.repeat(events[:1], STEPS, axis=0)
    ran = network.run(events)
    expected = given(module, events)
    assert ran.spikes[0].any()
    if network.readout == "count" and expected.ndim == 3:
        assert np.array_equal(ran.spikes[-1], expected)
    elif network.readout == "count":
        counts = ran.spikes[-1].sum(0)
        assert np.array_equal(np.argsort(-counts, kind="stable"), np.argsort(-expected, kind="stable"))
    else:
        read = ran.membranes[-1].max(0) if network.readout == "largest-membrane" else ran.membranes[-1][-1]
        assert np.allclose(read, expected, atol=1e-5)
    spikes, membranes = network.source.run(events)
    assert np.array_equal(spikes, ran.spikes[-1])
    assert np.allclose(membranes, ran.membranes[-1], atol=1e-5)


@pytest.mark.parametrize("kind", REFUSED, ids=lambda kind: kind.__name__)
def test_what_forward_does_beyond_that_is_refused_by_name(kind: type) -> None:
    with pytest.raises(EdgemlError, match=REFUSED[kind]):
        load_model(made(kind))


def test_the_module_is_left_as_it_was() -> None:
    module = made(KeptStatesLooped).train()
    for neuron in (module.lif1, module.lif2):
        neuron.mem = torch.full((3, 9 if neuron is module.lif1 else 4), 0.5, requires_grad=True) * 2
    kept, instances = module.lif1.mem, list(snn.SpikingNeuron.instances)
    before = torch.random.get_rng_state()
    load_model(module).source.run(np.ones((1, 2, 6)))
    assert module.lif1.mem is kept
    assert torch.equal(kept, torch.ones(3, 9))
    assert module.training
    assert "forward" not in vars(module.lif1)
    assert snn.SpikingNeuron.instances == instances
    assert torch.equal(torch.random.get_rng_state(), before)


def test_an_input_whose_shape_cannot_be_guessed_comes_as_an_example() -> None:
    class Image(Two):
        def forward(self, x: torch.Tensor) -> object:
            return super().forward(x[:, 0].flatten(1) if x.ndim == 4 else x.reshape(len(x), 2, 3)[:, :, 0])[0]

    with pytest.raises(EdgemlError, match="example"):
        load_model(made(Image))

    class Flat(Two):
        def forward(self, x: torch.Tensor) -> object:
            channels, height = x.shape[1], x.shape[2]
            return super().forward(x.reshape(len(x), channels * height))[0]

    assert load_model(made(Flat), example=np.zeros((3, 2, 3))).input_size == 6


def test_a_reading_that_is_wrong_is_found_on_the_users_data() -> None:
    module = made(Two)
    network = load_model(module)
    events = np.random.default_rng(0).random((STEPS, 5, 6))
    network.source.check(events)
    network.source.module.fc1.bias.data += 0.25
    with pytest.raises(EdgemlError, match=r"layer lif1, step 0"):
        network.source.check(events)


def test_a_model_of_another_default_number_type_is_read() -> None:
    """snnTorch's resets are float32 whatever the model computes in, and so round a threshold such as 0.4."""
    torch.set_default_dtype(torch.float64)
    try:
        network = load_model(made(Two))
        spikes, _ = network.source.run(np.ones((STEPS, 3, 6)))
    finally:
        torch.set_default_dtype(torch.float32)
    assert network.layers[0].threshold[0] == 0.4
    assert np.array_equal(spikes, network.run(np.ones((STEPS, 3, 6))).spikes[-1])
