"""Bundles with an image for a board, made of small networks, and readers of the forms that images come in."""

from __future__ import annotations

import struct
from functools import cache
from pathlib import Path

import numpy as np

from edgeml.bundle import Bundle, load, seal
from edgeml.network import network_file, simulate
from edgeml.profile import board_names, load_profile
from edgeml.targets.mcu import McuTarget

from .networks import random_inputs, random_network

VECTORS = 200


@cache
def mcu_boards() -> tuple[str, ...]:
    """The names of all boards with a microcontroller."""
    return tuple(name for name in board_names() if load_profile(name).kind == "mcu")


def image_bundle(board: str, folder: Path, sizes: tuple[int, ...] = (9, 6, 4)) -> Bundle:
    """A sealed bundle as a conversion leaves it, with 200 vectors; `board` is a name or a profile's path."""
    network, profile = random_network(7, sizes, 2), load_profile(board)
    folder.mkdir(parents=True)
    metrics = McuTarget().emit(network, profile, folder)
    network_file.write(network, folder / "network.edgeml")
    q = random_inputs(network, 3, VECTORS)
    (folder / "golden").mkdir()
    np.save(folder / "golden" / "inputs.npy", q)
    np.save(folder / "golden" / "outputs.npy", simulate(network, q))
    target = {"name": profile.name, "kind": "mcu", "description": profile.description, "values": dict(profile.values)}
    seal(folder, {"form": "quantized", "target": target, "options": {}, "metrics": {"target": metrics}})
    return load(folder)


def read_hex(text: str) -> dict[int, int]:
    """Bytes by address of an Intel HEX file; every record's sum and the end are checked."""
    found: dict[int, int] = {}
    upper = 0
    lines = text.splitlines()
    for line in lines:
        record = bytes.fromhex(line.removeprefix(":"))
        assert sum(record) & 0xFF == 0
        assert len(record) == record[0] + 5
        address, kind, content = struct.unpack(">H", record[1:3])[0], record[3], record[4:-1]
        if kind == 0:
            found.update({upper + address + place: byte for place, byte in enumerate(content)})
        elif kind == 4:
            upper = struct.unpack(">H", content)[0] << 16
        else:
            assert (kind, line) == (1, lines[-1])
    return found


def read_uf2(content: bytes, family: int) -> dict[int, int]:
    """Bytes by address of a UF2 file; the rules of the format that boot ROMs keep to are checked of every block."""
    found: dict[int, int] = {}
    assert len(content) % 512 == 0
    for number in range(len(content) // 512):
        block = content[512 * number : 512 * (number + 1)]
        begin, second, flags, address, size, index, count, said = struct.unpack_from("<8I", block)
        assert (begin, second, struct.unpack_from("<I", block, 508)[0]) == (0x0A324655, 0x9E5D5157, 0x0AB16F30)
        assert (flags, size, index, count, said) == (0x2000, 256, number, len(content) // 512, family)
        assert address % 256 == 0
        found.update({address + place: byte for place, byte in enumerate(block[32 : 32 + size])})
    return found
