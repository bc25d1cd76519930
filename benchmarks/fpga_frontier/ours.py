"""Our networks, made as a user makes them: a float model from torch, `edgeml.convert`, and the unrolled circuit.

    python -m benchmarks.fpga_frontier.ours DATA.npz OUT --seed N --settings '{"…": …}'

Leaves what the rivals' scripts leave (`rivals/contract.py`). Settings: hidden (widths of the float model), float_steps,
bits_apart (the float model sees each bit of a feature besides), features (of a linear float model of two classes: how
many features it may see), upper_bits (of each feature, where the model is not to
see all of them), options (of the quantized form). The converter gets the training samples, with those of validation
held back; where the network takes other integers than the features, the circuit makes them first, and its cost is
counted. Two classes are one output, held against a number.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

import edgeml
from edgeml.errors import EdgemlError
from edgeml.network import decisions, simulate
from edgeml.network.task import BINARY
from edgeml.targets.fpga.architectures.unrolled.network_logic import network_logic
from edgeml.targets.fpga.architectures.unrolled.rtl import pipeline
from edgeml.targets.fpga.architectures.unrolled.stages import stages_by_depth

from . import data_sets
from .data_sets import DataSet
from .rivals.contract import at_least

__all__ = ["circuit", "entrance", "float_model", "main", "upper_bits"]

_BATCH = 128
_RIDGE = 0.1
"""Inverse of the penalty on squared weights of a linear model of few features, as scikit-learn has it."""


class _Apart(torch.nn.Module):
    """Features [samples, features] → all bits of each, and the features themselves in 0 … 1."""

    def __init__(self, bits: int) -> None:
        super().__init__()
        self.bits = bits

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        bits = (x.long().unsqueeze(-1) >> torch.arange(self.bits)) & 1
        return torch.cat([bits.flatten(1).float(), x / ((1 << self.bits) - 1)], 1)


def float_model(
    data: DataSet, hidden: list[int], steps: int, seed: int, apart: bool = False, features: int = 0
) -> torch.nn.Sequential:
    """An MLP with batch norm, trained on the features as they are, or besides on each bit of them; Adam, a cosine.
    With `features` a linear model that sees so many of them."""
    torch.manual_seed(seed)
    x, y = torch.tensor(data.x_train, dtype=torch.float32), torch.tensor(data.y_train)
    if features:
        return _line_of_few(data.x_train, data.y_train, features).eval()
    if apart:
        entry = _Apart(data.bits)
        inner = _trained(entry(x), y, data, hidden, steps, 0)
        return torch.nn.Sequential(entry, *inner).eval()
    return _trained(x, y, data, hidden, steps, data.bits).eval()


def _trained(
    x: torch.Tensor, y: torch.Tensor, data: DataSet, hidden: list[int], steps: int, bits: int
) -> torch.nn.Sequential:
    """For inputs x [samples, inputs] of `bits` bits; 0: that lie in 0 … 1."""
    if not hidden:
        return _line(x, y, data.classes, steps)
    layers: list[torch.nn.Module] = []
    width = x.shape[1]
    for outputs in hidden:
        layers += [torch.nn.Linear(width, outputs), torch.nn.BatchNorm1d(outputs), torch.nn.ReLU()]
        width = outputs
    outputs = data.classes if data.classes > 2 else 1
    model = torch.nn.Sequential(*layers, torch.nn.Linear(width, outputs))
    with torch.no_grad():
        model[0].weight /= max((1 << bits) - 1, 1)
    rate = torch.optim.Adam(
        [{"params": model[0].parameters(), "lr": 3e-3 / (1 << bits)}, {"params": model[1:].parameters()}], lr=3e-3
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(rate, steps)
    for _ in range(steps):
        chosen = torch.randint(0, len(x), (_BATCH,))
        loss = _loss(model(x[chosen]), y[chosen])
        rate.zero_grad()
        loss.backward()
        rate.step()
        schedule.step()
    return model


def _line(x: torch.Tensor, y: torch.Tensor, classes: int, steps: int) -> torch.nn.Sequential:
    """A linear layer alone, trained on features of deviation 1 , whatever their range is; it takes x."""
    mean, deviation = x.mean(0), x.std(0).clamp(min=1e-6)
    line = torch.nn.Linear(x.shape[1], classes if classes > 2 else 1)
    rate = torch.optim.Adam(line.parameters(), lr=3e-2, weight_decay=3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(rate, steps)
    normal = (x - mean) / deviation
    for _ in range(steps):
        chosen = torch.randint(0, len(x), (_BATCH,))
        loss = _loss(line(normal[chosen]), y[chosen])
        rate.zero_grad()
        loss.backward()
        rate.step()
        schedule.step()
    with torch.no_grad():
        line.weight /= deviation
        line.bias -= line.weight @ mean
    return torch.nn.Sequential(line)


def _line_of_few(x: npt.NDArray[np.int64], y: npt.NDArray[np.int64], count: int) -> torch.nn.Sequential:
    """Logistic regression of two classes: the feature of least weight, in deviations, is left out, and all others are
    fitted again, until `count` are left."""
    from sklearn.linear_model import LogisticRegression

    mean, deviation = x.mean(0), np.maximum(x.std(0), 1e-6)
    kept = np.arange(x.shape[1])
    while True:
        fitted = LogisticRegression(C=_RIDGE, max_iter=1000).fit(((x - mean) / deviation)[:, kept], y)
        if len(kept) <= count:
            break
        kept = np.delete(kept, np.abs(fitted.coef_[0]).argmin())
    weight = np.zeros(x.shape[1])
    weight[kept] = fitted.coef_[0] / deviation[kept]
    line = torch.nn.Linear(x.shape[1], 1)
    with torch.no_grad():
        line.weight[0] = torch.tensor(weight)
        line.bias[0] = float(fitted.intercept_[0] - weight @ mean)
    return torch.nn.Sequential(line)


def _loss(logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    if logits.shape[1] == 1:
        return torch.nn.functional.binary_cross_entropy_with_logits(logits[:, 0], y.to(logits.dtype))
    return torch.nn.functional.cross_entropy(logits, y)


def upper_bits(data: DataSet, bits: int) -> DataSet:
    """The data set with the upper `bits` of each feature alone, which a circuit gets for nothing."""
    cut = {name: getattr(data, name) >> (data.bits - bits) for name in ("x_train", "x_validation", "x_test")}
    return replace(data, bits=bits, **cut)


def _network(data: DataSet, settings: dict[str, Any], seed: int, folder: Path) -> Any:
    """The integer network of `edgeml.convert`."""
    entry = settings.get("bits_apart", False), settings.get("features", 0)
    model = float_model(data, settings["hidden"], settings["float_steps"], seed, *entry)
    samples = {
        "x": data.x_train.astype(np.float32),
        "y": data.y_train,
        "x_test": data.x_validation.astype(np.float32),
        "y_test": data.y_validation,
    }
    bundle = edgeml.convert(
        model,
        to="quantized",
        target="host",
        data=samples,
        example=samples["x"][:1],
        output=folder / "bundle",
        options={"input_bits": data.bits, "seed": seed, **settings["options"]},
    )
    return bundle.network


def entrance(levels: npt.NDArray[np.int64], bits: int, width: int, dropped: int = 0) -> str:
    """Verilog between the features and the pipeline `p`: `levels` [features, 2^bits] says which integer each becomes,
    of the `bits` of it above `dropped` lower ones.

    A bit of an integer is 1 in runs of the feature's values: from one comparison to the next.
    """
    whole = bits + dropped
    if width == bits and (levels == np.arange(1 << bits)).all():
        taken = ", ".join(f"in_data[{whole * feature + dropped} +: {bits}]" for feature in reversed(range(len(levels))))
        return f"  wire [{len(levels) * width - 1}:0] entered = {{{taken}}};"
    lines = [f"  wire [{len(levels) * width - 1}:0] entered;"]
    for feature, row in enumerate(levels):
        lines.append(f"  wire [{bits - 1}:0] r{feature} = in_data[{feature * whole + dropped} +: {bits}];")
        for bit in range(width):
            place = f"entered[{feature * width + bit}]"
            ones = np.concatenate([[0], row >> bit & 1, [0]])
            starts, ends = np.flatnonzero(np.diff(ones) == 1), np.flatnonzero(np.diff(ones) == -1)
            runs = [
                f"({at_least(f'r{feature}', bits, int(start))} & ~{at_least(f'r{feature}', bits, int(end))})"
                for start, end in zip(starts, ends, strict=True)
            ]
            lines.append(f"  assign {place} = {' | '.join(runs) or chr(49) + chr(39) + 'b0'};")
    return "\n".join(lines)


def circuit(network: Any, features: int, bits: int, dropped: int = 0) -> tuple[str, int, bool]:
    """Verilog of `m` for features of `bits` bits, of which the lowest `dropped` are not taken; the bits of an output,
    and whether it has a sign. A binary network's outputs are what its own is held against, and its own."""
    logic = network_logic(network)
    element = logic.output_element
    taken = bits - dropped
    values = np.arange(1 << taken)
    columns = np.repeat(values[:, None], features, axis=1).astype(np.float64)
    levels = np.asarray(network.quantizer.quantize(columns)).T.astype(np.int64)
    if logic.input_element.signed:
        raise EdgemlError("benchmark", "the network takes integers with a sign, which no features here are")
    outputs = len(logic.outputs) * element.bits
    low, high = (
        (-(1 << element.bits - 1), (1 << element.bits - 1) - 1) if element.signed else (0, (1 << element.bits) - 1)
    )
    ports, made = f"output [{outputs - 1}:0] out_data", "out_data"
    against = ""
    if network.task == BINARY:
        threshold = network.output.decision_threshold
        if not low <= threshold <= high:
            raise EdgemlError("benchmark", f"the output's {element.bits} bits do not hold its threshold, {threshold}")
        ports, made = f"output [{2 * outputs - 1}:0] out_data", f"out_data[{2 * outputs - 1}:{outputs}]"
        against = f"  assign out_data[{outputs - 1}:0] = {outputs}'d{threshold % (1 << outputs)};\n"
    text = "\n".join(
        [
            pipeline(logic, "pipeline", stages_by_depth(logic.netlist, 0), {}),
            f"module m(input [{features * bits - 1}:0] in_data, {ports});",
            entrance(levels, taken, logic.input_element.bits, dropped),
            f"  pipeline p(.in_data(entered), .out_data({made}));\n{against}endmodule\n",
        ]
    )
    return text, element.bits, element.signed


def main(arguments: list[str] | None = None) -> int:
    """Train, convert and leave one network; returns 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--settings", type=json.loads, required=True)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    started = time.perf_counter()
    whole = data_sets.load(options.data)
    taken = options.settings.get("upper_bits", whole.bits)
    data = upper_bits(whole, taken)
    network = _network(data, options.settings, options.seed, options.folder)
    classes, validation = (
        decisions(network, simulate(network, network.quantizer.quantize(x))) for x in (data.x_test, data.x_validation)
    )
    text, bits, signed = circuit(network, data.features, whole.bits, whole.bits - taken)
    left = options.folder / "network"
    left.mkdir(parents=True, exist_ok=True)
    (left / "design.v").write_text(text, encoding="utf-8")
    described = {
        "output_bits": bits,
        "signed": signed,
        "outputs": data.classes,
        "test_classes": [int(one) for one in classes],
        "validation": float((validation == data.y_validation).mean()),
        "versions": {"edgeml": edgeml.__version__},
        "settings": options.settings,
        "seconds": round(time.perf_counter() - started, 1),
    }
    (left / "design.json").write_text(json.dumps(described), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
