"""Every RTL module has a bench of its own, a break that the bench must see, and a row in the documentation."""

from __future__ import annotations

import importlib
import re
from collections import defaultdict
from pathlib import Path

import pytest

from edgeml.targets.fpga.proof.rtl_library.benches import benches as proved_for_ever
from tests.mutants.table import ROOT, mutants

from .test_proofs import PROVED
from .unit import Unit

HERE = Path(__file__).parent
PAGE = ROOT / "docs" / "fpga.md"
FILES = {path.name: path for path in sorted((ROOT / "firmware_stubs").rglob("*.v"))}


def _benches() -> dict[str, set[str]]:
    """Names of the test files by file of the module that one of their tests drives."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted(HERE.glob("test_*.py")):
        if path.name == Path(__file__).name:
            continue
        module = importlib.import_module(f"{__package__}.{path.stem}")
        for name, test in vars(module).items():
            if name.startswith("test_"):
                marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
                given = [case.values[0] for mark in marks if mark.args[0] == "unit" for case in mark.args[1]]
                for unit in given:
                    assert isinstance(unit, Unit)
                    found[f"{unit.module}.v"].add(path.name)
    return found


def test_every_module_has_a_bench() -> None:
    benches = _benches()
    assert sorted(FILES) == sorted(benches), "a module without a bench, or a bench without a module"
    assert {f"{module}.v" for module in PROVED} <= set(FILES)
    for name, path in FILES.items():
        modules = re.findall(r"^module (\w+)", path.read_text("utf-8"), re.MULTILINE)
        assert modules == [name.removesuffix(".v")]


@pytest.mark.parametrize("name", FILES)
def test_a_bench_is_known_to_see_a_break_of_the_module(name: str) -> None:
    places = {f"tests/firmware_stubs/rtl/{bench}" for bench in _benches()[name]}
    broken = [mutant for mutant in mutants() if ROOT / mutant.file == FILES[name]]
    assert any(set(mutant.tests) & places for mutant in broken), "tests/mutants/mutants.toml has no break for its bench"


def test_the_documentation_lists_every_module_with_its_bench() -> None:
    rows = re.findall(r"^\| `(edgeml_\w+\.v)` \| (.+?) \| (.+?) \| (.+?) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert sorted(row[0] for row in rows) == sorted(FILES)
    benches = _benches()
    for name, _, _, shown in rows:
        module = name.removesuffix(".v")
        proofs = ["proofs.v"] * (module in PROVED)
        short = module.removeprefix("edgeml_")
        proofs += [f"benches/{short}.v"] * (short in proved_for_ever())
        expected = sorted(benches[name]) + proofs
        assert re.findall(r"`(\S+)`", shown) == expected, name
