"""FINN itself takes our QONNX whole: after its own Python steps every node is a hardware layer.

FINN (the package finn-plus) pins versions of its own, so it lives in an environment of its own, whose Python
EDGEML_FINN_PYTHON names; without it the test is skipped.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from edgeml.targets.fpga.qonnx.writer import to_qonnx

from .test_qonnx import _network

PYTHON = os.environ.get("EDGEML_FINN_PYTHON", "")


@pytest.mark.slow
@pytest.mark.skipif(not PYTHON, reason="EDGEML_FINN_PYTHON does not name the Python of an environment with finn-plus")
@pytest.mark.parametrize("choices", [{}, {"weight_bits": 1}, {"levels": 15}], ids=str)
def test_finn_leaves_nothing_on_the_host(tmp_path: Path, choices: dict[str, int]) -> None:
    (tmp_path / "model.onnx").write_bytes(to_qonnx(_network(0, **choices)))
    script = Path(__file__).with_name("finn_flow.py")
    done = subprocess.run(
        [PYTHON, "-W", "ignore", str(script), str(tmp_path / "model.onnx")],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    result = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("RESULT ")).partition(" ")[2])
    assert [kind for kind, _ in result["kinds"]] == ["Thresholding", "MVAU", "MVAU", "MVAU", "LabelSelect"]
    assert {domain for _, domain in result["kinds"]} == {"finn.custom_op.fpgadataflow"}
