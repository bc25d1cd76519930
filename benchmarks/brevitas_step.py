"""Why a Brevitas training step on a small network is slow, and what edgeml's own step costs beside it.

Every variant trains the same 784-64-64-64-10 network with 2-bit weights and activations and batch norm on the same
batch, with the same optimizer, on one thread. The variants take turns, so that other load on the machine hits all of
them; the minimum and the median of the process's CPU time per step are printed, and ratios to edgeml's step.

    float            the network in plain torch: nothing quantized
    edgeml           converters/quantized/trainable.py: one autograd function per quantizer, the input quantized once
    brevitas learned Brevitas with learned scales that begin as constants, and without QuantTensor
    brevitas plain   Brevitas as its examples have it: scales from statistics, activation percentiles for 300 steps
    brevitas tensors the same, returning QuantTensor between the layers

What the profile of a plain Brevitas step shows: about 265 Python module calls and a thousand tensor operations of a
few microseconds each, most of them on scalars: scale, zero point, bit width and integer range are computed anew for
every quantizer at every call; the percentile of the activations (torch.kthvalue) alone takes a tenth to a fifth
while statistics are collected; the input is quantized again in every step. BREVITAS_JIT=1 does not help: it compiles
a C++ extension first (half a minute) and then takes as long a step.

On one core of a 2-core Xeon, torch 2.13, brevitas 0.13.4, min of 200 steps: float 1.3 ms, edgeml 2.7, brevitas
learned 5.3, plain 9.7, tensors 10.1: edgeml's step takes 2.0, 3.6 and 3.8 times less than the three of Brevitas.

Run: python benchmarks/brevitas_step.py [--steps N]
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from itertools import pairwise
from statistics import median

import numpy as np
import torch
from torch import nn

from edgeml.converters.quantized.calibrate import calibrate
from edgeml.converters.quantized.fold import fold
from edgeml.converters.quantized.input_quantizer import quantize_input
from edgeml.converters.quantized.options import Options
from edgeml.converters.quantized.quantizer_placement import place_quantizers
from edgeml.converters.quantized.trainable import TrainableNetwork
from edgeml.frontends.mlp import Clamp, Linear, Mlp, MlpNode

SIZES = (784, 64, 64, 64, 10)
BATCH = 128
LEARNING_RATE = 1e-3


def random_mlp() -> Mlp:
    """A float MLP of the benchmark's sizes with random weights."""
    rng = np.random.default_rng(0)
    nodes: list[MlpNode] = []
    at = "input"
    for number, (inputs, outputs) in enumerate(pairwise(SIZES), start=1):
        weight = rng.normal(size=(outputs, inputs)) / np.sqrt(inputs)
        nodes.append(MlpNode(f"linear{number}", Linear(weight, np.zeros(outputs)), (at,)))
        at = f"linear{number}"
        if number < len(SIZES) - 1:
            nodes.append(MlpNode(f"relu{number}", Clamp(0.0, np.inf), (at,)))
            at = f"relu{number}"
    return Mlp("benchmark", SIZES[0], tuple(nodes))


def edgeml_step(x: torch.Tensor, y: torch.Tensor) -> Callable[[], None]:
    """A step of edgeml's training."""
    options = Options(weight_bits=2, act_bits=2)
    samples = x.double().numpy()
    quantized = quantize_input(fold(random_mlp()), samples, options)
    placement = place_quantizers(quantized.folded.mlp, options)
    normal = quantized.folded.normalise(samples)
    parameters = calibrate(placement, quantized.input, quantized.folded.mlp, normal, samples)
    network = TrainableNetwork(placement, parameters, x)
    optimizer = torch.optim.Adam(network.groups(LEARNING_RATE), fused=True)
    return _step(network, optimizer, x, y)


def module_step(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> Callable[[], None]:
    """A step of a torch module."""
    return _step(model, torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, fused=True), x, y)


def _step(
    model: Callable[[torch.Tensor], torch.Tensor], optimizer: torch.optim.Optimizer, x: torch.Tensor, y: torch.Tensor
) -> Callable[[], None]:
    def step() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()

    return step


def float_model() -> nn.Module:
    """The network in plain torch."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(SIZES):
        layers += [nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-2])


def brevitas_model(tensors: bool = False, learned: bool = False) -> nn.Module:
    """The network of Brevitas layers."""
    from brevitas import nn as brevitas_nn
    from brevitas.quant import Int8WeightPerChannelFloat, Uint8ActPerTensorFloat

    weight = {"weight_quant": Int8WeightPerChannelFloat, "weight_bit_width": 2}
    activation = {"act_quant": Uint8ActPerTensorFloat, "bit_width": 2, "return_quant_tensor": tensors}
    if learned:
        weight |= {"weight_scaling_impl_type": "parameter_from_stats"}
        activation |= {"scaling_impl_type": "parameter", "scaling_init": torch.tensor(3.0)}
    layers: list[nn.Module] = []
    if not learned:
        layers.append(brevitas_nn.QuantIdentity(bit_width=8, return_quant_tensor=tensors))
    for inputs, outputs in pairwise(SIZES):
        layers.append(brevitas_nn.QuantLinear(inputs, outputs, bias=True, **weight))
        layers += [nn.BatchNorm1d(outputs), brevitas_nn.QuantReLU(**activation)]
    model = nn.Sequential(*layers[:-2])
    if learned:
        for module in model.modules():
            if hasattr(module, "skip_create_quant_tensor"):
                module.skip_create_quant_tensor = True
    return model


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=200, help="timed steps of each variant")
    steps = parser.parse_args().steps
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    x, y = torch.rand(BATCH, SIZES[0]), torch.randint(0, SIZES[-1], (BATCH,))
    variants = {
        "float": module_step(float_model(), x, y),
        "edgeml": edgeml_step(x, y),
        "brevitas learned": module_step(brevitas_model(learned=True), x, y),
        "brevitas plain": module_step(brevitas_model(), x, y),
        "brevitas tensors": module_step(brevitas_model(tensors=True), x, y),
    }
    taken: dict[str, list[float]] = {name: [] for name in variants}
    for turn in range(steps + 5):
        for name, step in variants.items():
            begin = time.process_time()
            step()
            if turn >= 5:
                taken[name].append(time.process_time() - begin)
    own = taken["edgeml"]
    print(f"{'step':18}{'min ms':>9}{'median ms':>11}{'min / edgeml':>14}{'median / edgeml':>17}")
    for name, times in taken.items():
        ratios = f"{min(times) / min(own):14.2f}{median(times) / median(own):17.2f}"
        print(f"{name:18}{1e3 * min(times):9.2f}{1e3 * median(times):11.2f}{ratios}")


if __name__ == "__main__":
    main()
