"""Training: its quantizers are Brevitas's, its result is what it trained, and the same seed gives the same bytes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from edgeml.converters.quantized import QuantizedConverter
from edgeml.converters.quantized.brevitas_network import BrevitasNetwork
from edgeml.converters.quantized.calibrate import calibrate, input_integers
from edgeml.converters.quantized.fold import fold
from edgeml.converters.quantized.freeze import freeze
from edgeml.converters.quantized.input_quantizer import quantize_input
from edgeml.converters.quantized.model import QuantizedLinear
from edgeml.converters.quantized.model_file import BREVITAS_FILE
from edgeml.converters.quantized.options import read_options
from edgeml.converters.quantized.quantizer_placement import place_quantizers
from edgeml.converters.quantized.straight_through import BinaryWeights, UniformQuantizer
from edgeml.converters.quantized.trainable import TrainableNetwork
from edgeml.network import network_file

from .random_mlps import Shape, data_of, mlp_of, shapes

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
@pytest.mark.parametrize(("signed", "narrow"), [(True, True), (True, False), (False, False)])
def test_the_straight_through_quantizer_is_brevitas_int_quant_forward_and_backward(
    bits: int, signed: bool, narrow: bool
) -> None:
    from brevitas.core.function_wrapper import Identity
    from brevitas.core.quant import IntQuant

    torch.manual_seed(bits)
    x = torch.randn(40, 30, dtype=torch.float64) * 2
    x[0, :10] = torch.arange(10) / 4  # exact ties and ends of the range
    scale = torch.full((40, 1), 0.25, dtype=torch.float64)
    scale[20:] = 0.7
    gradient = torch.randn_like(x)
    int_quant = IntQuant(narrow_range=narrow, signed=signed, input_view_impl=Identity())
    low = int(int_quant.min_int(torch.tensor(float(bits))))
    high = int(int_quant.max_int(torch.tensor(float(bits))))
    results = []
    for ours in (True, False):
        inputs, scales = x.clone().requires_grad_(), scale.clone().requires_grad_()
        if ours:
            y = UniformQuantizer.apply(inputs, scales, low, high, 0.0)
        else:
            y = int_quant(scales, torch.tensor(0.0), torch.tensor(float(bits)), inputs)
        y.backward(gradient)
        results.append((y.detach(), inputs.grad, scales.grad))
    assert torch.equal(results[0][0], results[1][0])
    for ours_found, theirs in zip(results[0][1:], results[1][1:], strict=True):
        torch.testing.assert_close(ours_found, theirs, rtol=1e-12, atol=1e-12)


def test_the_binary_quantizer_is_brevitas_binary_quant_forward() -> None:
    from brevitas.core.quant import BinaryQuant
    from brevitas.core.scaling import ConstScaling

    x = torch.tensor([[-1.0, 0.0, 0.25, -0.0, 3.0]])
    y, *_ = BinaryQuant(ConstScaling(torch.tensor(0.5)))(x)
    assert torch.equal(BinaryWeights.apply(x, torch.tensor([[0.5]])), y)


@settings(max_examples=40)
@given(shapes(most_layers=4))
def test_what_is_trained_is_what_brevitas_computes(shape: Shape) -> None:
    """The trainable network, its batch norm measured, gives Brevitas's outputs up to the rounding of scales.

    Rounded scales and biases may move single sums across a tie; at 8 bits of activations that changes an output by
    little.
    """
    mlp, options = mlp_of(shape), read_options({"weight_bits": 3, "act_bits": 8})
    x = data_of(mlp, 5, 120).x
    quantized = quantize_input(fold(mlp), x, options)
    placement = place_quantizers(quantized.folded.mlp, options)
    normal = quantized.folded.normalise(x)
    start = calibrate(placement, quantized.input, quantized.folded.mlp, normal, x)
    q = input_integers(quantized.input, x)
    network = TrainableNetwork(placement, start, torch.from_numpy(q * quantized.input.step).float())
    finished = network.finished(q)
    outputs = network(torch.from_numpy(q * quantized.input.step)).detach().numpy()
    model = freeze(placement, finished)
    last = model.nodes[-1]
    integers = BrevitasNetwork(model).integers(q, keep=False)[last.name]
    step = model.steps.get(last.name)
    if step is None:
        assert isinstance(last.operator, QuantizedLinear)
        step = float(last.operator.scale[0]) * model.steps[last.inputs[0]]
    deviation = float(outputs.std()) + step
    assert np.sqrt(np.mean((integers * step - outputs) ** 2)) < 0.05 * deviation + step


def test_the_rounding_of_a_neuron_that_never_changes_is_not_normalised(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sums of a constant are constant but for their last bits, which processors round in their own ways: a batch norm
    that divides by the deviation of these makes ranges that are noise. Here the last bits are moved on purpose."""
    shape = Shape(
        (12, 1, 5, 5), ("clamp", "clamp"), ("before", "before"), (False, False), True, "relu", 31
    )  # all its samples lie beyond the first clamp
    exact, generator = torch.var_mean, torch.Generator().manual_seed(0)

    def rounded(sums: torch.Tensor, **options: object) -> tuple[torch.Tensor, torch.Tensor]:
        last_bit = torch.finfo(sums.dtype).eps * torch.randint(-1, 2, sums.shape, generator=generator) / 2
        return exact(sums * (1 + last_bit), **options)

    monkeypatch.setattr(torch, "var_mean", rounded)
    test_what_is_trained_is_what_brevitas_computes.hypothesis.inner_test(shape)


PROGRAM = """
import hashlib, sys
sys.path.insert(0, {root!r})
from tests.converters.quantized.test_training import digest
print(digest({epochs}, {seed}))
"""


def digest(epochs: int, seed: int) -> str:
    """SHA-256 of a network that was trained on random data, and of its Brevitas file."""
    shape = Shape((20, 40, 40, 5), ("relu", "none"), ("before", "after"), (False, True), False, "", 1)
    mlp = mlp_of(shape)
    data = data_of(mlp, 2, 600)
    options = {"bits": 2, "epochs": epochs, "seed": seed, "batch_size": 64}
    conversion = QuantizedConverter().convert(mlp, data, options, lambda *_: None)
    content = network_file.to_bytes(conversion.network) + conversion.files[BREVITAS_FILE]
    return hashlib.sha256(content).hexdigest()


def digest_elsewhere(threads: int, epochs: int, seed: int) -> str:
    """The same in a fresh process with so many threads."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    environment["OPENBLAS_NUM_THREADS"] = str(threads)
    program = PROGRAM.format(root=str(ROOT), epochs=epochs, seed=seed)
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_same_seed_gives_the_same_bytes_whatever_the_number_of_threads() -> None:
    once = digest(6, 7)
    assert digest_elsewhere(2, 6, 7) == once
    assert digest(6, 8) != once


def test_calibration_gives_the_same_bytes_and_leaves_torch_as_it_was() -> None:
    threads = torch.get_num_threads()
    assert digest(0, 1) == digest_elsewhere(2, 0, 1)
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()
