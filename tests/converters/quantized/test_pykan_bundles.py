"""A trained pykan network converts for CPU, microcontroller and FPGA, and every executor gives golden's integers."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

import edgeml
from edgeml.frontends import load_model
from edgeml.inspection import describe_mlp
from tests.frontends.pykan_networks import samples, trained

network = cache(trained)


def converted(target: str, folder: Path, **options: Any) -> edgeml.Bundle:
    x, y = samples()
    return edgeml.convert(
        network(), to="quantized", target=target, data={"x": x, "y": y}, task="values", options=options,
        output=folder / "bundle",
    )  # fmt: skip


TARGETS: dict[str, tuple[str, dict[str, Any], set[str]]] = {
    "host": ("host", {}, {"brevitas", "native"}),
    "cortex-m4": ("cortex-m4", {}, {"brevitas", "unicorn-m4"}),
    "folded": ("xczu7ev", {"architecture": "folded"}, {"brevitas", "verilator"}),
    "unrolled": ("xczu7ev", {"architecture": "unrolled"}, {"brevitas", "verilator"}),
}
QUICK = {("host", 5), ("cortex-m4", 4), ("folded", 8), ("unrolled", 4)}


@pytest.mark.parametrize(
    ("name", "bits"),
    [
        pytest.param(name, bits, marks=() if (name, bits) in QUICK else pytest.mark.slow)
        for name in TARGETS
        for bits in (8, 5, 4)
    ],
)
def test_every_executor_gives_the_integers(name: str, bits: int, tmp_path: Path) -> None:
    target, options, executors = TARGETS[name]
    bundle = converted(target, tmp_path, bits=bits, input_bits=bits, **options)
    assert [node.layer.kind for node in bundle.network.nodes] == ["input_quantizer", "tables", "threshold", "tables"]
    verdicts = {verdict["name"]: verdict["status"] for verdict in bundle.manifest["verification"]}
    assert set(verdicts.values()) <= {"exact", "unavailable"}
    assert executors <= {name for name, status in verdicts.items() if status == "exact"}
    metrics = bundle.manifest["metrics"]
    assert metrics["output_error"] < {8: 0.05, 5: 0.15, 4: 0.3}[bits]
    assert metrics["r2"]["integer"] > metrics["r2"]["float"] - {8: 0.01, 5: 0.05, 4: 0.1}[bits]
    assert (bundle.folder / "report.html").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["folded", "unrolled"])
def test_the_netlist_gives_the_integers(architecture: str, tmp_path: Path) -> None:
    bundle = converted("xczu7ev", tmp_path, bits=4, input_bits=4, architecture=architecture, synthesize=True)
    verdicts = {verdict["name"]: verdict["status"] for verdict in bundle.manifest["verification"]}
    assert verdicts["netlist"] == "exact"


def test_training_at_two_bits_wins_back_what_calibration_loses(tmp_path: Path) -> None:
    bits = {"bits": 2, "input_bits": 4}
    calibrated = converted("host", tmp_path / "a", epochs=0, **bits).manifest["metrics"]["r2"]["integer"]
    learned = converted("host", tmp_path / "b", epochs=30, **bits).manifest["metrics"]["r2"]["integer"]
    assert learned > calibrated + 0.1


def test_the_float_network_is_described_layer_by_layer() -> None:
    layers = describe_mlp(load_model(network()))["layers"]  # type: ignore[arg-type]
    assert [(layer["kind"], layer["outputs"]) for layer in layers] == [("edge_functions", 3), ("edge_functions", 1)]
    assert all(layer["parameters"] > 0 for layer in layers)
