"""Where a layer stands in the user's model reaches the network, the C, the report and `inspect`; no folder does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import edgeml
from edgeml.bundle import Bundle
from edgeml.inspection import describe_network
from edgeml.network.network_file import model_hash


class Encoder(torch.nn.Module):
    """A linear layer and a ReLU, two levels deep."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = torch.nn.Linear(4, 6)
        self.act = torch.nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.act(self.fc1(x))


class Model(torch.nn.Module):
    """The encoder and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.head = torch.nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.encoder(x))


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bundle]:
    torch.manual_seed(0)
    model = Model()
    data = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    folder = tmp_path_factory.mktemp("origins")
    made = {}
    for form, options in (("quantized", {"epochs": 0, "bits": 4}), ("tflite", {}), ("spiking", {"encoding": "rate"})):
        made[form] = edgeml.convert(
            model, to=form, target="host", data=data, output=folder / form, name="model", options=options
        )
    made["exact"] = edgeml.convert(
        made["quantized"].folder / "network.edgeml", to="spiking", target="host", output=folder / "exact", name="model"
    )
    return made


NAMES = {
    "quantized": ("encoder_fc1", "head"),
    "tflite": ("dense0", "dense1"),
    "spiking": ("neurons0", "neurons1"),
    "exact": ("encoder_fc1", "head"),
}


@pytest.mark.parametrize("form", NAMES)
def test_each_form_knows_the_modules_of_its_layers(bundles: dict[str, Bundle], form: str) -> None:
    origins = {node.name: node.origin for node in bundles[form].network.nodes}
    for name, module in zip(NAMES[form], ("encoder.fc1", "head"), strict=True):
        assert origins[name].startswith(f"{module} (Linear), {Path(__file__).name} line ")
    shown = {layer["name"]: layer["origin"] for layer in describe_network(bundles[form].network)["layers"]}
    assert shown == origins


@pytest.mark.parametrize("form", NAMES)
def test_people_find_the_module_in_the_c_and_in_the_report(bundles: dict[str, Bundle], form: str) -> None:
    folder = bundles[form].folder
    for file in ("report.html", "c/model.h", "c/model.c"):
        assert f"encoder.fc1 (Linear), {Path(__file__).name} line " in (folder / file).read_text("utf-8"), file


@pytest.mark.parametrize("form", NAMES)
def test_no_folder_of_this_machine_stands_in_an_artifact(bundles: dict[str, Bundle], form: str) -> None:
    here = str(Path(__file__).parent).encode()
    for path in bundles[form].folder.rglob("*"):
        if path.is_file():
            assert here not in path.read_bytes(), path


def test_a_bundle_is_known_by_its_integers_whatever_the_modules_are_called(bundles: dict[str, Bundle]) -> None:
    network = bundles["quantized"].network
    nameless = network.with_origins({node.name: "" for node in network.nodes})
    assert bundles["quantized"].manifest["model_hash"] == model_hash(nameless)
    assert all(node.origin == "" for node in nameless.nodes)
