"""Which modules of the RTL library a design instantiates, with which parameters: as yosys derives them from a top."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from edgeml.errors import InputError, printable
from edgeml.system.regular_file import read_regular
from edgeml.system.scratch import ScratchFolder

from ...tools.synthesize import run_yosys
from .ties import Parameters

__all__ = ["instances"]

_LARGEST = 2**28


def instances(sources: Mapping[str, bytes], top: str) -> dict[str, list[Parameters]]:
    """The parameters of each module `edgeml_…` below `top`, by its name without `edgeml_`, each set of them once.

    sources : Verilog by file name. What they instantiate beside is not looked into.
    """
    with ScratchFolder("instances") as folder:
        for name, content in sources.items():
            (folder / name).write_bytes(content)
        run_yosys(f"read_verilog -defer {' '.join(sources)}; hierarchy -top {top}; proc; write_json all.json", folder)
        try:
            modules = json.loads(read_regular(folder / "all.json", _LARGEST))["modules"]
            found: dict[str, list[Parameters]] = {}
            for derived, module in sorted(modules.items()):
                if match := re.search(r"(?:^|\\)edgeml_(\w+)", derived):
                    given = module.get("parameter_default_values", {})
                    found.setdefault(match[1], []).append({key: _value(value) for key, value in given.items()})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"module {top}", f"is not in what yosys read ({printable(error)})") from error
    return found


def _value(bits: Any) -> int | str:
    """A parameter's value: an integer of 32 bits, or a wider constant as Verilog writes it."""
    text = str(bits)
    if not re.fullmatch(r"[01]+", text):
        raise ValueError(f"{text[:40]!r} is not a number")
    return int(text, 2) if len(text) <= 32 else f"{len(text)}'b{text}"
