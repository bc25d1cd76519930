"""What `inspect` tells of a model that is spiking."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from edgeml.cli import main
from edgeml.frontends.snn import Snn, SnnLayer
from edgeml.inspection import describe_snn


def layer(name: str, neurons: int, inputs: int, **fields: object) -> SnnLayer:
    values = {"beta": np.full(neurons, 0.9), "threshold": np.linspace(1, 2, neurons), **fields}
    return SnnLayer(name, np.ones((neurons, inputs)), np.zeros(neurons), **values)


def test_a_spiking_network_is_shown_layer_by_layer() -> None:
    first = layer("lif", 3, 4, recurrent=np.ones((3, 3)), reset="zero", reset_delay=False)
    shown = describe_snn(Snn("net", (first, layer("out", 2, 3, alpha=np.full(2, 0.5))), ("off", "on")))
    assert (shown["inputs"], shown["outputs"], shown["labels"]) == (4, 2, ["off", "on"])
    assert [entry["inputs"] for entry in shown["layers"]] == [["input"], ["lif"]]
    assert [entry["parameters"] for entry in shown["layers"]] == [4 * 3 + 3 + 9, 3 * 2 + 2]
    assert shown["layers"][0]["summary"] == "beta 0.9, threshold 1 … 2, reset zero at once, recurrent"
    assert shown["layers"][1]["summary"] == "beta 0.9, threshold 1 … 2, alpha 0.5, reset subtract"
    json.dumps(shown)


def test_a_factory_of_snntorch_and_a_nir_file_are_inspected(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    for package in ("snntorch", "nir"):
        pytest.importorskip(package)
    (tmp_path / "made.py").write_text(
        "import torch.nn as nn, snntorch as snn\n"
        "def net():\n"
        "    neurons = {'beta': 0.9, 'init_hidden': True}\n"
        "    return nn.Sequential(nn.Linear(4, 8), snn.Leaky(**neurons), nn.Linear(8, 2), snn.Leaky(**neurons))\n"
    )
    import nir

    lif = nir.LIF(np.full(2, 0.01), np.ones(2), np.zeros(2), np.ones(2))
    nir.write(tmp_path / "lif.nir", nir.NIRGraph.from_list(nir.Affine(np.ones((2, 4)), np.zeros(2)), lif))
    for model, layers in ((f"{tmp_path / 'made.py'}:net", 2), (tmp_path / "lif.nir", 1)):
        assert main(["inspect", str(model), "--json"]) == 0
        document = json.loads(capsys.readouterr().out)
        assert (document["inputs"], document["outputs"], len(document["layers"])) == (4, 2, layers)
        assert main(["inspect", str(model)]) == 0
        assert "threshold 1, reset" in " ".join(capsys.readouterr().out.split())
