"""Few inputs, budgets and Boolean functions asked for wrongly, or of damaged files: one line tells, nothing is left."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from edgeml.cli import app
from edgeml.errors import CheckFailed, EdgemlError, InputError

FPGA = ["--to", "quantized", "--target", "xczu7ev"]
TFLITE = ["--to", "tflite", "--target", "cpu-x86_64"]
LOGIC = ["--neurons", "logic"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model as `model.pt2`, the same cut off, with other bytes within, and empty; data whole and cut off."""
    path = tmp_path_factory.mktemp("wrong")
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 12), nn.ReLU(), nn.Linear(12, 3)).eval()
    torch.export.save(torch.export.export(model, (torch.zeros(2, 8),)), path / "model.pt2")
    whole = (path / "model.pt2").read_bytes()
    third = len(whole) // 3
    (path / "cut.pt2").write_bytes(whole[: len(whole) // 2])
    (path / "other.pt2").write_bytes(whole[:third] + bytes(200) + whole[third + 200 :])
    (path / "empty.pt2").write_bytes(b"")
    x = np.random.default_rng(0).normal(size=(200, 8)).astype(np.float32)
    np.savez(path / "data.npz", x=x, y=(x[:, 0] > 0).astype(np.int64) + (x[:, 1] > 0))
    (path / "cut.npz").write_bytes((path / "data.npz").read_bytes()[:3000])
    return path


def refused(folder: Path, arguments: list[str], model: str = "model.pt2", data: str = "data.npz") -> EdgemlError:
    """The error of a conversion, which leaves no file."""
    before = sorted(folder.rglob("*"))
    command = ["convert", str(folder / model), "--data", str(folder / data), "-o", str(folder / "bundle"), "-q"]
    error = CliRunner().invoke(app, [*command, *arguments]).exception
    assert isinstance(error, EdgemlError), error
    assert sorted(folder.rglob("*")) == before
    return error


@pytest.mark.parametrize("more", [["--fan-in", "6"], ["--budget", "luts=300"], LOGIC], ids=lambda more: more[0])
@pytest.mark.parametrize(
    ("model", "data", "problem"),
    [
        ("cut.pt2", "data.npz", "cut.pt2: is not a whole zip file"),
        ("other.pt2", "data.npz", "other.pt2: "),
        ("empty.pt2", "data.npz", "empty.pt2: is empty"),
        ("absent.pt2", "data.npz", "absent.pt2: cannot be read"),
        ("model.pt2", "cut.npz", "cut.npz: is damaged"),
    ],
)
def test_damaged_files_are_named(folder: Path, more: list[str], model: str, data: str, problem: str) -> None:
    error = refused(folder, [*FPGA, *more], model, data)
    assert error.exit_code == 2
    assert problem in str(error)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--fan-in", "0"], "option fan_in: must be a whole number in 1 … 1048576, or all, found '0'"),
        (["--fan-in", "nolayer=3"], "option fan_in, nolayer: is not a linear layer"),
        (["--fan-in", "3,4"], "option fan_in: says twice"),
        (["--budget", "luts=-3"], "option budget: cannot be read: 'luts=-3'"),
        (["--budget", "luts=0"], "option budget: must be above 0"),
        (["--budget", "luts=3,flash=2"], "option budget: cannot be read"),
        (["--budget", "watts=2"], "names nothing that target xczu7ev estimates. It estimates: block_rams"),
        (["--budget", "luts=300", "--fan-in", "3"], "option fan_in is given too"),
        (["--budget", "luts=300", *LOGIC], "option neurons is given too"),
        ([*LOGIC, "--logic-widths", "0"], "option logic_widths: each must be a whole number in 1 … 65536, found '0'"),
        ([*LOGIC, "--logic-widths", "29"], "ends in 29 functions, which 3 outputs cannot share"),
        ([*LOGIC, "--logic-inputs", "7"], "option logic_inputs: must be a whole number in 2 … 6"),
        ([*LOGIC, "--fan-in", "3"], "option fan_in: is of weights and activations; --neurons logic has none"),
        (["--logic-widths", "60"], "option logic_widths: is of --neurons logic alone"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else "",
)
def test_wrong_values_are_told_before_anything_is_trained(folder: Path, arguments: list[str], problem: str) -> None:
    error = refused(folder, [*FPGA, *arguments])
    assert isinstance(error, InputError)
    assert error.exit_code == 2
    assert problem in str(error)


@pytest.mark.parametrize("arguments", [["--fan-in", "3"], ["--budget", "flash=4k"], LOGIC], ids=lambda each: each[0])
def test_a_form_without_them_names_the_one_that_has_them(folder: Path, arguments: list[str]) -> None:
    error = refused(folder, [*TFLITE, *arguments])
    assert error.exit_code == 2
    assert "Use --to quantized" in str(error)


@pytest.mark.parametrize(
    ("arguments", "least"), [(["--budget", "luts=1"], r"\d\d+"), (["--budget", "latency=0.0001"], r"0\.0\d+")]
)
def test_a_budget_that_cannot_be_kept_says_the_least_that_can(folder: Path, arguments: list[str], least: str) -> None:
    error = refused(folder, [*FPGA, "--epochs", "1", *arguments])
    assert isinstance(error, CheckFailed)
    assert error.exit_code == 1
    with pytest.raises(CheckFailed, match=f"cannot be met: the least that was reached is {least}"):
        raise error


def test_boolean_functions_have_no_folded_hardware(folder: Path) -> None:
    error = refused(folder, [*FPGA, *LOGIC, "--logic-widths", "12", "--epochs", "1", "--option", "architecture=folded"])
    assert error.exit_code == 1
    assert "kind logic has no hardware in architecture folded" in str(error)
