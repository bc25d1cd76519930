"""The figures of README and docs have a command that writes them, and it writes nothing else."""

from __future__ import annotations

import re

from benchmarks.figures import BLOCKS, PAGES, machine, replaced


def test_every_marker_has_a_measurement_and_every_measurement_a_marker() -> None:
    marked = [name for page in PAGES for name in re.findall(r"<!-- figures: (.*?) -->", page.read_text("utf-8"))]
    assert sorted(marked) == sorted(BLOCKS)


def test_a_block_is_replaced_and_what_is_around_it_stays() -> None:
    text = "a\n<!-- figures: one -->\nold\n<!-- end -->\nb\n<!-- figures: two -->\nkept\n<!-- end -->\n"
    changed = replaced(text, "one", "\\1 new\n")
    assert changed == text.replace("old", "\\1 new")
    assert replaced(text, "three", "new") == text


def test_the_machine_is_named_with_its_cores_and_the_month() -> None:
    assert re.search(r"\S.*, \d+ cores, \w+ \d{4}$", machine())
