"""A report of every kind, from real conversions of small networks."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edgeml
from edgeml import pipeline
from edgeml.explore.front import read_front, write_front
from edgeml.network import Network, network_file
from edgeml.report import render_exploration
from edgeml.verification.verify import run_executors

ATTACK = "<script>alert(1)</script>"
FEATURES, SAMPLES = 12, 80


@pytest.fixture(scope="session")
def samples() -> dict[str, Any]:
    generator = np.random.default_rng(3)
    x = generator.normal(size=(SAMPLES, FEATURES)).astype(np.float32) * 10
    return {"x": x, "y": generator.integers(0, 4, SAMPLES)}


@pytest.fixture(scope="session")
def front_document() -> dict[str, Any]:
    """The front of a search, of the schema in explore/front.py, with names that are markup."""

    def point(number: int, recall: float, luts: int) -> dict[str, Any]:
        values = {"macro_recall": recall, "luts": luts}
        return {
            "number": number,
            "values": values,
            "estimates": {"luts": luts, "latency_us": 0.3, "flip_flops": 2 * luts},
            "quality": {
                "validation": {"accuracy": recall, "macro_recall": recall},
                "test": {"accuracy": recall - 0.01},
            },
            "candidate": {
                "target": "xczu7ev",
                "form": "quantized",
                "hidden": [64, 32],
                "weight_bits": [2, 2, 4],
                "act_bits": [2, 2],
                "input_bits": 8,
                "options": {},
            },
            "model": f"points/{number}/network.edgeml",
            "command": f"edgeml convert points/{number}/network.edgeml --to quantized --target xczu7ev -o p{number}",
            "baseline": False,
        }

    others = [
        {"number": n, "values": {"macro_recall": 0.5 + n / 400, "luts": 9000 - 40 * n}, "stopped": ""}
        for n in range(90)
    ]
    return {
        "target": ["xczu7ev"],
        "data": {"file": f"can{ATTACK}.npz", "sha256": "0" * 64, "labels": [ATTACK, "b"]},
        "seed": 0,
        "objectives": [
            {"name": "macro_recall", "direction": "maximize", "unit": "%"},
            {"name": "luts", "direction": "minimize", "unit": ""},
        ],
        "constraints": ["luts <= 11520"],
        "budgets": {"xczu7ev": {"luts": 230400}},
        "trials": {"finished": 90, "stopped_early": 4, "too_large": 3, "failed": 0},
        "seconds": 412.5,
        "sensitivity": {"layers": [{"name": ATTACK, "weights": 10, "distortion": {"2": 0.5}}]},
        "points": [point(12, 0.991, 8100), point(40, 0.975, 4200), point(77, 0.91, 1500)],
        "baselines": [point(0, 0.97, 9400)],
        "others": others,
    }


@pytest.fixture(scope="session")
def pages(
    tmp_path_factory: pytest.TempPathFactory,
    small_network: Network,
    samples: dict[str, Any],
    front_document: dict[str, Any],
) -> dict[str, Path]:
    """The report of every kind, by kind. Verified on the executors that start quickly."""
    folder = tmp_path_factory.mktemp("reports")
    source = folder / "small.edgeml"
    network_file.write(small_network, source)
    found = {}
    conversions: dict[str, tuple[Any, str, str, dict[str, Any]]] = {
        "cpu": (source, "quantized", "host", {}),
        "mcu": (source, "quantized", "cortex-m4", {}),
        "fpga": (source, "quantized", "xc7z020", {}),
        "spiking": (source, "spiking", "host", {"encoding": "unary"}),
        "tflite": (_model(), "tflite", "host", {}),
    }
    quick = ["golden", "native", "unicorn-m4", "spikes", "litert", "litert-ref"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "run_executors", functools.partial(_verify_on, quick))
        for kind, (model, to, target, options) in conversions.items():
            bundle = edgeml.convert(model, to=to, target=target, data=samples, options=options, output=folder / kind)
            found[kind] = bundle.folder / "report.html"
    write_front(folder, front_document)
    found["explore"] = folder / "explore.html"
    found["explore"].write_text(render_exploration(read_front(folder)), encoding="utf-8")
    return found


def _verify_on(names: list[str], bundle: edgeml.Bundle, announce: Any) -> Any:
    return [
        verdict
        for verdict in run_executors(bundle, names, announce)
        if verdict.detail != "runs nothing that this bundle holds"
    ]


def _model() -> Any:
    import torch
    from torch import nn

    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(FEATURES, 9), nn.ReLU(), nn.Linear(9, 4)).eval()
