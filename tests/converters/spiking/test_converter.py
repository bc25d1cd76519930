"""`--to spiking` from a trained MLP to a verified bundle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import edgeml
from edgeml import plugins
from edgeml.converters.spiking import SpikingConverter
from edgeml.converters.spiking.nir import read_model
from edgeml.errors import CheckFailed, InputError
from edgeml.network import argmax, network_file, simulate

from .trained import digits, trained_mlp

torch = pytest.importorskip("torch")
snn = pytest.importorskip("snntorch")


def silent(*_: object) -> None:
    return None


def converted(**options: object):
    return SpikingConverter().convert(trained_mlp(), digits(), {"bits": 2, "epochs": 0, "seed": 1, **options}, silent)


def test_every_exact_encoding_has_the_quantized_forms_integers() -> None:
    data = digits()
    quantized = plugins.converters("quantized").convert(
        trained_mlp(), data, {"bits": 2, "epochs": 0, "seed": 1}, silent
    )
    q = quantized.network.quantizer.quantize(data.x_test[:40])
    for encoding in ("unary", "sar", "ttfs", "graded", "stbif"):
        conversion = converted(encoding=encoding, input_encoding="direct" if encoding == "unary" else encoding)
        assert np.array_equal(simulate(conversion.network, q), simulate(quantized.network, q))
        assert conversion.metrics["accuracy"] == quantized.metrics["accuracy"]


def test_the_report_gets_its_measures_and_charts_and_the_nir_its_exact_integers(tmp_path: Path) -> None:
    conversion = converted(encoding="ttfs")
    spiking = conversion.metrics["spiking"]
    assert spiking["measures"]["total"]["spikes"] > 0
    assert spiking["quantized_measures"]["total"]["multiplications"] > 0
    kinds = [chart["kind"] for chart in conversion.metrics["charts"]]
    assert "raster" in kinds
    assert "line" in kinds
    assert any("nJ per inference" in note for note in conversion.notes)
    (name,) = [name for name in conversion.files if name.endswith(".nir")]
    (tmp_path / "n.nir").write_bytes(conversion.files[name])
    again = read_model(tmp_path / "n.nir")
    assert network_file.to_bytes(again) == network_file.to_bytes(conversion.network)


def test_one_threshold_per_neuron_reports_what_it_changed() -> None:
    conversion = converted(encoding="graded", uniform_thresholds=True)
    accuracy = conversion.metrics["accuracy"]
    data = digits()
    found = argmax(simulate(conversion.network, conversion.network.quantizer.quantize(data.x_test)))
    assert accuracy["integer"] == float(np.mean(found == data.y_test))
    assert accuracy["quantized"] > 0.5
    assert "brevitas" not in accuracy
    assert 0.5 < conversion.metrics["uniform_thresholds"]["agreement_with_quantized"] <= 1
    assert not any(name.startswith("brevitas") for name in conversion.files)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"encoding": "morse"}, "encoding"),
        ({"encoding": "unary", "steps": 9}, "steps"),
        ({"encoding": "rate", "bits": 3}, "bits"),
        ({"encoding": "graded", "uniform_thresholds": "maybe"}, "uniform_thresholds"),
    ],
)
def test_wrong_options_are_refused_by_name(options: dict, says: str) -> None:
    with pytest.raises(InputError, match=says):
        SpikingConverter().convert(trained_mlp(), digits(), options, silent)


def snntorch_model() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(64, 20),
        snn.Leaky(0.9, init_hidden=True),
        torch.nn.Linear(20, 10),
        snn.Leaky(0.8, init_hidden=True),
    )


def test_an_snntorch_model_becomes_a_verified_bundle(tmp_path: Path) -> None:
    data = digits()
    bundle = edgeml.convert(
        snntorch_model(), to="spiking", target="host", data={"x": data.x, "y": data.y}, output=tmp_path / "b",
        options={"steps": 6},
    )  # fmt: skip
    status = {verdict["name"]: verdict["status"] for verdict in bundle.manifest["verification"]}
    assert status["golden"] == status["snntorch"] == "exact"
    assert status["nir"] == status["nir, real numbers"] == "exact"
    assert status.get("native", "exact") in ("exact", "unavailable")
    assert (tmp_path / "b" / "nir").is_dir()


def test_a_chip_that_does_not_compute_the_model_refuses_it_and_leaves_no_bundle(tmp_path: Path) -> None:
    data = digits()
    with pytest.raises(
        CheckFailed, match=r"rule neuron model, layer neurons0: snntorch_leaky; the chip computes loihi"
    ):
        edgeml.convert(
            snntorch_model(), to="spiking", target="loihi1", data={"x": data.x, "y": data.y}, output=tmp_path / "b",
        )  # fmt: skip
    assert not (tmp_path / "b").exists()


def test_a_spiking_model_goes_to_no_other_form(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Use --to spiking"):
        edgeml.convert(snntorch_model(), to="quantized", target="host", output=tmp_path / "b")


def test_a_quantized_network_can_be_adopted_as_spikes(tmp_path: Path) -> None:
    quantized = plugins.converters("quantized").convert(trained_mlp(), digits(), {"bits": 2, "epochs": 0}, silent)
    network_file.write(quantized.network, tmp_path / "n.edgeml")
    bundle = edgeml.convert(
        str(tmp_path / "n.edgeml"), to="spiking", target="host", options={"encoding": "stbif"}, output=tmp_path / "b"
    )
    status = {verdict["name"]: verdict["status"] for verdict in bundle.manifest["verification"]}
    assert status["spikes"] == "exact"
