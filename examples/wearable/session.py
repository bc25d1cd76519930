"""From recordings to printed figures: train, convert, verify, and measure on people whom no model has seen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.bundle import Bundle
from edgeml.pipeline import convert
from edgeml.terminal import Terminal

from .recordings import load_recordings, split_by_person
from .training import float_classes, train_mlp, train_snn
from .windows import events_input, features, windows

__all__ = ["Plan", "recalls", "run"]


@dataclass(frozen=True)
class Plan:
    """How to train; see the options of the command."""

    held_back: tuple[int, ...]
    bits: int = 2
    epochs: int = 40
    quantized_epochs: int = 40
    spiking_epochs: int = 15
    seed: int = 0


def recalls(answers: npt.NDArray[np.int64], y: npt.NDArray[np.int64], classes: int) -> list[float]:
    """Share of each class's windows that got their own class."""
    return [float(np.mean(answers[y == each] == each)) for each in range(classes)]


def run(plan: Plan, folder: Path, terminal: Terminal) -> dict[str, Any]:
    """Everything, into `folder`; prints it, and returns what was printed. A bundle is left only if every executor
    that could run it here found it exact."""
    training, testing = split_by_person(load_recordings(), plan.held_back)
    (raw, exercises), (raw_test, exercises_test) = windows(training), windows(testing)
    labels = sorted(set(exercises.tolist()))
    y, y_test = (np.searchsorted(labels, each).astype(np.int64) for each in (exercises, exercises_test))
    x, x_test = features(raw), features(raw_test)
    folder.mkdir(parents=True, exist_ok=True)
    common = {"y": y, "y_test": y_test, "labels": np.array(labels)}
    data = {"x": x, "x_test": x_test, **common}

    terminal.remark("training the float model")
    model = train_mlp(x, y, len(labels), plan.epochs, plan.seed)
    answers = {"float": float_classes(model, x_test)}
    options = {"bits": plan.bits, "epochs": plan.quantized_epochs, "seed": plan.seed, "layer_bits": "first=4/4"}
    terminal.remark("the quantized form, for a Cortex-M4")
    quantized = convert(
        model,
        to="quantized",
        target="cortex-m4",
        data=data,
        name="wearable",
        example=x[:2],
        output=folder / "quantized-cortex-m4",
        options=options,
    )
    answers[f"{plan.bits}-bit"] = quantized.run(x_test).classes
    terminal.remark("the same integers as spikes")
    spikes = convert(
        quantized.folder / "network.edgeml",
        to="spiking",
        target="cortex-m4",
        data=data,
        output=folder / "spiking-cortex-m4",
        options={"encoding": "stbif", "input_encoding": "direct"},
    )
    answers["its spikes"] = spikes.run(x_test).classes
    bundles = [quantized, spikes]
    if plan.spiking_epochs:
        terminal.remark("leaky neurons behind a delta encoder")
        over_time = {"x": events_input(raw), "x_test": events_input(raw_test), **common}
        leaky = _leaky(plan, over_time, folder)
        answers["leaky, delta"] = leaky.run(over_time["x_test"]).classes
        bundles.append(leaky)

    document = {
        "held_back": list(plan.held_back),
        "windows": {"training": len(y), "held_back": len(y_test)},
        "recall": {
            name: dict(zip(labels, recalls(each, y_test, len(labels)), strict=True)) for name, each in answers.items()
        },
        "accuracy": {name: float(np.mean(each == y_test)) for name, each in answers.items()},
        "bundles": _costs(bundles),
    }
    terminal.result(document, lambda: _show(document, labels, np.bincount(y_test), terminal))
    return document


def _leaky(plan: Plan, data: dict[str, Any], folder: Path) -> Bundle:
    """Leaky neurons trained on windows over time, converted with a delta encoder."""
    neurons = train_snn(data["x"], data["y"], len(data["labels"]), plan.spiking_epochs, plan.seed)
    return convert(
        neurons,
        to="spiking",
        target="cortex-m4",
        data=data,
        name="wearable_events",
        output=folder / "leaky-cortex-m4",
        options={"input_encoder": "delta", "input_bits": 8, "change": 2},
    )


def _costs(bundles: list[Bundle]) -> list[dict[str, Any]]:
    """Of each bundle; the quantized form's energy is counted beside that of its spikes, on the same samples."""
    figures = [_figures(bundle) for bundle in bundles]
    figures[0]["energy_pj"] = figures[1].pop("quantized_energy_pj")
    return figures


def _figures(bundle: Bundle) -> dict[str, Any]:
    """What verification found, and what an inference costs on the emulated core."""
    metrics = bundle.manifest["metrics"]
    target, spiking = metrics["target"], metrics.get("spiking", {})
    exact = {each["name"]: each["vectors"] for each in bundle.manifest["verification"] if each["status"] == "exact"}
    measured = {"energy_pj": None, "quantized_energy_pj": None, "spikes": None}
    if spiking:
        total = spiking["measures"]["total"]
        measured = {
            "energy_pj": total["energy_pj"],
            "quantized_energy_pj": spiking.get("quantized_measures", {}).get("total", {}).get("energy_pj"),
            "spikes": total["spikes"],
        }
    return {
        "bundle": bundle.name,
        "exact": exact,
        **{name: target.get(name) for name in ("instructions", "flash_bytes", "ram_bytes", "stack_bytes")},
        **measured,
    }


def _show(document: dict[str, Any], labels: list[str], counts: npt.NDArray[np.int64], terminal: Terminal) -> None:
    """The tables for people."""
    seen = document["windows"]
    terminal.plain(
        f"{seen['training']:,} windows of 2.56 s to train on, {seen['held_back']:,} of people "
        f"{', '.join(map(str, document['held_back']))}, whom no model has seen"
    )
    names = list(document["recall"])
    rows: list[list[object]] = [
        [label, int(count), *(f"{document['recall'][name][label]:.1%}" for name in names)]
        for label, count in zip(labels, counts, strict=True)
    ]
    rows.append(["all", int(counts.sum()), *(f"{document['accuracy'][name]:.1%}" for name in names)])
    terminal.table("recall on unseen people", ["exercise", "windows", *names], rows)
    costs: list[list[object]] = []
    for each in document["bundles"]:
        numbers = [each[name] for name in ("instructions", "flash_bytes", "ram_bytes", "stack_bytes")]
        energy = f"{each['energy_pj'] / 1000:.1f} nJ" if each["energy_pj"] else ""
        exact = ", ".join(f"{name} {vectors}" for name, vectors in each["exact"].items())
        costs.append([each["bundle"], *numbers, energy, exact])
    columns = ["bundle", "instructions", "flash, bytes", "RAM", "stack", "energy, estimated", "exact on (vectors)"]
    terminal.table("an inference on a Cortex-M4", columns, costs)
