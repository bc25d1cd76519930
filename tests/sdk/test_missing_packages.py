"""What a user without some package is told: which one, with exit code 3 and no traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

PACKAGES_OF_FORMS = [("quantized", "torch"), ("quantized", "brevitas"), ("tflite", "torch")]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("missing")
    module = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2)).eval()
    torch.export.save(torch.export.export(module, (torch.zeros(2, 4),)), folder / "model.pt2")
    generator = np.random.default_rng(0)
    np.savez(folder / "data.npz", x=generator.standard_normal((64, 4)), y=generator.integers(0, 2, 64))
    return folder / "model.pt2"


@pytest.mark.parametrize(("form", "package"), PACKAGES_OF_FORMS)
def test_a_missing_package_is_named_with_exit_code_3(model: Path, form: str, package: str) -> None:
    arguments = ["convert", str(model), "--data", str(model.with_name("data.npz")), "--to", form, "--target", "host"]
    arguments += ["--epochs", "1", "-o", str(model.with_name("bundle"))]
    script = f"import sys; sys.modules[{package!r}] = None; from edgeml.cli import main; sys.exit(main({arguments!r}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    assert "pip install 'edgeml-exact[convert]'" in done.stderr
    assert package in done.stderr
    assert "Traceback" not in done.stderr
    assert not model.with_name("bundle").exists()
