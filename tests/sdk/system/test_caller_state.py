"""A conversion leaves its caller's process as it was, whatever state that is in."""

from __future__ import annotations

import locale
import os
import random
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import edgeml
from edgeml.system.caller_state import preserved

FORMS: dict[str, dict[str, Any]] = {
    "quantized": {"bits": 3, "epochs": 1},
    "tflite": {"epochs": 0},
    "spiking": {"bits": 2, "epochs": 0, "encoding": "unary"},
}


def state_of_process(model: nn.Module) -> dict[str, Any]:
    """All that a conversion must not change, as values that can be compared."""
    return {
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "locale": locale.setlocale(locale.LC_ALL),
        "warnings": list(warnings.filters),
        "python random": random.getstate(),
        "numpy random": repr(np.random.get_state()),
        "numpy errors": np.geterr(),
        "numpy printing": np.get_printoptions(),
        "torch random": torch.get_rng_state().tolist(),
        "default type": torch.get_default_dtype(),
        "default device": torch.get_default_device(),
        "gradients": torch.is_grad_enabled(),
        "inference": torch.is_inference_mode_enabled(),
        "autocast": torch.is_autocast_enabled("cpu"),
        "threads": torch.get_num_threads(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "warn only": torch.is_deterministic_algorithms_warn_only_enabled(),
        "fill": torch.utils.deterministic.fill_uninitialized_memory,
        "precision": torch.get_float32_matmul_precision(),
        "benchmark": torch.backends.cudnn.benchmark,
        "training": [part.training for part in model.modules()],
        "requires grad": [each.requires_grad for each in model.parameters()],
        "gradient": [None if each.grad is None else each.grad.tolist() for each in model.parameters()],
        "values": {name: value.tolist() for name, value in model.state_dict().items()},
    }


@pytest.fixture
def model() -> nn.Module:
    torch.manual_seed(5)
    model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 3))
    model[0].weight.requires_grad_(False)
    model(torch.randn(9, 6)).sum().backward()
    model[1].eval()
    return model


@pytest.fixture
def data() -> dict[str, np.ndarray]:
    generator = np.random.default_rng(2)
    return {"x": generator.normal(size=(60, 6)).astype(np.float32), "y": np.arange(60) % 3}


def convert(model: nn.Module, form: str, data: dict[str, np.ndarray], output: Path) -> edgeml.Bundle:
    return edgeml.convert(model, to=form, target="host", data=data, options=FORMS[form], output=output)


@pytest.mark.parametrize("form", FORMS)
def test_a_conversion_changes_nothing_of_its_caller_and_does_not_depend_on_it(
    form: str, model: nn.Module, data: dict[str, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state_of_process(model)
    plain = convert(model, form, data, tmp_path / "plain")
    assert state_of_process(model) == before
    torch.set_default_dtype(torch.float64)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.set_float32_matmul_precision("medium")
    threads = torch.get_num_threads()
    torch.set_num_threads(3)
    monkeypatch.chdir(tmp_path)
    try:
        with (
            torch.inference_mode(),
            torch.device("meta"),
            torch.autocast("cpu"),
            np.errstate(all="raise"),
            np.printoptions(precision=2),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("error")
            unusual = state_of_process(model)
            again = convert(model, form, data, tmp_path / "unusual")
            if form == "quantized":
                assert np.array_equal(again.run(data["x"], on="brevitas"), again.run(data["x"]))
            assert state_of_process(model) == unusual
    finally:
        torch.set_default_dtype(torch.float32)
        torch.use_deterministic_algorithms(False)
        torch.set_float32_matmul_precision("highest")
        torch.set_num_threads(threads)
    assert again.manifest["model_hash"] == plain.manifest["model_hash"]


@pytest.mark.parametrize("state", ["inference_mode", "no_grad"])
def test_a_model_that_was_made_without_gradients_converts(
    state: str, data: dict[str, np.ndarray], tmp_path: Path
) -> None:
    with getattr(torch, state)():
        model = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 3))
        assert convert(model, "quantized", data, tmp_path / "out").network.output_size == 3


def test_a_conversion_that_fails_leaves_the_state_too(model: nn.Module, tmp_path: Path) -> None:
    torch.set_default_dtype(torch.float64)
    try:
        before = state_of_process(model)
        with pytest.raises(edgeml.InputError):
            edgeml.convert(model, to="quantized", target="host", data=np.zeros((5, 7)), output=tmp_path / "out")
        assert state_of_process(model) == before
    finally:
        torch.set_default_dtype(torch.float32)


def test_whatever_is_set_inside_is_put_back(model: nn.Module, tmp_path: Path) -> None:
    before = state_of_process(model)
    with preserved(model):
        os.environ["EDGEML_LEFT_BEHIND"] = "1"
        os.environ.pop("PATH")
        os.chdir(tmp_path)
        locale.setlocale(locale.LC_ALL, "C")
        random.seed(1)
        np.random.seed(1)
        torch.manual_seed(1)
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        torch.set_num_threads(2)
        torch.use_deterministic_algorithms(True)
        torch.backends.cudnn.benchmark = True
        warnings.simplefilter("error")
        model.train()
        for parameter in model.parameters():
            parameter.requires_grad_(False)
            parameter.data += 1
            parameter.grad = None
        model[1].running_mean = torch.zeros(8)
    assert state_of_process(model) == before


def test_torch_that_is_imported_inside_keeps_no_seed_of_ours() -> None:
    script = """
from edgeml.system.caller_state import preserved
with preserved():
    import torch
    torch.manual_seed(3)
assert torch.initial_seed() != 3
"""
    subprocess.run([sys.executable, "-c", script], check=True)
