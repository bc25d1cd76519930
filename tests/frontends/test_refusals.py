"""What is not an MLP, or cannot be read safely, gets an error that names the operator, its place and the way out."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from edgeml.errors import InputError
from edgeml.frontends import load_model, source_kinds

from .architectures import Functional, trained

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning")


def fc(**options: int) -> nn.Linear:
    return nn.Linear(8, 8, **options)


REFUSED: dict[str, tuple[Callable[[], nn.Module], str, str]] = {
    "logarithm": (lambda: Functional(lambda m, x: m.fc(x).log(), fc=fc()), "aten.log", "edgeml knows: tanh, .*gelu"),
    "hard shrink": (lambda: nn.Sequential(fc(), nn.Hardshrink()), r"1 \(Hardshrink\): aten.hardshrink", "knows: tanh"),
    "softplus with a bend": (lambda: nn.Sequential(fc(), nn.Softplus(1, 2)), "a line from 2 on", "defaults"),
    "layer norm": (lambda: nn.Sequential(fc(), nn.LayerNorm(8)), r"1 \(LayerNorm\): aten.layer_norm", "BatchNorm1d in"),
    "root mean square": (lambda: nn.Sequential(fc(), nn.RMSNorm(8)), r"1 \(RMSNorm\).*each sample", "BatchNorm1d in"),
    "group norm": (lambda: nn.Sequential(nn.GroupNorm(2, 8), fc()), r"0 \(GroupNorm\).*each sample", "at the input"),
    "softmax as a gate": (
        lambda: Functional(lambda m, x: m.fc(x).softmax(1) * x, fc=fc()),
        "softmax is followed by further operators",
        "only stand at the end",
    ),
    "softmax beside": (
        lambda: Functional(
            lambda m, x: m.head(torch.cat([(y := m.fc(x)).softmax(1), y], 1)), fc=fc(), head=nn.Linear(16, 2)
        ),
        "softmax is followed by further operators",
        "only stand at the end",
    ),
    "convolution": (
        lambda: nn.Sequential(nn.Unflatten(1, (1, 2, 2, 2)), nn.Conv3d(1, 2, 2), nn.Flatten(), nn.Linear(2, 2)),
        r"1 \(Conv3d\): aten.conv3d",
        "Conv1d and Conv2d",
    ),
    "lstm": (
        lambda: Functional(lambda m, x: m.rnn(x)[0], rnn=nn.LSTM(8, 4), fc=fc()),
        r"rnn \(LSTM\).*an LSTM",
        "windows",
    ),
    "gru cell": (lambda: Functional(lambda m, x: m.rnn(x), rnn=nn.GRUCell(8, 4), fc=fc()), "it is a GRU", "windows"),
    "attention module": (
        lambda: Functional(
            lambda m, x: m.mix(*[x.unflatten(1, (2, 4))] * 3)[0], mix=nn.MultiheadAttention(4, 2, batch_first=True)
        ),
        r"mix \(MultiheadAttention\).*is attention",
        "MLP-Mixer",
    ),
    "concatenation": (
        lambda: Functional(lambda m, x: torch.cat([m.fc(x), x], 0), fc=fc()),
        r"operator cat, architectures.py line \d+: aten.cat.default: a concatenation along the samples",
        "dim=1",
    ),
    "part of the samples": (
        lambda: Functional(lambda m, x: m.fc(x)[:2], fc=fc()),
        "part of the samples",
        "edgeml reads",
    ),
    "attention": (lambda: Functional(lambda m, x: m.fc(x) @ x.t() @ x, fc=fc()), "both depend on the input", "reads"),
    "softmax within": (lambda: nn.Sequential(nn.Softmax(1), fc()), "softmax is followed", "only stand at the end"),
    "two ends": (lambda: nn.Sequential(fc(), nn.Softmax(1), nn.LogSoftmax(1)), "softmax is followed by", "Only one"),
    "softmax over samples": (
        lambda: nn.Sequential(fc(), nn.Softmax(0)),
        "softmax over dimension 0",
        "over the features",
    ),
    "argmax of all": (lambda: Functional(lambda m, x: m.fc(x).argmax(), fc=fc()), "whole batch", r"argmax\(1\)"),
    "mean over samples": (
        lambda: Functional(lambda m, x: m.fc(x) - m.fc(x).mean(0), fc=fc()),
        "aten.mean",
        "over positions",
    ),
    "normalised per batch": (
        lambda: nn.Sequential(fc(), nn.BatchNorm1d(8, track_running_stats=False)),
        "without running statistics|training",
        "track_running_stats|eval",
    ),
    "samples reversed": (lambda: Functional(lambda m, x: m.fc(x).flip(0), fc=fc()), "aten.flip", "edgeml reads"),
    "layer over the samples": (
        lambda: Functional(lambda m, x: m.fc(torch.tanh(x).view(-1, 2, 4).transpose(0, 2)), fc=nn.Linear(3, 4)),
        "over the samples",
        "edgeml reads",
    ),
    "transposed convolution": (
        lambda: nn.Sequential(nn.Unflatten(1, (2, 4)), nn.ConvTranspose1d(2, 2, 2), nn.Flatten(), nn.Linear(10, 2)),
        "aten.conv_transpose1d",
        "Conv1d and Conv2d",
    ),
    "maximum of a window, with its place": (
        lambda: nn.Sequential(fc(), nn.Unflatten(1, (2, 4)), nn.AdaptiveMaxPool1d(2), nn.Flatten(), nn.Linear(4, 2)),
        "adaptive_max_pool1d",
        "MaxPool without indices",
    ),
    "mirrored padding": (
        lambda: nn.Sequential(fc(), nn.Unflatten(1, (2, 4)), nn.Conv1d(2, 2, 3, padding=1, padding_mode="reflect")),
        "padding of mode|pad",
        "zeros|edgeml reads",
    ),
    "clamped by features": (
        lambda: Functional(lambda m, x: torch.maximum(m.fc(x), m.low), fc=fc(), low=torch.randn(8)),
        "bounds differ from feature to feature",
        "edgeml reads",
    ),
    "random": (lambda: Functional(lambda m, x: m.fc(x) + torch.rand(8), fc=fc()), "aten.rand", "edgeml reads"),
    "output of several axes": (
        lambda: nn.Sequential(fc(), nn.Unflatten(1, (2, 4))),
        "output has shape",
        r"\[batch, outputs\]",
    ),
    "no layer": (lambda: nn.Sequential(nn.Identity(), nn.Flatten()), "no torch.nn.Linear", "example"),
    "no linear layer": (lambda: Functional(lambda m, x: x * 2, fc=fc()), "no linear layer", "MLPs"),
    "two outputs": (lambda: Functional(lambda m, x: (m.fc(x), x), fc=fc()), "gives 2 results", "one output"),
    "control flow": (
        lambda: Functional(lambda m, x: m.fc(x) if x.sum() > 0 else x, fc=fc()),
        "torch.export cannot trace it",
        "conditions on tensors",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_models_that_are_no_mlp(name: str) -> None:
    make, text, remedy = REFUSED[name]
    torch.manual_seed(0)
    with pytest.raises(InputError, match=text) as caught:
        load_model(make(), example=None if name == "no layer" else np.zeros((3, 8)))
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
    assert re.search(remedy, caught.value.remedy), caught.value.remedy


def test_a_program_exported_in_training_mode(tmp_path: Path) -> None:
    for model in (nn.Sequential(fc(), nn.BatchNorm1d(8)), nn.Sequential(fc(), nn.Dropout())):
        exported = torch.export.export(model.train(), (torch.zeros(3, 8),), strict=False)
        for program in (exported, exported.run_decompositions()):
            torch.export.save(program, tmp_path / "model.pt2")
            with pytest.raises(InputError) as caught:
                load_model(tmp_path / "model.pt2")
            assert "eval()" in caught.value.remedy


def test_features_of_any_number(tmp_path: Path) -> None:
    model = Functional(lambda m, x: torch.relu(x) * 2)
    dynamic = ({0: torch.export.Dim.AUTO, 1: torch.export.Dim.AUTO},)
    torch.export.save(torch.export.export(model, (torch.zeros(3, 8),), dynamic_shapes=dynamic), tmp_path / "m.pt2")
    with pytest.raises(InputError, match="dynamic"):
        load_model(tmp_path / "m.pt2")


def test_models_of_two_inputs() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = fc()

        def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            return self.fc(x) + y

    program = torch.export.export(Two(), (torch.zeros(3, 8), torch.zeros(3, 8)))
    with pytest.raises(InputError, match="takes 2 tensors"):
        load_model(program)
    with pytest.raises(InputError, match="cannot trace it"):
        load_model(Two())


@pytest.mark.parametrize(
    ("example", "text"),
    [
        (np.zeros((3, 7)), "cannot trace it with an example of shape"),
        (np.zeros(8), "has shape"),
        (np.zeros((0, 8)), "has shape"),
        (np.full((2, 8), np.nan), "finite"),
        ("text", "is not a tensor or array"),
    ],
)
def test_examples_that_do_not_fit(example: object, text: str) -> None:
    with pytest.raises(InputError, match=text):
        load_model(trained("plain"), example=example)


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".ckpt", ".bin", ".pkl", ".PTH", ".joblib"])
def test_pickles_are_never_opened(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"model{suffix}"
    for _ in range(2):  # the answer is the same whether the file is there or not
        with pytest.raises(InputError, match="pickle or checkpoint") as caught:
            load_model(path)
        assert "torch.export" in caught.value.remedy
        assert "module.py:factory" in caught.value.remedy
        torch.save({"model": trained("plain").state_dict()}, path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("weights.safetensors", "holds weights only"),
        ("model.py", "which function"),
        ("data.npz", "is data"),
        ("model.xyz", "is not a model that edgeml can read"),
        ("model", "is not a model that edgeml can read"),
        ("", "is not a model that edgeml can read"),
    ],
)
def test_other_files(name: str, text: str) -> None:
    with pytest.raises(InputError, match=text) as caught:
        load_model(name)
    assert caught.value.remedy


@pytest.mark.parametrize("suffix", [".pt2", ".onnx", ".edgeml", ".keras", ".h5"])
def test_files_that_cannot_be_opened(suffix: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_model(tmp_path / f"missing{suffix}")
    (tmp_path / f"folder{suffix}").mkdir()
    with pytest.raises(InputError, match="cannot be read"):
        load_model(tmp_path / f"folder{suffix}")
    (tmp_path / f"empty{suffix}").touch()
    with pytest.raises(InputError):
        load_model(tmp_path / f"empty{suffix}")


def test_weights_go_with_code_only(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="takes no separate weights"):
        load_model(trained("plain"), weights=tmp_path / "w.safetensors")


@pytest.mark.parametrize("source", [None, 3, np.zeros(3), {"weight": 1}, b"model.pt2"])
def test_objects_that_are_no_model(source: object) -> None:
    with pytest.raises(InputError, match="is not a model that edgeml can read"):
        load_model(source)


def test_importing_the_frontends_imports_no_framework() -> None:
    code = (
        "import sys; from edgeml.frontends import load_model, source_kinds; source_kinds(); "
        "print([m for m in ('torch', 'onnx', 'snntorch', 'brevitas', 'google.protobuf') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
    assert len(source_kinds()) >= 5


def test_a_state_dict_says_what_it_lacks() -> None:
    with pytest.raises(InputError) as caught:
        load_model(trained("plain").state_dict())
    assert "torch.nn.Module" in caught.value.remedy


def test_functional_models_keep_their_forward_private() -> None:
    """A sum of the batch's own rows is seen even where the numbers would be right for one sample."""
    model = Functional(lambda m, x: functional.relu(m.fc(x)).sum(0, keepdim=True) * 1.0, fc=fc())
    with pytest.raises(InputError, match=r"aten\.sum"):
        load_model(model, example=np.zeros((1, 8)))
