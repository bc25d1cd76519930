"""Our networks, made as a user makes them: a float model from torch, `edgeml.convert`, and the unrolled circuit.

    python -m benchmarks.fpga_frontier.ours DATA.npz OUT --seed N --settings '{"…": …}'

Leaves what the rivals' scripts leave (`rivals/contract.py`). Settings: hidden (widths of the float model), float_steps,
options (of the quantized form). The converter gets the training samples, with those of validation held back; where the
network takes other integers than the features, the circuit makes them first, and its cost is counted.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

import edgeml
from edgeml.network import simulate
from edgeml.targets.fpga.architectures.unrolled.network_logic import network_logic
from edgeml.targets.fpga.architectures.unrolled.rtl import pipeline

from . import data_sets
from .data_sets import DataSet
from .rivals.contract import at_least

__all__ = ["circuit", "entrance", "float_model", "main"]

_BATCH = 128


def float_model(data: DataSet, hidden: list[int], steps: int, seed: int) -> torch.nn.Module:
    """An MLP with batch norm, trained on the features as they are; Adam, a cosine, dropout of nothing."""
    torch.manual_seed(seed)
    x, y = torch.tensor(data.x_train, dtype=torch.float32), torch.tensor(data.y_train)
    layers: list[torch.nn.Module] = []
    width = data.features
    for outputs in hidden:
        layers += [torch.nn.Linear(width, outputs), torch.nn.BatchNorm1d(outputs), torch.nn.ReLU()]
        width = outputs
    model = torch.nn.Sequential(*layers, torch.nn.Linear(width, data.classes))
    with torch.no_grad():
        model[0].weight /= (1 << data.bits) - 1
    rate = torch.optim.Adam(
        [{"params": model[0].parameters(), "lr": 3e-3 / (1 << data.bits)}, {"params": model[1:].parameters()}], lr=3e-3
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(rate, steps)
    for _ in range(steps):
        chosen = torch.randint(0, len(x), (_BATCH,))
        loss = torch.nn.functional.cross_entropy(model(x[chosen]), y[chosen])
        rate.zero_grad()
        loss.backward()
        rate.step()
        schedule.step()
    return model.eval()


def _network(data: DataSet, settings: dict[str, Any], seed: int, folder: Path) -> Any:
    """The integer network of `edgeml.convert`."""
    model = float_model(data, settings["hidden"], settings["float_steps"], seed)
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


def entrance(levels: npt.NDArray[np.int64], bits: int, width: int) -> str:
    """Verilog between the features and the pipeline `p`: `levels` [features, 2^bits] says which integer each becomes.

    A bit of an integer is 1 in runs of the feature's values: from one comparison to the next.
    """
    lines = [f"  wire [{len(levels) * width - 1}:0] entered;"]
    for feature, row in enumerate(levels):
        lines.append(f"  wire [{bits - 1}:0] r{feature} = in_data[{feature * bits} +: {bits}];")
        for bit in range(width):
            ones = np.concatenate([[0], row >> bit & 1, [0]])
            starts, ends = np.flatnonzero(np.diff(ones) == 1), np.flatnonzero(np.diff(ones) == -1)
            runs = [
                f"({at_least(f'r{feature}', bits, int(start))} & ~{at_least(f'r{feature}', bits, int(end))})"
                for start, end in zip(starts, ends, strict=True)
            ]
            lines.append(f"  assign entered[{feature * width + bit}] = {' | '.join(runs) or chr(49) + chr(39) + 'b0'};")
    return "\n".join(lines)


def circuit(network: Any, features: int, bits: int) -> tuple[str, int, bool]:
    """Verilog of `m` for features of `bits` bits; the bits of an output, and whether it has a sign."""
    logic = network_logic(network)
    element = logic.output_element
    values = np.arange(1 << bits)
    columns = np.repeat(values[:, None], features, axis=1).astype(np.float64)
    levels = np.asarray(network.quantizer.quantize(columns)).T.astype(np.int64)
    width = logic.input_element.bits
    if width == bits and not logic.input_element.signed and (levels == values).all():
        return pipeline(logic, "m", 0, {}), element.bits, element.signed
    outputs = len(logic.outputs) * element.bits
    head = f"module m(input [{features * bits - 1}:0] in_data, output [{outputs - 1}:0] out_data);"
    inner = "  pipeline p(.in_data(entered), .out_data(out_data));\nendmodule\n"
    text = "\n".join([pipeline(logic, "pipeline", 0, {}), head, entrance(levels, bits, width), inner])
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
    data = data_sets.load(options.data)
    network = _network(data, options.settings, options.seed, options.folder)
    classes, validation = (
        simulate(network, network.quantizer.quantize(x)).argmax(axis=1) for x in (data.x_test, data.x_validation)
    )
    text, bits, signed = circuit(network, data.features, data.bits)
    left = options.folder / "network"
    left.mkdir(parents=True, exist_ok=True)
    (left / "design.v").write_text(text, encoding="utf-8")
    described = {
        "output_bits": bits,
        "signed": signed,
        "outputs": network.output_size,
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
