"""torchlogix: layers of 6-input tables whose wiring is learned, behind comparisons, read out by sums of groups.

Settings: bits_apart (all bits of the features), else thresholds (a feature), widths, steps, batch, learning_rate, tau,
parametrization (light, warp), sampling, candidates (bits that each input of a table chooses from). Wiring is learned in
every layer (the authors' `Learn1` models learn that of the first). The weights kept are those of the best validation
score of the discrete network.
"""

from __future__ import annotations

import math
import sys
import types
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from contract import DataSet, Task, asked, at_least, leave

if sys.version_info < (3, 12):
    # Its syntax is that of 3.12; it writes circuits of 2-input gates, which are not needed here.
    sys.modules["torchlogix.circuit"] = types.ModuleType("torchlogix.circuit")
    sys.modules["torchlogix.circuit"].Circuit = None  # type: ignore[attr-defined]

from torchlogix.layers import GroupSum, LogicDense

_EVERY = 100


Question = tuple[int, str, int]
"""(feature, "at least" or "bit", threshold or number of the bit)."""


def questions(data: DataSet, count: int, bits_apart: bool) -> list[Question]:
    """What the network sees: all bits of the features, or up to `count` comparisons of each."""
    if bits_apart:
        return [(feature, "bit", bit) for feature in range(data.features) for bit in range(data.bits)]
    return [
        (feature, "at least", level)
        for feature, column in enumerate(data.x_train.T)
        for level in thresholds(column, count)
    ]


def thresholds(column: npt.NDArray[np.int64], count: int) -> list[int]:
    """Up to `count` quantiles that split the samples; where one value is frequent, others from what lies above."""
    levels = np.unique(column)
    if len(levels) - 1 <= count:
        return [int(level) for level in levels[1:]]
    wanted = np.quantile(column, np.arange(1, count + 1) / (count + 1), method="higher")
    chosen = {int(level) for level in wanted if level > levels[0]}
    above = [int(level) for level in levels if level > max(chosen, default=levels[0]) or not chosen]
    for place in np.linspace(0, len(above) - 1, count + 2)[1:-1].astype(int) if above else ():
        if len(chosen) < count:
            chosen.add(above[place])
    return sorted(chosen)


def encoded(x: npt.NDArray[np.int64], asked_for: list[Question]) -> torch.Tensor:
    """The answers as 0.0 and 1.0, [samples, questions]."""
    columns = [x[:, f] >= number if kind == "at least" else x[:, f] >> number & 1 for f, kind, number in asked_for]
    return torch.tensor(np.stack(columns, axis=1), dtype=torch.float32)


def built(inputs: int, classes: int, settings: dict[str, Any]) -> torch.nn.Sequential:
    """The network: tables, then a sum for each class."""
    layers: list[torch.nn.Module] = []
    for width in settings["widths"]:
        layers.append(
            LogicDense(
                inputs,
                width,
                lut_rank=6,
                parametrization=settings["parametrization"],
                parametrization_kwargs={"forward_sampling": settings["sampling"], **settings.get("tables", {})},
                connections="learnable",
                connections_kwargs={"num_candidates": min(settings["candidates"], inputs // 6)},
            )
        )
        inputs = width
    return torch.nn.Sequential(*layers, GroupSum(classes, settings["tau"]))


def train(network: torch.nn.Sequential, task: Task, found: list[Question]) -> None:
    """Adam with a cosine; the best of validation is left in `network`, in eval mode."""
    data, settings = task.data, task.settings
    x, y = encoded(data.x_train, found), torch.tensor(data.y_train)
    x_validation = encoded(data.x_validation, found)
    optimizer = torch.optim.Adam(network.parameters(), lr=settings["learning_rate"])
    steps = settings["steps"]
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: 0.02 + 0.49 * (1 + math.cos(math.pi * t / steps)))
    best, kept = (-1.0, 0.0), {}
    for step in range(1, steps + 1):
        network.train()
        chosen = torch.randint(0, len(x), (settings["batch"],))
        loss = torch.nn.functional.cross_entropy(network(x[chosen]), y[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % _EVERY == 0 and step >= steps // 4:
            network.eval()
            with torch.no_grad():
                logits = network(x_validation)
            right = (logits.argmax(1).numpy() == data.y_validation).mean()
            gain = (float(right), -float(torch.nn.functional.cross_entropy(logits, torch.tensor(data.y_validation))))
            if gain >= best:
                best, kept = gain, {key: value.clone() for key, value in network.state_dict().items()}
    network.load_state_dict(kept)
    network.eval()


def verilog(network: torch.nn.Sequential, data: DataSet, found: list[Question]) -> tuple[str, int]:
    """The module, and the bits of a sum. A table is a constant that its inputs index, the first of them highest."""
    wires = []
    lines = []
    for index, (feature, kind, number) in enumerate(found):
        answer = at_least(f"r{index}", data.bits, number) if kind == "at least" else f"r{index}[{number}]"
        lines.append(f"  wire [{data.bits - 1}:0] r{index} = in_data[{feature * data.bits} +: {data.bits}];")
        lines.append(f"  wire c{index} = {answer};")
        wires.append(f"c{index}")
    for number, layer in enumerate(network[:-1]):
        tables = layer.get_luts().numpy().astype(int)
        sources = layer.connections.resolve_connections().numpy()
        made = []
        for output, table in enumerate(tables):
            inputs = ", ".join(wires[source] for source in sources[:, output])
            bits = "".join(str(bit) for bit in table[::-1])
            lines.append(f"  wire [63:0] k{number}_{output} = 64'b{bits};")
            lines.append(f"  wire l{number}_{output} = k{number}_{output}[{{{inputs}}}];")
            made.append(f"l{number}_{output}")
        wires = made
    group = len(wires) // data.classes
    bits = group.bit_length()
    for kind in range(data.classes):
        total = " + ".join(wires[kind * group : (kind + 1) * group])
        lines.append(f"  wire [{bits - 1}:0] s{kind} = {total};")
    sums = ", ".join(f"s{kind}" for kind in reversed(range(data.classes)))
    ports = f"input [{data.features * data.bits - 1}:0] in_data, output [{data.classes * bits - 1}:0] out_data"
    return "\n".join([f"module m({ports});", *lines, f"  assign out_data = {{{sums}}};", "endmodule", ""]), bits


def main() -> None:
    """Train and leave one network."""
    task = asked()
    torch.set_num_threads(1)
    torch.manual_seed(task.seed)
    found = questions(task.data, task.settings["thresholds"], task.settings["bits_apart"])
    network = built(len(found), task.data.classes, task.settings)
    train(network, task, found)
    text, bits = verilog(network, task.data, found)
    with torch.no_grad():
        classes = network(encoded(task.data.x_test, found)).argmax(1).numpy()
        validation = network(encoded(task.data.x_validation, found)).argmax(1).numpy()
    leave(
        task,
        "network",
        text,
        output_bits=bits,
        signed=False,
        test_classes=classes,
        packages=("torchlogix", "torch"),
        validation=float((validation == task.data.y_validation).mean()),
    )


if __name__ == "__main__":
    main()
