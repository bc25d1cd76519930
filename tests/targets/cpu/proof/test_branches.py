"""Branches of which one way never comes: what follows them is still followed for the inputs that come there."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("ziglang", reason="pip install 'edgeml-exact[toolchain]'")

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold
from edgeml.proof.claim import PROVED
from edgeml.proof.words.dataflow import Dataflow
from edgeml.targets.cpu.proof.ir_reader import read_module
from edgeml.targets.cpu.proof.machine import Machine
from edgeml.targets.cpu.proof.numbers import Numbers

from .proved import rows

TEXT = """
define i32 @f(i32 %x) {
entry:
  %low = icmp slt i32 %x, 8
  br i1 %low, label %in, label %out
in:
  %always = icmp slt i32 %x, 100
  br i1 %always, label %yes, label %no
yes:
  br label %met
no:
  br label %met
met:
  %y = add nsw i32 %x, BASE
  br label %out
out:
  %z = phi i32 [ %x, %entry ], [ %y, %met ]
  ret i32 %z
}
"""


@pytest.mark.parametrize(("base", "broken"), [(2147483647 - 7, 0), (2147483647 - 6, 1)])
def test_an_overflow_behind_a_way_that_never_comes_is_seen(base, broken):
    flow = Dataflow()
    machine = Machine(read_module(TEXT.replace("BASE", str(base))), Numbers(flow))
    found = machine.run("f", [flow.input(0, 255, 3)])
    assert machine.numbers.broken == ["signed overflow of add in f"] * broken
    assert machine.numbers.path == 1
    columns = flow.columns(lambda number, known: np.arange(256, dtype=np.uint32))
    assert columns[found.number].tolist() == [x + base if x < 8 else x for x in range(256)]


def test_a_search_among_thresholds_of_which_the_first_is_always_reached_is_proved():
    """In the last step of the search only the first threshold is left, and all sums reach it."""
    after = [-13, -12, -9, -8, -5, -3, -2, 0, 1, 2, 3, 4, 6, 7, 9]
    nodes = (
        Node("input", InputQuantizer(2, np.ones(1), np.zeros(1), 0, 4, True)),
        Node("dense", Dense(np.array([[1, 1], [1, -1]]), 2, np.zeros(2, np.int64)), ("input",)),
        Node("act", Threshold(np.array([[-16, *after], [-14, *after]])), ("dense",)),
        Node("out", Dense(np.array([[1, 1]]), 2, np.zeros(1, np.int64)), ("act",)),
    )
    found = rows(Network("search", nodes, Output(np.ones(1))), "portable")
    assert {row.status for row in found.values() if row.claims} == {PROVED}
