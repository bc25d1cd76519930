"""The table of hardware by layer: what the target said of each layer, in the report and in the terminal."""

from __future__ import annotations

from edgeml.metrics import TargetMetrics
from edgeml.report.drawing import draw
from edgeml.report.fit import cost_section
from edgeml.report.synthesis import hardware_by_layer, hardware_section


def test_each_layer_has_a_row_of_what_is_said_of_it() -> None:
    said = {
        "fc": {"luts": 12, "flip_flops": 0, "block_rams": 0, "dsps": 0, "first_stage": 0, "last_stage": 3},
        "act": {"luts": 0, "flip_flops": 5, "block_rams": 0, "dsps": 0, "slowest_path_ns": 2.5},
    }
    columns, rows = hardware_by_layer(TargetMetrics.from_json({"layers": said}))
    assert columns == ["layer", "lookup tables", "flip-flops", "first stage", "last stage", "slowest path, ns"]
    assert [row["first stage"] for row in rows] == [0, ""]
    assert [row["slowest path, ns"] for row in rows] == ["", 2.5]
    assert "estimated" in draw(hardware_section(TargetMetrics.from_json({"layers": said})))


def test_clocks_of_a_frame_are_drawn_to_the_longest() -> None:
    said = {"fc": {"luts": 12, "clocks_per_frame": 64}, "act": {"luts": 4, "clocks_per_frame": 16}, "in": {"luts": 1}}
    page = draw(cost_section(TargetMetrics.from_json({"layers": said})))
    bars = page.partition("<h3>clocks a frame by layer</h3>")[2].partition("</div>\n</div>")[0]
    assert [width for width in ("100.00%", "25.00%") if f"width:{width}" in bars] == ["100.00%", "25.00%"]
    assert ">in<" not in bars


def test_a_target_without_lookup_tables_has_no_such_table() -> None:
    metrics = TargetMetrics.from_json({"layers": {"fc": {"instructions": 100}}})
    assert hardware_by_layer(metrics) == ([], [])
    assert draw(hardware_section(metrics)) == ""
