"""Files, functions and questions of a size to read."""

from __future__ import annotations

import ast

from .source import ROOT, modules, tree

MOST_LINES = 400
MOST_LINES_OF_A_FUNCTION = 60
MOST_QUESTIONS = 29
FOLDERS = ("sdk", "converters", "targets", "firmware_stubs", "tests", "docs", "benchmarks", "examples")
SUFFIXES = (".py", ".c", ".h", ".v", ".cpp", ".md")


def test_no_file_has_more_than_400_lines() -> None:
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in SUFFIXES]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in files}
    assert len(lengths) > 700
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}


def test_no_function_of_the_package_has_more_than_60_lines() -> None:
    long = {
        f"{path.relative_to(ROOT)}: {node.name}": node.end_lineno - node.lineno + 1
        for path in modules().values()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > MOST_LINES_OF_A_FUNCTION
    }
    assert long == {}


def test_what_a_layer_is_is_asked_in_the_files_of_layers() -> None:
    """`isinstance(layer, …)` elsewhere is a place that a new kind of layer would have to be added to."""
    asked = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in modules().values()
        if "layers" not in path.parts
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "isinstance" and _is_a_layer(node.args[0])
    ]
    assert len(asked) <= MOST_QUESTIONS, "\n".join(asked)


def _is_a_layer(asked: ast.expr) -> bool:
    name = ast.unparse(asked)
    return name == "layer" or name.endswith((".layer", "_layer"))
