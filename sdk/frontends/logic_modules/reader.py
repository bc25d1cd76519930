"""The integer network of a logic network's modules, held against the module where that can run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import CheckFailed
from ...network import Dense, InputQuantizer, Layer, Logic, Network, Node, Output, simulate
from ..format import Request
from . import torch_dwn, torchlogix
from .levels import quantizer_and_levels
from .parts import Comparisons, Functions, Part, Sums, refused

__all__ = ["PACKAGES", "read_network"]

PACKAGES = (torchlogix, torch_dwn)
_SAMPLES = 256


def read_network(request: Request) -> Network:
    """See `formats.logic_module`."""
    module, where = request.source, request.where
    package = next(each for each in PACKAGES if each.holds(module))
    parts = [(place, found) for place, each in _leaves(module, where) if (found := package.part(each, place))]
    network = _network(parts, where, request.model_name(type(module).__name__))
    _check(network, module, where)
    return network


def _leaves(module: Any, where: str) -> Iterator[tuple[str, Any]]:
    """The modules of a Sequential, in order, without those that change no value of one sample's features."""
    import torch

    if not isinstance(module, torch.nn.Sequential):
        own = any(type(module).__module__.partition(".")[0] == each.PACKAGE for each in PACKAGES)
        if not own:
            raise refused(where, f"is a {type(module).__name__}", "Put its layers into one torch.nn.Sequential")
        yield where, module
        return
    for name, child in module.named_children():
        if isinstance(child, torch.nn.Sequential):
            yield from _leaves(child, f"{where}, layer {name}")
        elif not isinstance(child, (torch.nn.Flatten, torch.nn.Identity, torch.nn.Dropout)):
            yield f"{where}, layer {name}", child


def _network(parts: list[tuple[str, Part]], where: str, name: str) -> Network:
    """Comparisons, where there are any, then functions, then sums."""
    functions = [(place, part) for place, part in parts if isinstance(part, Functions)]
    expected = [Comparisons] * isinstance(parts[0][1] if parts else None, Comparisons)
    if not functions or [type(part) for _, part in parts] != [*expected, *[Functions] * len(functions), Sums]:
        order = ", ".join(type(part).__name__.lower() for _, part in parts) or "nothing"
        raise refused(where, f"is of {order}", "It must be comparisons (or bits as they are), functions, group sums")
    nodes = _first(parts, functions[0])
    size = functions[0][1].inputs
    for number, (place, part) in enumerate(functions, start=1):
        if part.inputs != size:
            raise refused(place, f"takes {part.inputs} bits, and gets {size}")
        logic = Logic(part.sources.astype(np.int32), part.tables.astype(np.uint8), size)
        nodes.append(Node(f"logic{number}", logic, (nodes[-1].name,), place))
        size = logic.outputs
    place, sums = parts[-1]
    assert isinstance(sums, Sums)
    nodes.append(Node("sums", _sums(sums, size, place), (nodes[-1].name,), place))
    return Network(name, tuple(nodes), Output(np.array([1.0 / sums.tau]), -sums.shift))


def _first(parts: list[tuple[str, Part]], function: tuple[str, Functions]) -> list[Node]:
    """The quantizer, and what makes bits of its integers: nothing where the network takes bits."""
    place, part = parts[0]
    inputs = function[1].inputs
    if not isinstance(part, Comparisons):
        return [Node("input", InputQuantizer(inputs, np.ones(1), np.zeros(1), 0, 1, False))]
    thresholds = part.thresholds
    if inputs % thresholds.shape[1]:
        raise refused(function[0], f"takes {inputs} bits; a feature becomes {thresholds.shape[1]}")
    features = inputs // thresholds.shape[1]
    if len(thresholds) not in (1, features):
        raise refused(place, f"has thresholds of {len(thresholds)} features; there are {features}")
    quantizer, encode = quantizer_and_levels(np.broadcast_to(thresholds, (features, thresholds.shape[1])), place)
    return [Node("input", quantizer), Node("encode", encode, ("input",), place)]


def _sums(sums: Sums, functions: int, place: str) -> Layer:
    if functions % sums.outputs and not sums.padded:
        raise refused(place, f"makes {sums.outputs} groups of {functions} functions")
    if not (np.isfinite(sums.tau) and sums.tau > 0):
        raise refused(place, f"divides by tau = {sums.tau:g}", "Use a positive number")
    group = -(-functions // sums.outputs)
    order = np.arange(functions) if sums.order is None else sums.order
    weight = np.zeros((sums.outputs, functions), np.int32)
    weight[np.arange(len(order)) // group, order] = 1
    return Dense(weight, 2, np.zeros(sums.outputs, np.int32))


def _check(network: Network, module: Any, where: str) -> None:
    """Compare with the module in evaluation. CheckFailed if they differ; nothing where it runs on CUDA alone."""
    import torch

    if torch_dwn.holds(module):
        return
    x = _samples(network)
    modes = [(each, each.training) for each in module.modules()]
    try:
        module.eval()
        with torch.no_grad():
            device = next((each.device for each in module.parameters()), torch.device("cpu"))
            found = module(torch.from_numpy(x.astype(np.float32)).to(device)).cpu().double().numpy()
    finally:
        for each, mode in modes:
            each.training = mode
    sums = np.rint(found / network.output.scale + network.output.zero_point).astype(np.int64)
    own = simulate(network, network.quantizer.quantize(x.astype(np.float32).astype(np.float64)))
    if not np.array_equal(sums, own):
        sample, output = np.argwhere(sums != own)[0]
        raise CheckFailed(
            where,
            f"edgeml misread this model: output {output} sums to {own[sample, output]}, and to {sums[sample, output]} "
            "in the module",
            "This is a defect of edgeml; please report it",
        )


def _samples(network: Network) -> npt.NDArray[np.float64]:
    """Real features around all levels of the quantizer."""
    quantizer = network.quantizer
    q = np.random.default_rng(0).uniform(quantizer.low - 0.4, quantizer.high + 0.4, (_SAMPLES, quantizer.size))
    if quantizer.bits == 1:
        q = np.rint(np.clip(q, 0, 1))
    return np.asarray(q * quantizer.scale + quantizer.offset)
