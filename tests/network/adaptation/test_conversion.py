"""`--adapt`: from training data into a bundle whose C adapts; refused by name where it cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import edgeml
from edgeml.bundle import Bundle
from edgeml.errors import CheckFailed, InputError
from edgeml.network.adaptation.lockstep import follow, steps_of
from edgeml.targets.c import generate
from edgeml.targets.cpu.dialect import cpu_dialect
from edgeml.targets.cpu.native_adaptation import NativeAdaptation

_OPTIONS = {"bits": 4, "epochs": 0, "adapt": "last-layer, offsets", "replay": 2}


def _data() -> dict[str, np.ndarray]:
    x = np.random.default_rng(0).normal(size=(300, 8)).astype(np.float32)
    return {"x": x, "y": (x[:, 0] > 0).astype(np.int64) + (x[:, 1] > 0)}


def _model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 12), nn.ReLU(), nn.Linear(12, 3)).eval()


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("adapting") / "bundle"
    example = np.zeros((2, 8), np.float32)
    return edgeml.convert(
        _model(), to="quantized", target="host", data=_data(), output=folder, example=example, options=_OPTIONS
    )


@pytest.mark.slow
def test_a_bundle_keeps_what_adapts_and_its_c_follows(bundle: Bundle) -> None:
    network = edgeml.load(bundle.folder).network
    assert list(network.adaptation.offsets.means) == [network.nodes[1].name]
    assert np.bincount(network.adaptation.last_layer.replay_classes).tolist() == [2, 2, 2]
    text = generate(network, cpu_dialect()).files[f"{network.name}_adaptation.c"]
    assert (bundle.folder / "c" / f"{network.name}_adaptation.c").read_text() == text
    golden, data = network.adapting(), _data()
    steps = steps_of(golden, network.quantizer.quantize(data["x"] + 1), data["y"], 30, 0)
    assert follow(golden, NativeAdaptation(network), steps, "native")


@pytest.mark.slow
def test_simulate_learns_before_it_answers(bundle: Bundle, tmp_path: Path) -> None:
    """From files, with the state that a device would save; the C takes it and gives the same integers."""
    from typer.testing import CliRunner

    from edgeml.cli.app import app

    network, data = bundle.network, _data()
    rows = np.arange(0, 300, 10)
    moved = data["x"] + 1
    np.savez(tmp_path / "labelled.npz", x=moved[rows], y=data["y"][rows])
    np.save(tmp_path / "windows.npy", moved[:64])
    files = {each: str(tmp_path / each) for each in ("labelled.npz", "windows.npy", "state", "y.npy")}
    arguments = ["simulate", str(bundle.folder), files["windows.npy"], "-o", files["y.npy"], "--json"]
    adapt = ["--calibrate", files["windows.npy"], "--learn", files["labelled.npz"], "--save-state", files["state"]]
    result = CliRunner().invoke(app, [*arguments, *adapt])
    assert result.exit_code == 0, result.output
    told = json.loads(result.output)["adapted"]
    assert (told["learned"], told["state_bytes"]) == (30, (tmp_path / "state").stat().st_size)
    device, q = NativeAdaptation(network), network.quantizer.quantize(moved[:64])
    assert device.load((tmp_path / "state").read_bytes()) == 0
    expected = np.load(tmp_path / "y.npy")
    np.testing.assert_array_equal(device.outputs(q), expected)
    again = CliRunner().invoke(app, [*arguments, "--load-state", files["state"]])
    assert again.exit_code == 0, again.output
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), expected)
    assert not np.array_equal(expected, network.adapting().outputs(q))
    refused = CliRunner().invoke(app, [*arguments, "--learn", files["labelled.npz"], "--on", "native"])
    assert "runs the network as it was converted" in str(refused.exception)


@pytest.mark.slow
def test_what_cannot_hold_it_refuses_by_name(bundle: Bundle, tmp_path: Path) -> None:
    path = bundle.folder / "network.edgeml"
    with pytest.raises(InputError, match="adapts, which form spiking cannot"):
        edgeml.convert(path, to="spiking", target="host", output=tmp_path / "a", options={"encoding": "unary"})
    with pytest.raises(CheckFailed, match="rule adaptation: what the network learns cannot be held"):
        edgeml.convert(path, to="quantized", target="ice40-up5k", output=tmp_path / "b")
    with pytest.raises(InputError, match="adapt"):
        edgeml.convert(_model(), to="tflite", target="host", data=_data(), options={"adapt": "offsets"})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"adapt": "weights"}, "option adapt: cannot read 'weights'. Known: offsets, last-layer"),
        ({"replay": 3}, "option replay: is of --adapt last-layer alone"),
        ({"adapt": "offsets", "neurons": "logic"}, "option adapt: Boolean functions do not adapt"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        edgeml.convert(_model(), to="quantized", target="host", data=_data(), options={"epochs": 0, **options})
