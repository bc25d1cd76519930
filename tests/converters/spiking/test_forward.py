"""Networks read from a forward go into integers whole: sums of layers, late steps, the readout; figures are theirs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("snntorch")

import torch

import edgeml
from edgeml.converters.spiking.snn import convert_snn
from edgeml.data.dataset import as_dataset
from edgeml.errors import InputError
from edgeml.frontends import load_model
from edgeml.network import Add, argmax

from ...frontends.snntorch_modules import STEPS, LastMembrane, LateByAStep, Skip, TimeSecond, Two


def silent(*_: object) -> None:
    return None


def dataset(features: int = 6) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(2)
    return {"x": rng.random((80, features)), "y": rng.integers(0, 4, 80)}


def made(kind: type) -> torch.nn.Module:
    torch.manual_seed(1)
    return kind().eval()


@pytest.mark.parametrize(("kind", "readout"), [(Two, "count"), (LastMembrane, "last-membrane"), (LateByAStep, "count")])
def test_steps_readout_and_float_accuracy_are_those_of_the_users_own_model(kind: type, readout: str) -> None:
    module, data = made(kind), as_dataset(dataset())
    conversion = convert_snn(load_model(module), data, {}, silent)
    assert conversion.metrics["spiking"]["steps"] == STEPS
    assert conversion.metrics["spiking"]["readout"] == readout
    with torch.no_grad():
        given = module(torch.tensor(data.x_test, dtype=torch.float32))
    given = given["membrane"] if isinstance(given, dict) else (given[0] if isinstance(given, tuple) else given).sum(0)
    assert conversion.metrics["accuracy"]["float"] == float(np.mean(argmax(given.numpy()) == data.y_test))
    assert conversion.metrics["agreement"] > 0.9


def test_a_sum_of_layers_is_a_node_and_runs_everywhere(tmp_path: Path) -> None:
    bundle = edgeml.convert(made(Skip), to="spiking", target="host", data=dataset(), output=tmp_path / "skip")
    assert sum(isinstance(node.layer, Add) for node in bundle.network.nodes) == 1
    exact = {entry["name"] for entry in bundle.manifest["verification"] if entry["status"] == "exact"}
    assert {"golden", "snntorch"} <= exact
    tuned = convert_snn(load_model(made(Skip)), as_dataset(dataset()), {"epochs": 1}, silent)
    assert [node.name for node in tuned.network.nodes] == [node.name for node in bundle.network.nodes]
    with pytest.raises(InputError, match="has no sums of layers"):
        convert_snn(load_model(made(Skip)), as_dataset(dataset()), {"model": "xylo"}, silent)


def test_samples_over_time_reach_a_forward_that_takes_samples_first() -> None:
    conversion = convert_snn(load_model(made(TimeSecond)), as_dataset(dataset(9 * 6)), {}, silent)
    assert conversion.metrics["spiking"]["steps"] == 9
    with pytest.raises(InputError, match=r"repeats one sample of 6 over 7 steps"):
        convert_snn(load_model(made(Two)), as_dataset(dataset(9 * 6)), {}, silent)


def test_other_steps_than_the_models_own_are_said() -> None:
    notes = convert_snn(load_model(made(Two)), as_dataset(dataset()), {"steps": 20}, silent).notes
    assert any("own forward runs 7 steps; it was converted for 20" in note for note in notes)
