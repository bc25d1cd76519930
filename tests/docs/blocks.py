"""Fenced blocks of Markdown pages, and how each is run.

The info string of a block says what it is: `python` and `sh` blocks are run in order; `slow` ones by the slow tests
alone, `whole` ones by the whole sweeps; `not-run="why"` ones only have their options checked; `exit=N` is the exit code
expected of the last line; `title="NAME"` writes the block into a file of that name. Any other language is for reading.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer

from edgeml.cli import app, main
from edgeml.plugins.converter import CONVERTERS

__all__ = ["Block", "blocks_of", "check_options", "run_block"]


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, what its info string says, its text, and the line that it begins on."""

    language: str
    text: str
    line: int
    words: tuple[str, ...] = ()
    values: dict[str, str] = field(default_factory=dict)

    @property
    def runs(self) -> bool:
        """Whether it does something, rather than being looked at."""
        return "title" in self.values or (self.language in ("python", "sh") and "not-run" not in self.values)


def blocks_of(text: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found, lines, start = [], text.split("\n"), None
    for number, line in enumerate(lines):
        if not line.startswith("```"):
            continue
        if start is None:
            start = number
            continue
        info = shlex.split(lines[start][3:])
        values = dict(word.split("=", 1) for word in info if "=" in word)
        words = tuple(word for word in info[1:] if "=" not in word)
        body = "\n".join(lines[start + 1 : number]) + "\n"
        found.append(Block(info[0] if info else "", body, start + 2, words, values))
        start = None
    assert start is None, f"the block of line {start} is not closed"
    return found


def commands(text: str) -> list[list[str]]:
    """The commands of a block, each as words; a backslash at the end of a line joins the next."""
    joined = re.sub(r"\\\n", " ", text)
    found = [shlex.split(line, comments=True) for line in joined.split("\n")]
    return [words for words in found if words]


def check_options(words: list[str]) -> None:
    """Whether an `edgeml` command line names a command and options that there are; click's error where not. One with a
    form that a page's own package adds is left to the run of the page."""
    if "--to" in words and words[words.index("--to") + 1] not in CONVERTERS.all():
        return
    group: Any = typer.main.get_command(app)
    command = group.commands[words[1]]
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:  # `hil --junit` gives up an old result as soon as it is read
        os.chdir(folder)
        try:
            command.make_context(words[1], words[2:])
        finally:
            os.chdir(before)


def run_block(block: Block, folder: Path, names: dict[str, Any]) -> None:
    """Run one block in `folder`, which is the working directory; `names` holds what earlier Python blocks defined."""
    if "title" in block.values:
        path = folder / block.values["title"]
        assert path.resolve().is_relative_to(folder.resolve())
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")
    elif block.language == "python":
        # Line numbers of a traceback are those of the page.
        exec(compile("\n" * (block.line - 1) + block.text, "page", "exec"), names)
    else:
        lines = commands(block.text)
        for index, words in enumerate(lines):
            expected = int(block.values.get("exit", 0)) if index == len(lines) - 1 else 0
            assert _run(words, folder) == expected, f"line {block.line}: {shlex.join(words)}"


def _run(words: list[str], folder: Path) -> int:
    """The exit code of one command. edgeml runs in this process; pip installs beside the page, not into this Python."""
    if words[0] == "edgeml":
        return main(words[1:])
    if words[:2] == ["pip", "install"]:
        site = folder / "site"
        words = ["python", "-m", *words, "--quiet", "--no-deps", "--no-build-isolation", "--target", str(site)]
        if str(site) not in sys.path:
            sys.path.append(str(site))
    if words[0] == "python":
        words = [sys.executable, *words[1:]]
    path = os.pathsep.join(entry for entry in (str(folder / "site"), os.environ.get("PYTHONPATH", "")) if entry)
    return subprocess.run(
        words, cwd=folder, env={**os.environ, "PYTHONPATH": path}, timeout=300, check=False
    ).returncode
