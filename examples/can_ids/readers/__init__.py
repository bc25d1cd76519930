"""Logs in, whatever wrote them: the format is recognised by the first line."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from edgeml.errors import InputError, printable

from ..frames import NORMAL, Traffic, concatenate
from . import candump, hcrl, table
from .lines import first_line

__all__ = ["read_log", "read_logs", "write_table"]


def read_log(path: Path, attack: str = "") -> Traffic:
    """The frames of one log: candump's, HCRL's or the table of traces.

    `attack` names what HCRL's injected frames are, or what a whole candump log is, which has no labels.
    Raises InputError naming the file and the line.
    """
    line = first_line(path)
    if table.looks_like(line):
        return table.read(path)
    if candump.looks_like(line):
        return candump.read(path, attack or NORMAL)
    if hcrl.looks_like(line):
        return hcrl.read(path, attack)
    raise InputError(
        f"{path}, line 1",
        f"is of no known format: {printable(line, 60)}",
        "Read are candump logs, HCRL's CSV and text files, and tables with the header "
        "trace,timestamp,can_id,dlc,d0,…,d7,class",
    )


def read_logs(paths: Sequence[Path], attack: str = "") -> Traffic:
    """Several logs as one (see `concatenate`)."""
    return concatenate(read_log(path, attack) for path in paths)


def write_table(traffic: Traffic, path: Path) -> None:
    """Write a table of traces beside `path` and rename it into place; InputError where it cannot be written."""
    partial = path.with_name(f".{path.name}.partial-{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("w", encoding="ascii", newline="\n") as stream:
            table.write(traffic, stream)
        os.replace(partial, path)
    except OSError as error:
        raise InputError(str(path), f"cannot be written ({error.strerror or error})") from error
    finally:
        partial.unlink(missing_ok=True)
