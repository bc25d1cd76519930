"""Templates: each compiles and is used, none marks anything as safe, and Jinja waits for the first page."""

from __future__ import annotations

import ast
import dataclasses
import re
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import pytest
from jinja2 import UndefinedError, meta
from jinja2.environment import Environment

import edgeml.report.comparison  # noqa: F401  so that every block is there
from edgeml.report.blocks import Block, Note
from edgeml.report.drawing import draw, environment
from tests.house.source import ROOT, modules, tree

TEMPLATES = sorted((ROOT / "sdk/report/templates").iterdir())
DRAWING = ROOT / "sdk/report/drawing.py"
_NAMES = ("Markup", "__html__", "from_string")
_PACKAGES = ("jinja2", "markupsafe")
_OF_MARKUP = "|".join((*_NAMES, *_PACKAGES))


def _kinds(kind: type[Block]) -> set[type[Block]]:
    return {kind}.union(*(_kinds(each) for each in kind.__subclasses__()))


def test_every_template_is_drawn_by_a_block_or_taken_in_by_another_template() -> None:
    used = {
        kind.template for kind in _kinds(Block) if "template" in vars(kind) and kind.__module__.startswith("edgeml.")
    }
    for path in TEMPLATES:
        if path.suffix in (".html", ".svg"):
            environment().get_template(path.name)  # which compiles it
            used |= {str(name) for name in meta.find_referenced_templates(environment().parse(path.read_text("utf-8")))}
    assert used == {path.name for path in TEMPLATES}


def test_markup_is_said_of_what_a_template_drew_and_of_nothing_else() -> None:
    suspect = [path for path in modules().values() if re.search(_OF_MARKUP, path.read_text("utf-8"))]
    naming = {str(path.relative_to(ROOT)) for path in suspect if any(map(_is_of_markup, ast.walk(tree(path))))}
    # Once it is made: of what a template gave.
    assert naming == {str(DRAWING.relative_to(ROOT))}
    (made,) = [
        ast.unparse(node)
        for node in ast.walk(tree(DRAWING))
        if isinstance(node, ast.Call) and "Markup" in ast.unparse(node.func)
    ]
    assert made == "Markup(draw(block))"
    for path in TEMPLATES:
        assert not re.search(r"\|\s*safe\b|autoescape|Markup", path.read_text("utf-8")), path.name


def _is_of_markup(node: ast.AST) -> bool:
    """Whether a piece of source makes text markup, or could: by that class, or by templates of another environment."""
    if isinstance(node, ast.Name | ast.Attribute):
        return (node.id if isinstance(node, ast.Name) else node.attr) in _NAMES
    if isinstance(node, ast.Import):
        return any(each.name.partition(".")[0] in _PACKAGES for each in node.names)
    return isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in _PACKAGES


def test_no_markup_is_written_in_the_modules_of_the_report() -> None:
    for path in sorted((ROOT / "sdk/report").glob("*.py")):
        documented = {id(each.value) for each in ast.walk(tree(path)) if isinstance(each, ast.Expr)}
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented:
                assert not re.search(r"</?[a-z]+[ >/]", node.value), f"{path.name}:{node.lineno}"


def test_text_is_escaped_and_a_name_that_is_not_there_is_an_error() -> None:
    assert draw(Note("a<b>&\"'\x00\ud800")) == "<p>a&lt;b&gt;&amp;&#34;&#39;\ufffd</p>\n"

    @dataclasses.dataclass(frozen=True)
    class Less(Block):
        template: ClassVar[str] = "note.html"

    with pytest.raises(UndefinedError, match="soft"):
        draw(Less())
    assert isinstance(environment(), Environment)
    assert environment() is environment()


def test_jinja_is_imported_when_a_page_is_drawn_and_not_before(tmp_path: Path) -> None:
    script = (
        "import sys\nimport edgeml, edgeml.cli, edgeml.pipeline, edgeml.report\n"
        "assert 'jinja2' not in sys.modules\n"
        "from edgeml.report.blocks import Note\nfrom edgeml.report.drawing import draw\ndraw(Note('a'))\n"
        "assert 'jinja2' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []
