"""Which of edgeml's own files a conversion enters: those of its form, its target, its format and its executors."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

MOST_IMPORTED = 376
MOST_ENTERED = 252
"""Files that are imported, and files of which a function runs. Who adds a file that every conversion needs may raise
these; a file of another form, target or format is a mistake."""

_SCRIPT = """
import json, sys
from pathlib import Path

entered, depth = set(), 0


def called(frame, event, argument):
    global depth
    if frame.f_code.co_name == "<module>":
        depth += 1
        frame.f_trace_lines = False
        return within_module
    if not depth and frame.f_code.co_flags & 1:
        entered.add(frame.f_globals.get("__name__", ""))


def within_module(frame, event, argument):
    global depth
    depth -= event == "return"
    return within_module


from edgeml.cli import main

sys.settrace(called)  # it hears of calls alone: of all else a conversion has many more
code = main(sys.argv[1:])
sys.settrace(None)
own = sorted(name for name, module in sys.modules.items() if name.split(".")[0] == "edgeml" and module.__file__)
Path("entered.json").write_text(json.dumps({"code": code, "imported": own, "entered": sorted(entered & set(own))}))
"""


@pytest.fixture(scope="module")
def entered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What `edgeml convert` of a small model to an FPGA imports and enters."""
    torch = pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("entered")
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(8, 6), torch.nn.ReLU(), torch.nn.Linear(6, 3)).eval()
    torch.export.save(torch.export.export(model, (torch.zeros(2, 8),)), str(folder / "m.pt2"))
    generator = np.random.default_rng(0)
    np.savez(folder / "d.npz", x=generator.normal(size=(100, 8)), y=generator.integers(0, 3, 100))
    words = ["convert", "m.pt2", "--data", "d.npz", "--to", "quantized", "--target", "xczu7ev", "--epochs", "0"]
    subprocess.run([sys.executable, "-c", _SCRIPT, *words], cwd=folder, check=True, capture_output=True)
    found: dict[str, list[str]] = json.loads((folder / "entered.json").read_text())
    assert found.pop("code") == 0
    return found


def test_nothing_of_other_forms_targets_formats_and_devices_is_imported(entered: dict[str, list[str]]) -> None:
    foreign = (
        "edgeml.converters.spiking",
        "edgeml.converters.tflite",
        "edgeml.converters.quantized.qonnx",
        "edgeml.targets.c",
        "edgeml.targets.cpu",
        "edgeml.targets.mcu",
        "edgeml.targets.neuromorphic",
        "edgeml.frontends.onnx_model.reader",
        "edgeml.frontends.snntorch_forward",
        "edgeml.frontends.formats.edgeml_network",
        "edgeml.frontends.formats.onnx_model",
        "edgeml.frontends.formats.python_factory",
        "edgeml.frontends.formats.torch_module",
        "edgeml.explore",
        "edgeml.hil",
    )
    assert [name for name in entered["imported"] if f"{name}.".startswith(tuple(f"{each}." for each in foreign))] == []
    assert "edgeml.frontends.formats.exported_program" in entered["imported"]
    assert "edgeml.targets.fpga.executors.verilator" in entered["imported"]


def test_a_conversion_enters_no_more_files_than_it_did(entered: dict[str, list[str]]) -> None:
    assert len(entered["imported"]) <= MOST_IMPORTED
    assert 50 < len(entered["entered"]) <= MOST_ENTERED
