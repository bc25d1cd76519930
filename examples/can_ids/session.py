"""What the commands `train` and `deploy` do, from a log to printed figures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgeml.bundle import Bundle
from edgeml.data.dataset import load_arrays
from edgeml.errors import InputError
from edgeml.pipeline import convert
from edgeml.report.terminal_summary import show_bundle
from edgeml.terminal import Terminal

from .dataset import prepared, save_arrays, show_counts
from .deploy import QUANTIZED, budget_of, show_budgets
from .deploy import deploy as make_bundles
from .frames import Traffic
from .measures import Measures, measure, show_measures
from .training import BATCH, MODEL, float_classes, quantization_epochs, save_model, train_float
from .windows import Recipe

__all__ = ["DATA", "FIGURES", "Plan", "deploy_all", "train_and_quantize"]

DATA = "can_ids.npz"
FIGURES = "figures.json"


@dataclass(frozen=True)
class Plan:
    """How to train. `layer_bits` is `edgeml convert`'s option, empty for none; the rest as the options of `train`."""

    recipe: Recipe
    widths: tuple[int, ...]
    bits: int = 2
    layer_bits: str = "first=8/4"
    steps: int = 6000
    quantized_steps: int = 10_000
    most: int = 160_000
    need: int = 4
    held_back: float = 0.2
    seed: int = 0


def train_and_quantize(traffic: Traffic, plan: Plan, folder: Path, terminal: Terminal) -> tuple[Bundle, Measures]:
    """Leaves the float model, the data, the quantized bundle for the host and `figures.json` in `folder`; prints what
    they are worth. Returns the bundle and its measures."""
    data = prepared(traffic, plan.recipe, plan.held_back, plan.most, plan.seed)
    save_arrays(folder / DATA, data.arrays)
    show_counts(terminal, data)
    samples = len(data.arrays["x"])
    options: dict[str, Any] = {
        "bits": plan.bits,
        "input_bits": 8,
        "batch_size": BATCH,
        "epochs": quantization_epochs(samples, plan.quantized_steps),
        "seed": plan.seed,
    }
    if plan.layer_bits:
        options["layer_bits"] = plan.layer_bits
    with terminal.progress() as (progress, announce):
        model = train_float(data.arrays, plan.recipe, plan.widths, plan.steps, plan.seed, progress)
        save_model(model, plan.recipe.features, folder / MODEL)
        bundle = convert(
            folder / MODEL,
            to="quantized",
            target="host",
            data=data.arrays,
            output=folder / QUANTIZED,
            options=options,
            progress=progress,
            announce=announce,
        )
    if not terminal.as_json:
        show_bundle(terminal, bundle)
    quantized = bundle.run(data.testing.x.astype(np.float32), on="golden").classes
    measures = {
        "float": measure(data.testing, float_classes(model, data.testing.x), data.classes, plan.need),
        f"{plan.bits} bit": measure(data.testing, quantized, data.classes, plan.need),
    }
    show_measures(terminal, measures)
    document = {name: each.as_json() for name, each in measures.items()}
    (folder / FIGURES).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    terminal.result({"bundle": str(bundle.folder), "measures": document}, lambda: None)
    return bundle, measures[f"{plan.bits} bit"]


def deploy_all(folder: Path, max_luts: str, only: tuple[str, ...], terminal: Terminal) -> list[Bundle]:
    """Make, verify and print every bundle of `deploy.deployments`, and what each costs against the bus's time."""
    for name in (MODEL, DATA, QUANTIZED):
        if not (folder / name).exists():
            raise InputError(str(folder), f"holds no {name}", "Run the command train first")
    with terminal.progress() as (progress, announce):
        bundles, missing = make_bundles(
            folder,
            folder / DATA,
            max_luts,
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
