"""A checker can be reviewed: each file is short and takes nothing from provers, converters, targets, other checkers."""

from __future__ import annotations

import ast

import pytest

from edgeml.proof.bundle_proof import CHECKED
from tests.sdk.proof.checker_lines import FOLDER, lines_of, own_lines, taken_by

LONGER = {"folded": 332, "quantized": 470, "step_per_clock": 709, "words": 733}
"""docs/proofs-certificates.md says so: the memories of seven units are decoded, functions computed in a way of their
own, Verilog that is made for one network is followed, and operations of three machines."""
FILES = sorted({name for kind in ["composition", *CHECKED] for name in taken_by(kind)})


@pytest.mark.parametrize("name", FILES)
def test_a_file_has_at_most_300_lines_of_code_and_takes_nothing_that_is_checked(name):
    assert lines_of(name) <= 300
    taken = {
        f"{'.' * node.level}{node.module or ''}"
        for node in ast.walk(ast.parse((FOLDER / f"{name}.py").read_text()))
        if isinstance(node, ast.ImportFrom)
    }
    outside = {each for each in taken if each.startswith("..") or "edgeml" in each}
    assert outside <= {"...errors", "...network", "...network.task", "...system.regular_file"}


@pytest.mark.parametrize("kind", [kind for kind in CHECKED if kind not in LONGER])
def test_a_kind_has_at_most_300_lines_beside_what_checkers_share(kind):
    assert own_lines(kind) <= 300


def test_kinds_that_are_longer_do_not_grow_and_are_listed_no_longer_than_they_are_long():
    for kind, most in LONGER.items():
        assert 300 < own_lines(kind) <= most, kind


def test_hashes_and_composition_of_all_kinds_have_one_checker_of_at_most_300_lines():
    assert own_lines("composition") == lines_of("composition") <= 300
    assert not set(taken_by("composition")) & set(CHECKED)


def test_no_file_of_the_folder_is_left_out():
    assert {path.stem for path in FOLDER.glob("*.py")} == {*FILES, "__init__"}


def test_no_kind_takes_the_checker_of_another():
    for kind in CHECKED:
        assert set(taken_by(kind)) & set(CHECKED) == {kind}
