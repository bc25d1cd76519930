"""A network as a self-contained folder of C99."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from edgeml.errors import InputError
from edgeml.licensing import LICENSE_FILE, license_text, with_license
from edgeml.network import Network

from .adaptation.source_text import adaptation_files
from .arena import ArenaLayout, lay_out
from .dialect import Dialect
from .header import header_text
from .monitor import monitor_files, monitor_headers
from .sensors.counts import Count
from .sensors.counts_text import counts_files
from .sensors.floats import sensor_files
from .sensors.frame_ring import frame_ring_files
from .sensors.probabilities import probabilities_files
from .source import source_text, used_constants, used_headers

__all__ = ["MOST_CONSTANTS", "CProgram", "generate"]

MOST_CONSTANTS = 2**26
"""Weights, biases and thresholds of a network for which C is generated: they become text that a compiler must read."""


@dataclass(frozen=True, eq=False)
class CProgram:
    """The files and what they cost.

    Parameters
    ----------
    files : text by path relative to the folder.
    layout : the stages.
    constant_bytes : read-only memory of weights, thresholds and tables.
    """

    files: Mapping[str, str]
    layout: ArenaLayout
    constant_bytes: int

    @property
    def arena_bytes(self) -> int:
        """Working memory for one sample."""
        return self.layout.arena_bytes

    def write(self, folder: Path) -> None:
        """Write the files below `folder`."""
        for name, text in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")


_INCLUDE = re.compile(r'^#include "([a-z0-9_]+\.h)"', re.MULTILINE)


_KERNELS = resources.files("edgeml.firmware_stubs") / "c" / "edgeml"


@cache
def _kernel_text(header: str) -> str:
    return (_KERNELS / header).read_text(encoding="utf-8")


def _own_headers(layout: ArenaLayout) -> dict[str, str]:
    """Headers that the layers bring with them, by name; InputError naming a layer whose header has another's name."""
    texts: dict[str, str] = {}
    for stage in layout.stages:
        for name, text in stage.code.headers.items():
            if (_KERNELS / name).is_file() or texts.setdefault(name, text) != text:
                raise InputError(f"layer {stage.name}", f"brings a header {name}, but another has that name")
    return texts


def _header_texts(headers: Iterable[str], own: Mapping[str, str]) -> dict[str, str]:
    """The text of these headers and of those that they include, by name."""
    texts: dict[str, str] = {}
    wanted = list(headers)
    while wanted:
        header = wanted.pop(0)
        if header not in texts:
            texts[header] = own[header] if header in own else _kernel_text(header)
            wanted += _INCLUDE.findall(texts[header])
    return texts


def generate(network: Network, dialect: Dialect, counts: Sequence[Count] = ()) -> CProgram:
    """The C of `network`; the same arguments give the same text.

    counts : what raw counts of sensors stand for, for a file that takes them.
    Raises InputError if the text would be larger than compilers take, or the counts do not fit the network.
    """
    values = sum(array.size for node in network.nodes for array in node.layer.parts()[1].values())
    if values > MOST_CONSTANTS:
        raise InputError(
            f"network {network.name}", f"has {values} weights and thresholds; in C at most {MOST_CONSTANTS}"
        )
    layout = lay_out(network, dialect)
    beside = {
        **sensor_files(layout),
        **counts_files(layout, counts),
        **frame_ring_files(layout),
        **probabilities_files(layout),
        **adaptation_files(layout),
        **monitor_files(layout),
    }
    headers = [*used_headers(layout), "sensor.h", *(["counts.h"] if counts else []), *monitor_headers(layout)]
    constant_bytes = sum(array.bytes for array in used_constants(layout))
    files = {
        LICENSE_FILE: license_text(),
        f"{layout.name}.h": with_license("network.h", header_text(layout, constant_bytes)),
        f"{layout.name}.c": with_license("network.c", source_text(layout)),
        **{name: with_license(name, text) for name, text in beside.items()},
        **{f"edgeml/{header}": text for header, text in _header_texts(headers, _own_headers(layout)).items()},
    }
    return CProgram(files, layout, constant_bytes)
