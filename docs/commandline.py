"""Writes `docs/commandline.md` from the command line itself: `python -m docs.commandline`."""

from __future__ import annotations

import typing
from pathlib import Path
from typing import Any

import typer

from edgeml.cli import app
from edgeml.cli.declared_options import DeclaredOptions, Section
from edgeml.options import Option

__all__ = ["PAGE", "command_line_page", "main"]

_OF_ALL = ("as_json", "quiet")
"""Options that many commands have; the page says once what they are."""
_WORDS = {Path: "PATH", int: "N", float: "X"}
PAGE = Path(__file__).with_name("commandline.md")


def command_line_page() -> str:
    """Every command with its arguments, options and example, as Markdown."""
    group: Any = typer.main.get_command(app)
    opening = (
        "# Command line\n\nMade from the commands themselves by `python -m docs.commandline`.\n\n"
        "Every command takes `--help` and `--debug` (a traceback where something fails). `--json` prints one JSON\n"
        "document; `--quiet`, `-q`: no progress, no remarks.\n\n"
        f"{group.epilog}\n"
    )
    return "\n".join([opening, *(_command(name, group.commands[name]) for name in group.commands)])


def _command(name: str, command: Any) -> str:
    context = command.make_context(name, [], resilient_parsing=True)
    # By the function's own annotations: how typer names types changes with its versions.
    types = typing.get_type_hints(command.callback)
    arguments = " ".join(_argument(each) for each in command.params if each.param_type_name == "argument")
    common = "".join(f" [{each.opts[0]}]" for each in command.params if each.name in _OF_ALL)
    lines = [
        f"## edgeml {name}\n",
        f"{(command.help or '').strip()}\n",
        f"    edgeml {name} {arguments}".rstrip() + f"{common}\n",
    ]
    own = [each for each in command.params if each.name not in _OF_ALL and not getattr(each, "hidden", False)]
    rows = [_row(each, context, types.get(each.name)) for each in own]
    lines += ["| | what it is |", "|---|---|", *rows, ""]
    if isinstance(command, DeclaredOptions):
        lines += [line for section in command.sections() for line in _section(section)]
    if command.epilog:
        lines += [f"{command.epilog.partition(':')[0]}:\n", f"    {command.epilog.partition(':')[2].strip()}\n"]
    return "\n".join(lines)


def _section(section: Section) -> list[str]:
    """The options that a form or a target declares."""
    rows = [f"| {_flag(option)} | {_cell(option.description)} |" for option in section.options]
    table = ["| | what it is |", "|---|---|", *rows, ""] if rows else []
    return [f"### {section.title}\n", *table, *([f"{section.note}\n"] if section.note else [])]


def _flag(option: Option) -> str:
    return f"`{option.flag}`" + (f" `{_cell(option.kind.metavar)}`" if option.kind.metavar else "")


def _argument(parameter: Any) -> str:
    shown = parameter.metavar or parameter.name.upper()
    return shown if parameter.required or shown.startswith("[") else f"[{shown}]"


def _row(parameter: Any, context: Any, kind: Any) -> str:
    if parameter.param_type_name == "argument":
        names = f"`{_argument(parameter)}`"
    else:
        names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
        if not parameter.is_flag:
            names += f" `{parameter.metavar or _word(kind)}`"
    said = (getattr(parameter, "help", None) or "").strip()
    if parameter.param_type_name == "option" and parameter.required:
        said = f"{said.rstrip('.')}. Required."
    default = parameter.get_default(context)
    if default not in (None, False, "", (), []) and not parameter.required:
        said = f"{said.rstrip('.')}. Default: `{default}`."
    return f"| {_cell(names)} | {_cell(said.strip())} |"


def _word(kind: Any) -> str:
    """`PATH`, `N` …: the word for a type, or for what a list or an optional holds."""
    held = [inner for inner in typing.get_args(kind) if inner is not type(None)]
    return _word(held[0]) if held else _WORDS.get(kind, "TEXT")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def main() -> None:
    """Write the page."""
    PAGE.write_text(command_line_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
