"""Digests of files: of their bytes, and of their code alone, without comments and blank lines."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path

from edgeml.network import network_file

TABLE = Path(__file__).with_name("digests.json")
_SLASHES = (".c", ".h", ".v", ".cpp", ".ino")
_HASHES = (
    ".cmake",
    ".txt",
    ".mk",
    ".toml",
    ".tcl",
    ".xdc",
    ".lpf",
    ".pcf",
    ".py",
    ".properties",
    "Makefile",
    "Kconfig",
)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def code(name: str, content: bytes) -> bytes:
    """A text file without its comments and blank lines, a network without the origins of its layers; other files as
    they are."""
    if name.endswith(_SLASHES):
        content = re.sub(rb"/\*.*?\*/", b"", content, flags=re.DOTALL)
        content = re.sub(rb"//[^\n]*", b"", content)
    elif name == "network.edgeml":
        return network_file.to_bytes(network_file.from_bytes(content), origins=False)
    elif name.endswith(_HASHES):
        content = re.sub(rb"(?m)^\s*#[^\n]*", b"", content)
    else:
        return content
    return b"\n".join(line.rstrip() for line in content.split(b"\n") if line.strip())


def digests(files: Mapping[str, bytes]) -> dict[str, str]:
    """By file name: the digest of its bytes, and behind a colon that of its code if it has comments."""
    found = {}
    for name, content in sorted(files.items()):
        bare = code(name, content)
        found[name] = _digest(content) + ("" if bare == content else ":" + _digest(bare))
    return found


def read_table() -> dict[str, dict[str, str]]:
    """The digests that the set has: by conversion, by file."""
    table: dict[str, dict[str, str]] = json.loads(TABLE.read_text("utf-8"))
    return table


def write_table(table: Mapping[str, Mapping[str, str]]) -> None:
    """Keep new digests."""
    TABLE.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n", encoding="utf-8")
