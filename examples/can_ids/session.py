"""What the commands `train` and `deploy` do, from a log to printed figures."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.bundle import Bundle
from edgeml.data.dataset import load_arrays
from edgeml.errors import InputError
from edgeml.network import simulate
from edgeml.network.network_file import write
from edgeml.pipeline import convert
from edgeml.report.terminal_summary import show_bundle
from edgeml.terminal import Terminal

from .bits import encode_layer, encoded, on_bytes
from .dataset import prepared, save_arrays, show_counts
from .deploy import NETWORK, QUANTIZED, budget_of, show_budgets, some_windows
from .deploy import deploy as make_bundles
from .evidence import EVIDENCE, fit
from .frames import Traffic
from .habits import HABITS
from .known_bus import KNOWN_BUS, known_bus_of
from .measures import Measures, measure, show_measures, spread
from .normal_recall import with_normal_recall
from .training import BATCH, MODEL, float_classes, quantization_epochs, save_model, train_float
from .windows import Recipe, Windows, habits_of

__all__ = ["DATA", "FIGURES", "Plan", "deploy_all", "train_and_quantize", "train_seeds"]

DATA = "can_ids.npz"
FIGURES = "figures.json"
ON_BITS = "quantized-on-bits"


@dataclass(frozen=True)
class Plan:
    """How to train; all as the options of `train`."""

    recipe: Recipe
    widths: tuple[int, ...]
    bits: int = 2
    fan_in: str = "24,first=48,last=all"
    steps: int = 2500
    quantized_steps: int = 8000
    normal_recall: float = 0.998
    most: int = 100_000
    false_alarms: float = 20.0
    held_back: float = 0.2
    seed: int = 0


def train_and_quantize(traffic: Traffic, plan: Plan, folder: Path, terminal: Terminal) -> tuple[Bundle, Measures]:
    """Leaves the float model, the data, the quantized bundle for the host, the alarm's rule, the habits, the known
    bus and `figures.json` in `folder`; prints what they are worth. Returns the bundle and its measures."""
    started = time.process_time()
    data = prepared(traffic, plan.recipe, plan.held_back, plan.most, plan.seed)
    save_arrays(folder / DATA, data.arrays)
    show_counts(terminal, data)
    layer = encode_layer(plan.recipe, bool(np.any(traffic.frames["extended"])))
    arrays = {**data.arrays, "x": encoded(layer, data.arrays["x"]), "x_test": encoded(layer, data.arrays["x_test"])}
    options: dict[str, Any] = {
        "bits": plan.bits,
        "input_bits": 1,
        "fan_in": plan.fan_in,
        "batch_size": BATCH,
        "epochs": quantization_epochs(len(arrays["x"]), plan.quantized_steps),
        "seed": plan.seed,
    }
    with terminal.progress() as (progress, announce):
        model = train_float(arrays, plan.widths, plan.steps, plan.seed, progress)
        save_model(model, layer.outputs, folder / MODEL)
        on_bits = convert(
            folder / MODEL,
            to="quantized",
            target="host",
            data=arrays,
            output=folder / ON_BITS,
            options=options,
            progress=progress,
            announce=announce,
        )
        trained = time.process_time() - started
        network = folder / NETWORK
        normal = data.validation.x[data.validation.y == 0]
        said_of_normal = simulate(on_bits.network, encoded(layer, normal))
        moved = with_normal_recall(on_bits.network, said_of_normal, plan.normal_recall)
        write(on_bytes(moved, layer), network)
        bundle = convert(
            network,
            to="quantized",
            target="host",
            data=some_windows(folder / DATA),
            output=folder / QUANTIZED,
            progress=progress,
            announce=announce,
        )
    if not terminal.as_json:
        show_bundle(terminal, bundle)
    checked, outputs = (_outputs(bundle, windows) for windows in (data.validation, data.testing))
    validation = data.validation
    rule = fit(checked, validation.y, validation.position, validation.seconds, plan.false_alarms, plan.recipe.frames)
    rule.save(folder / EVIDENCE)
    habits_of(traffic, plan.held_back).save(folder / HABITS)
    known_bus_of(traffic, plan.held_back).save(folder / KNOWN_BUS)
    measures = measure(data.testing, outputs, outputs.argmax(axis=1), data.classes, rule)
    show_measures(terminal, measures, f"{plan.bits} bit, seed {plan.seed}")
    said = float_classes(model, arrays["x_test"])
    recall = [float(np.mean(said[data.testing.y == c] == c)) for c in range(len(data.classes))]
    terminal.plain(f"float: macro recall {np.nanmean(recall):.2%}, normal recall {recall[0]:.2%}")
    terminal.plain(f"alarms: drift {rule.drift}, threshold {rule.threshold}; trained in {trained:.0f} s of CPU time")
    document = {**measures.as_json(), "float_recall": recall, "training_seconds": trained}
    (folder / FIGURES).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    terminal.result({"bundle": str(bundle.folder), "measures": document}, lambda: None)
    return bundle, measures


def train_seeds(traffic: Traffic, plan: Plan, seeds: Sequence[int], folder: Path, terminal: Terminal) -> None:
    """`train_and_quantize` for each seed, the first in `folder`, others in `folder/seed-N`; then their spread."""
    found = []
    for number, seed in enumerate(seeds):
        place = folder if number == 0 else folder / f"seed-{seed}"
        found.append(train_and_quantize(traffic, replace(plan, seed=seed), place, terminal)[1])
    if len(found) > 1 and not terminal.as_json:
        spread(terminal, found)


def _outputs(bundle: Bundle, windows: Windows) -> npt.NDArray[np.int64]:
    found: npt.NDArray[np.int64] = np.asarray(bundle.run(windows.x.astype(np.float32), on="golden").integers, np.int64)
    return found


def deploy_all(folder: Path, synthesize: bool, only: tuple[str, ...], terminal: Terminal) -> list[Bundle]:
    """Make, verify and print every bundle of `deploy.deployments`, and what each costs against the bus's time."""
    for name in (MODEL, DATA, QUANTIZED):
        if not (folder / name).exists():
            raise InputError(str(folder), f"holds no {name}", "Run the command train first")
    with terminal.progress() as (progress, announce):
        bundles, missing = make_bundles(
            folder,
            folder / DATA,
            synthesize,
            only,
            progress,
            announce,
            lambda bundle: show_bundle(terminal, bundle),
        )
    for name, reason in missing.items():
        terminal.plain(f"{name} was not made: {reason}")
    x = load_arrays(folder / DATA)["x_test"].astype(np.uint8)
    show_budgets(terminal, [budget for bundle in bundles if (budget := budget_of(bundle, x)) is not None])
    return bundles
