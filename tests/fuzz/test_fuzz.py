"""No damaged file ends in a traceback, a hang, much memory or a message that a terminal would act on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sweeps import cases

from .harness import fuzz, tried
from .readers import READERS

CORPUS = Path(__file__).with_name("corpus")
QUICK = {"npy": 150, "npz": 100, "csv": 200, "tflite": 100, "frames": 300, "front": 100, "weights": 60, "edgeml": 100}
"""Cases of a reader in the quick tests; 25 for the others, which take longer."""


@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file_is_read_or_refused_and_nothing_else(name: str, tmp_path: Path) -> None:
    summary, findings = fuzz(name, QUICK.get(name, 25), 1, tmp_path)
    assert not findings, [(finding.problem, finding.place) for finding in findings]
    assert summary.refused
    assert summary.read, "every file was refused at the door: the damage does not reach the reader"


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("name", READERS)
def test_many_damaged_files(name: str, tmp_path: Path) -> None:
    _, findings = fuzz(name, cases(20 * QUICK.get(name, 25)), 2, tmp_path)
    assert not findings, [(finding.problem, finding.place) for finding in findings]


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*")), ids=lambda path: path.name)
def test_a_file_that_once_failed_is_read_or_refused(path: Path, tmp_path: Path) -> None:
    assert tried(path.name.partition("-")[0], path.read_bytes(), tmp_path) in ("read", "refused")
