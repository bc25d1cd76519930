"""How many lines a reader of a checker reads: of code, without blank lines, comments and what says what it does.

python -m tests.sdk.proof.checker_lines      a row of the table in docs/proofs.md for each kind of certificate
"""

from __future__ import annotations

import ast
from pathlib import Path

from edgeml.proof import checkers
from edgeml.proof.bundle_proof import CHECKED

__all__ = ["FOLDER", "lines_of", "own_lines", "shared", "taken_by"]

FOLDER = Path(checkers.__file__).parent


def lines_of(name: str) -> int:
    """Lines of code of a file."""
    source = (FOLDER / f"{name}.py").read_text()
    described = [
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
    ]
    said = sum(len(text.splitlines()) for node in described if (text := ast.get_docstring(node, clean=False)))
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in source.splitlines()) - said


def taken_by(name: str) -> list[str]:
    """A file, and all beside it that it takes."""
    found, waiting = [], [name]
    while waiting:
        here = waiting.pop()
        if here in found:
            continue
        found.append(here)
        tree = ast.parse((FOLDER / f"{here}.py").read_text())
        taken = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level == 1]
        waiting += [node.module for node in taken if node.module]
    return found


def shared() -> set[str]:
    """The files that checkers of several kinds take."""
    taken = [name for kind in CHECKED for name in taken_by(kind)]
    return {name for name in taken if taken.count(name) > 1}


def own_lines(kind: str) -> int:
    """Lines of what only the checker of one kind takes."""
    return sum(lines_of(name) for name in set(taken_by(kind)) - shared())


def main() -> None:
    """Print the rows."""
    for kind in CHECKED:
        files, common = taken_by(kind), shared()
        own, others = ([name for name in files if (name in common) == which] for which in (False, True))
        said = (", ".join(f"`{name}.py`" for name in names) for names in (own, others))
        print(f"| `{kind}` | {next(said)} | {own_lines(kind)} | {next(said)} | {sum(map(lines_of, others))} |")


if __name__ == "__main__":
    main()
