"""The trainable layer: forward it is the integer layer, and its gradients are those that it says."""

from __future__ import annotations

import numpy as np
import torch

from edgeml.converters.quantized.logic.functions import LogicFunctions
from edgeml.network import Logic


def layer_of(inputs: int, functions: int, fan_in: int, first: bool = False) -> LogicFunctions:
    return LogicFunctions(inputs, functions, fan_in, torch.Generator().manual_seed(1), first)


def test_forward_gives_the_bits_of_the_integer_layer() -> None:
    for fan_in in (1, 3, 6):
        layer = layer_of(9, 20, fan_in)
        x = np.random.default_rng(0).integers(0, 2, (64, 9))
        integer = Logic(layer.wiring.numpy().astype(np.int32), layer.tables.numpy().astype(np.uint8), 9)
        y = layer(torch.from_numpy(x.astype(np.float32)))
        np.testing.assert_array_equal(y.detach().numpy(), integer.evaluate(x.astype(np.int32)))


def test_the_gradient_of_an_input_is_what_the_output_gains_by_it_in_the_blurred_table() -> None:
    layer = layer_of(4, 1, 2)
    with torch.no_grad():
        layer.scores.copy_(torch.tensor([[[1.0, 0, 0, 0], [0, 1.0, 0, 0]]]))
        layer.entries.copy_(torch.tensor([[-1.0, 1.0, -1.0, 1.0]]))  # the output is input 0
    x = torch.tensor([[1.0, 0.0, 0.0, 1.0]], requires_grad=True)
    layer(x).sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, torch.tensor([[0.85, 0.0, 0.0, 0.0]]))


def test_an_entry_learns_from_its_neighbours_and_most_from_itself() -> None:
    layer = layer_of(4, 1, 2)
    with torch.no_grad():
        layer.scores.copy_(torch.tensor([[[1.0, 0, 0, 0], [0, 1.0, 0, 0]]]))
    layer(torch.tensor([[1.0, 0.0, 0.0, 0.0]])).sum().backward()
    assert layer.entries.grad is not None
    near, far = 0.925, 0.075
    torch.testing.assert_close(layer.entries.grad, torch.tensor([[near * far, near**2, far**2, near * far]]))


def test_a_better_wire_gains_score_and_only_it() -> None:
    """The output should be input 2; the function passes its one input on, and takes input 0."""
    layer = layer_of(3, 1, 1, first=True)
    with torch.no_grad():
        layer.scores.copy_(torch.tensor([[[0.5, 0.4, 0.3]]]))
        layer.entries.copy_(torch.tensor([[-1.0, 1.0]]))
    x = torch.from_numpy(np.random.default_rng(0).integers(0, 2, (256, 3)).astype(np.float32))
    ((layer(x)[:, 0] - x[:, 2]) ** 2).mean().backward()
    gradient = layer.scores.grad
    assert gradient is not None
    assert gradient.flatten().argmin() == 2
    assert gradient.flatten()[2] < 0


def test_the_first_layer_gives_no_gradient_to_the_bits_that_enter() -> None:
    x = torch.ones((2, 4), requires_grad=True)
    layer_of(4, 3, 2, first=True)(x).sum().backward()
    assert x.grad is None
