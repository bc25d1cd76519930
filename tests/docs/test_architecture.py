"""The map leads to what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "architecture.md").read_text("utf-8")
FOLDERS = "sdk|converters|targets|firmware_stubs|tests|docs|benchmarks"


def test_every_path_that_the_map_names_is_there() -> None:
    paths = {path for path in re.findall(rf"`((?:{FOLDERS})/[^`\s]*)`", TEXT) if "KIND" not in path}
    assert len(paths) > 40
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


def test_every_room_of_the_drawing_is_there() -> None:
    drawing = TEXT.split("## The map")[1].split("Imports run one way")[0]
    above: list[str] = []
    rooms = []
    for line in drawing.splitlines():
        indent = len(line) - len(line.lstrip())
        names = re.split(r"\s{2,}", line.strip())[0].split()
        if indent < 4 or indent > 10 or not names:
            continue
        depth = (indent - 4) // 2
        for name in names:
            if re.fullmatch(r"[\w*./]+", name) and ("/" in name or "." in name):
                top = "" if name.startswith(tuple(above[:1])) and depth else "/".join(above[:depth]) + "/"
                rooms.append((top + name).lstrip("/").removesuffix("*.toml"))
        if names[0].endswith("/"):
            above = [*above[:depth], names[0].rstrip("/")]
    assert len(rooms) > 60
    assert [room for room in rooms if not (ROOT / room).exists()] == []


def test_the_groups_of_entry_points_are_those_of_the_source() -> None:
    told = set(
        re.findall(r"`(edgeml\.[a-z_]+)`(?=[, |].*\|.*\|)", TEXT.split("## Packages of others")[1].split("##")[0])
    )
    source = "\n".join(
        path.read_text("utf-8") for folder in ("sdk", "converters", "targets") for path in (ROOT / folder).rglob("*.py")
    )
    used = set(re.findall(r'(?:Registry\(\s*|GROUP = |ENTRY_POINTS = |group=)"(edgeml\.[a-z_]+)"', source))
    declared = set(re.findall(r'\[project\.entry-points\."(edgeml\.[a-z_]+)', (ROOT / "pyproject.toml").read_text()))
    assert declared <= told
    assert used == told


@pytest.mark.parametrize("word", ["plan", "step", "folding", "level", "frame", "unit chain", "arena"])
def test_the_glossary_has_the_words_that_had_several_meanings(word: str) -> None:
    assert re.search(rf"\*\*{word}\*\*", TEXT.split("## Glossary")[1])
