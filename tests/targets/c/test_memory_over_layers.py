"""The bytes of the arena that hold something while each stage runs: by hand, and by when each tensor is read last."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.metrics import TargetMetrics
from edgeml.network import Add, Dense, InputQuantizer, Network, Node, Output
from edgeml.report.drawing import draw
from edgeml.report.fit import cost_section
from edgeml.targets.c.arena import ArenaLayout, lay_out
from edgeml.targets.cpu.dialect import cpu_dialect
from edgeml.targets.mcu.cores import CORES
from edgeml.targets.mcu.dialect import dialect_with


def residual(wide: int) -> Network:
    """input → a → b → sum, which reads the input too → c."""
    generator = np.random.default_rng(2)

    def dense(outputs: int, inputs: int) -> Dense:
        return Dense(generator.integers(-2, 2, (outputs, inputs)), 2, np.zeros(outputs, np.int32))

    nodes = [
        Node("input", InputQuantizer(8, np.ones(1), np.zeros(1), 0, 4, True)),
        Node("a", dense(wide, 8), ("input",)),
        Node("b", dense(8, wide), ("a",)),
        Node("sum", Add(), ("b", "input")),
        Node("c", dense(3, 8), ("sum",)),
    ]
    return Network("net", tuple(nodes), Output(np.ones(1)))


def expected(layout: ArenaLayout) -> dict[str, int]:
    """From the network alone: each tensor is alive from the stage that gives it to the last that reads it."""
    alignment = layout.dialect.alignment
    names = [stage.name for stage in layout.stages]
    reads = [{tensor.name for tensor in stage.job.inputs} for stage in layout.stages]

    def whole(size: int) -> int:
        return (size + alignment - 1) // alignment * alignment

    found = {}
    for place, stage in enumerate(layout.stages):
        alive = [
            other.output.bytes
            for before, other in enumerate(layout.stages[: place + 1])
            if before == place or any(other.output.name in later for later in reads[place:])
        ]
        found[names[place]] = sum(map(whole, alive)) + whole(stage.code.scratch_bytes)
    return found


@pytest.mark.parametrize("wide", [8, 200])
@pytest.mark.parametrize("which", ["cpu", "m4"])
def test_each_tensor_counts_from_where_it_is_made_to_where_it_is_read_last(which: str, wide: int) -> None:
    layout = lay_out(residual(wide), cpu_dialect() if which == "cpu" else dialect_with(CORES[which], {}))
    assert layout.in_use == expected(layout)
    assert list(layout.in_use) == [stage.name for stage in layout.stages]
    assert max(layout.in_use.values()) <= layout.arena_bytes
    # A wider layer takes its width more where it is alive, in what makes it and what reads it.
    if wide > 8:
        narrow = lay_out(residual(8), layout.dialect).in_use
        assert [name for name in narrow if layout.in_use[name] - narrow[name] >= wide - 8][:2] == ["a", "b"]
        assert layout.in_use["c"] == narrow["c"]


def test_the_report_draws_it_to_the_scale_of_the_arena() -> None:
    page = draw(cost_section(TargetMetrics(arena_bytes=400, arena_in_use={"a": 100, "b<i>": 400})))
    assert "working memory in use by layer, of 400 bytes" in page
    assert 'width:25.00%"></i></span><span class="amount">100 bytes' in page
    assert "b&lt;i&gt;" in page
    assert "arena_in_use" not in page
