"""Operators that nothing reads are refused with their module and line in the user's code, whichever way models come."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from edgeml.errors import InputError
from edgeml.frontends import load_model

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning")
EXAMPLE = torch.zeros(4, 8)


class OwnGradient(torch.autograd.Function):
    """A function with a gradient of the user's, of an operator that edgeml does not know."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return x.erfinv()

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:
        return gradients[0]


def by_its_sign(x: torch.Tensor) -> torch.Tensor:
    """Python's control flow on what depends on the input."""
    return x if x.sum() > 0 else -x


OPERATORS: dict[str, tuple[Callable[[torch.Tensor], torch.Tensor], str]] = {
    "einsum": (lambda x: torch.einsum("bi,bj->bij", x, x).sum(2), "aten.einsum"),
    "scatter": (lambda x: x.scatter(1, torch.tensor([[7, 6, 5, 4, 3, 2, 1, 0]] * 4), x), "aten.scatter"),
    "own gradient": (lambda x: OwnGradient.apply(x), "aten.erfinv"),
    "nonzero": (lambda x: x * torch.nonzero(x).shape[0], "aten.nonzero"),
    "complex": (lambda x: torch.view_as_real(torch.fft.fft(x))[..., 0], "aten.fft_fft"),
    "sort": (lambda x: x.sort(1)[0], "aten.sort"),
}


class Block(nn.Module):
    """A linear layer and the odd operator behind it."""

    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.fc, self.function = nn.Linear(8, 8), function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(self.fc(x))


class Model(nn.Module):
    """The block between two layers."""

    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.stem, self.block, self.head = nn.Linear(8, 8), Block(function), nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.block(torch.relu(self.stem(x))))


def refusal(source: Any, **told: Any) -> InputError:
    with pytest.raises(InputError) as caught:
        load_model(source, **told)
    return caught.value


@pytest.mark.parametrize("name", OPERATORS)
def test_a_module_and_its_program_name_module_line_and_operator(name: str, tmp_path: Path) -> None:
    function, operator = OPERATORS[name]
    model = Model(function).eval()
    program = torch.export.export(model, (EXAMPLE,), strict=False)
    torch.export.save(program, tmp_path / "model.pt2")
    for error in (refusal(model, example=EXAMPLE), refusal(tmp_path / "model.pt2")):
        assert "block (Block)" in error.where
        assert f"{Path(__file__).name} line " in error.where
        assert operator in error.problem
        assert error.remedy


@pytest.mark.parametrize("name", ["einsum", "scatter"])
def test_files_of_the_exporter_to_onnx_name_them_too(name: str, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    model = Model(OPERATORS[name][0]).eval()
    program = torch.onnx.export(model, (EXAMPLE,), dynamo=True, verbose=False)
    assert program is not None
    program.save(tmp_path / "model.onnx")
    error = refusal(tmp_path / "model.onnx")
    assert "block (Block)" in error.where
    assert f"{Path(__file__).name} line " in error.where


def test_what_cannot_be_traced_names_the_line_that_stopped_it() -> None:
    error = refusal(Model(by_its_sign).eval(), example=EXAMPLE)
    line = by_its_sign.__code__.co_firstlineno + 2
    assert error.where == f"model Model, block (Block), {Path(__file__).name} line {line}"
    assert "conditions on tensors" in error.remedy


@pytest.mark.parametrize(
    "entries",
    [
        {"pkg.torch.onnx.name_scopes": "__import__('os').getcwd()"},
        {"pkg.torch.onnx.name_scopes": "['a', 'b']", "pkg.torch.onnx.class_hierarchy": "[1, 2]"},
        {"pkg.torch.onnx.name_scopes": "[" * 9000, "pkg.torch.onnx.class_hierarchy": "['a']"},
        {"pkg.torch.onnx.stack_trace": "File \"\", line 9999999999999999"},
        {"pkg.torch.onnx.stack_trace": 7},
    ],
    ids=["code", "numbers", "brackets", "no file", "number"],
)  # fmt: skip
def test_metadata_of_other_kinds_is_passed_over(entries: dict[str, Any]) -> None:
    """What a file says of places is a text that is looked at, never run, and never in the way of the refusal."""
    from types import SimpleNamespace

    from edgeml.frontends.onnx_model.origin import node_origin

    told = [SimpleNamespace(key=key, value=value) for key, value in entries.items()]
    node = SimpleNamespace(name="n", op_type="Odd", metadata_props=told)
    assert node_origin(node, 3) == "node n (Odd)"


def test_normalisations_at_the_input_can_be_done_before_as_the_refusal_says(tmp_path: Path) -> None:
    """The advice followed to the letter gives the model's own outputs."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.LayerNorm(8), nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 3)).eval()
    norm = model[0]
    with torch.no_grad():
        norm.weight.uniform_(0.5, 2.0)
        norm.bias.normal_()
    error = refusal(model, example=EXAMPLE)
    assert "0 (LayerNorm)" in error.where
    assert "normalise the samples before" in error.remedy
    scaled = nn.BatchNorm1d(8, eps=0.0)
    scaled.load_state_dict({**scaled.state_dict(), "weight": norm.weight, "bias": norm.bias})
    advised = nn.Sequential(scaled, *model[1:]).eval()
    x = torch.randn(50, 8) * 3 + 1
    with torch.no_grad():
        before = nn.functional.layer_norm(x, (8,), eps=norm.eps)
        expected = model(x).numpy()
    found = load_model(advised)
    np.testing.assert_allclose(found.evaluate(before.numpy()), expected, rtol=1e-4, atol=1e-5)


def test_a_batch_norm_in_place_of_a_layer_norm_is_read() -> None:
    def model(norm: nn.Module) -> nn.Module:
        return nn.Sequential(nn.Linear(8, 6), norm, nn.ReLU(), nn.Linear(6, 3)).eval()

    assert "Train BatchNorm1d in its place" in refusal(model(nn.LayerNorm(6)), example=EXAMPLE).remedy
    assert load_model(model(nn.BatchNorm1d(6))).output_size == 3
