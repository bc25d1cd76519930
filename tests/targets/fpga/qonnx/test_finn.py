"""FINN itself takes our QONNX whole and our folding configuration as it is: after its own Python steps every node is a
hardware layer, has the folds we chose, and takes the clocks we foretell.

FINN (the package finn-plus) pins versions of its own, so it lives in an environment of its own, whose Python
EDGEML_FINN_PYTHON names; without it the tests are skipped.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from edgeml.network import Network
from edgeml.targets.fpga.qonnx.folding import finn_units, folding_config
from edgeml.targets.fpga.qonnx.writer import to_qonnx

from .test_qonnx import _network

PYTHON = os.environ.get("EDGEML_FINN_PYTHON", "")
ULTRASCALE, SERIES_7 = "xczu7ev-ffvc1156-2-e", "xc7z020clg400-1"

needs_finn = pytest.mark.skipif(
    not PYTHON, reason="EDGEML_FINN_PYTHON does not name the Python of an environment with finn-plus"
)


def run_finn(folder: Path, network: Network, interval: int, part: str, *, standalone: bool) -> dict[str, Any]:
    """What FINN makes of a network and its folding configuration; the units compared with ours."""
    units = finn_units(network, interval, part, standalone_thresholds=standalone)
    (folder / "model.onnx").write_bytes(to_qonnx(network))
    (folder / "folding.json").write_text(folding_config(units))
    script = Path(__file__).with_name("finn_flow.py")
    thresholds = "standalone" if standalone else "merged"
    done = subprocess.run(
        [PYTHON, "-W", "ignore", str(script), "model.onnx", "folding.json", part, thresholds],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))
    result: dict[str, Any] = json.loads(line.partition(" ")[2])
    assert result["unused"] == result["missing"] == []
    assert result["units"] == [[unit.name, unit.folds, unit.clocks] for unit in units]
    return result


@needs_finn
@pytest.mark.slow
@pytest.mark.parametrize(
    ("choices", "part", "interval"),
    [
        ({}, ULTRASCALE, 16),
        ({"weight_bits": 1}, SERIES_7, 1),
        ({"levels": 15, "weight_bits": 4}, ULTRASCALE, 40),
        ({"base": -2, "labels": False}, SERIES_7, 100),
    ],
    ids=str,
)
def test_finn_leaves_nothing_on_the_host_and_takes_our_folds(
    tmp_path: Path, choices: dict[str, Any], part: str, interval: int
) -> None:
    network = _network(0, **choices)
    result = run_finn(tmp_path, network, interval, part, standalone=False)
    tail = ["LabelSelect"] if network.output.labels else []
    assert [kind for kind, _ in result["kinds"]] == ["Thresholding", "MVAU", "MVAU", "MVAU", *tail]
    assert {domain for _, domain in result["kinds"]} == {"finn.custom_op.fpgadataflow"}


@needs_finn
@pytest.mark.slow
@pytest.mark.parametrize("choices", [{}, {"levels": 15, "weight_bits": 4}], ids=str)
def test_finn_takes_our_folds_with_thresholds_that_stand_alone(tmp_path: Path, choices: dict[str, Any]) -> None:
    result = run_finn(tmp_path, _network(0, **choices), 20, SERIES_7, standalone=True)
    kinds = ["Thresholding", *["MVAU", "Thresholding"] * 2, "MVAU", "LabelSelect"]
    assert [kind for kind, _ in result["kinds"]] == kinds
