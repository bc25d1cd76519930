"""`module.py:factory` with `.safetensors` weights: the user's code, strictly the file's weights."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file, save_model

from edgeml.errors import InputError
from edgeml.frontends import load_model

MODEL = """
import torch
from dataclasses import dataclass

@dataclass
class Sizes:
    hidden: int = 5

class Net(torch.nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.fc1 = torch.nn.Linear(8, hidden)
        self.norm = torch.nn.BatchNorm1d(hidden)
        self.fc2 = torch.nn.Linear(hidden, 3)

    def forward(self, x):
        return self.fc2(torch.relu(self.norm(self.fc1(x))))

def make():
    return Net(Sizes().hidden)
"""

TIED = """
import torch

def make():
    model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU(), torch.nn.Linear(4, 4))
    model[2].weight = model[0].weight
    return model
"""

WRONG_FORWARD = """
import torch

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(3, 3)

    def forward(self, x):
        return self.nothing(x)

make = Net
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "net.py").write_text(MODEL)
    return tmp_path


def weights(dtype: torch.dtype = torch.float32) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    shapes = {
        "fc1.weight": (5, 8),
        "fc1.bias": (5,),
        "norm.weight": (5,),
        "norm.bias": (5,),
        "norm.running_mean": (5,),
        "norm.running_var": (5,),
        "fc2.weight": (3, 5),
        "fc2.bias": (3,),
    }
    tensors = {name: torch.randn(shape, dtype=torch.float64).to(dtype) for name, shape in shapes.items()}
    tensors["norm.running_var"] = tensors["norm.running_var"].abs() + 0.5
    return tensors | {"norm.num_batches_tracked": torch.tensor(3)}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_the_files_weights_and_no_others(folder: Path, dtype: torch.dtype) -> None:
    tensors = weights(dtype)
    save_file(tensors, folder / "w.safetensors")
    before = list(sys.path)
    mlp = load_model(f"{folder / 'net.py'}:make", weights=folder / "w.safetensors")
    assert sys.path == before
    assert "net" not in sys.modules
    assert mlp.name == "net"
    assert [node.name for node in mlp.nodes] == ["fc1", "norm", "relu", "fc2"]
    assert np.array_equal(mlp.nodes[0].operator.weight, tensors["fc1.weight"].double().numpy())
    assert np.array_equal(mlp.nodes[3].operator.bias, tensors["fc2.bias"].double().numpy())


def test_a_factory_may_load_its_weights_itself(folder: Path) -> None:
    assert load_model(f"{folder / 'net.py'}:make", name="my model").name == "my_model"


def test_neighbours_of_the_file_can_be_imported(folder: Path) -> None:
    (folder / "net_sizes_of_this_test.py").write_text("HIDDEN = 7")
    (folder / "other.py").write_text(
        "from net_sizes_of_this_test import HIDDEN\nimport torch\ndef make():\n    return torch.nn.Linear(8, HIDDEN)\n"
    )
    assert load_model(f"{folder / 'other.py'}:make").output_size == 7


def test_an_example_that_the_model_brings(folder: Path) -> None:
    (folder / "image.py").write_text(
        "import torch\nclass Net(torch.nn.Module):\n"
        "    example_input_array = torch.zeros(2, 1, 4, 2)\n"
        "    def __init__(self):\n        super().__init__()\n        self.fc = torch.nn.Linear(8, 3)\n"
        "    def forward(self, x):\n        n, c, h, w = x.shape\n        return self.fc(x.view(n, c * h * w))\n"
    )
    assert load_model(f"{folder / 'image.py'}:Net").input_size == 8


def test_tied_weights_that_safetensors_stores_once(folder: Path) -> None:
    (folder / "tied.py").write_text(TIED)
    model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU(), torch.nn.Linear(4, 4))
    model[2].weight = model[0].weight
    save_model(model, str(folder / "tied.safetensors"))
    mlp = load_model(f"{folder / 'tied.py'}:make", weights=folder / "tied.safetensors")
    assert np.array_equal(mlp.nodes[0].operator.weight, mlp.nodes[2].operator.weight)
    assert np.array_equal(mlp.nodes[0].operator.weight, model[0].weight.detach().double().numpy())


def without(name: str) -> dict[str, torch.Tensor]:
    return {key: value for key, value in weights().items() if key != name}


@pytest.mark.parametrize(
    ("tensors", "text"),
    [
        (without("fc2.bias"), "fc2.bias is missing in the file"),
        (weights() | {"extra": torch.zeros(2)}, "extra is not in the model"),
        (weights() | {"fc2.weight": torch.zeros(3, 6)}, r"fc2.weight has shape \[3, 6\], the model's \[3, 5\]"),
        ({}, "and 4 more"),
        (weights() | {"fc1.bias": torch.full((5,), torch.nan)}, "fc1.bias holds NaN"),
    ],
)
def test_weights_that_do_not_fit(folder: Path, tensors: dict[str, torch.Tensor], text: str) -> None:
    save_file(tensors, folder / "w.safetensors")
    with pytest.raises(InputError, match=text):
        load_model(f"{folder / 'net.py'}:make", weights=folder / "w.safetensors")


@pytest.mark.parametrize(
    ("code", "where", "text"),
    [
        ("x = 1\ny = x / 0\ndef make(): pass\n", "user.py:2", "ZeroDivisionError"),
        ("def make():\n    return undefined\n", "user.py:2", "NameError"),
        ("def make(\n", "user.py:1", "SyntaxError"),
        ("import not_installed_anywhere\ndef make(): pass\n", "user.py:1", "ModuleNotFoundError"),
        ("import sys\nsys.exit(3)\n", "user.py:2", "SystemExit"),
        ("def make(size):\n    pass\n", "user.py", "TypeError"),
        ("def make():\n    return 3\n", "user.py:make", "returned a int"),
        ("def other():\n    pass\n", "user.py", "has no function 'make'. It defines other"),
        ("make = 3\n", "user.py", "has no function 'make'. It defines no function"),
        ("import torch\ndef make():\n    return torch.nn.Linear(3, 'x')\n", "user.py:3", "TypeError"),
        (WRONG_FORWARD, "user.py, model Net", "AttributeError"),
    ],
)
def test_errors_in_the_users_code_name_their_line(tmp_path: Path, code: str, where: str, text: str) -> None:
    (tmp_path / "user.py").write_text(code)
    with pytest.raises(InputError, match=text) as caught:
        load_model(f"{tmp_path / 'user.py'}:make")
    assert where in caught.value.where
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("source", ["missing.py:make", "net.py:", "net.py:a.b", "net.py:make()"])
def test_sources_that_name_nothing(folder: Path, source: str) -> None:
    with pytest.raises(InputError):
        load_model(f"{folder}/{source}")


@pytest.mark.parametrize("name", ["w.pt", "w.bin", "missing.safetensors"])
def test_other_weights(folder: Path, name: str) -> None:
    torch.save(weights(), folder / "w.pt")
    with pytest.raises(InputError):
        load_model(f"{folder / 'net.py'}:make", weights=folder / name)
