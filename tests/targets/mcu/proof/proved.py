"""Firmware that is followed for all inputs, sound or with a seeded fault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from edgeml.network import Dense, Network, Node
from edgeml.proof.findings import Row
from edgeml.targets.mcu.cores import core
from edgeml.targets.mcu.firmware import Firmware, firmware_files
from edgeml.targets.mcu.image_build import library_image
from edgeml.targets.mcu.proof.emulated_core import emulated_core
from edgeml.targets.mcu.proof.followed import Followed
from edgeml.targets.mcu.proof.prover import rows_of

__all__ = ["changed", "firmware_of", "follow", "rows", "sparse"]


def firmware_of(network: Network, name: str, kernel: str = "") -> Firmware:
    """With one kernel wherever it applies, or the core's first."""
    stages = firmware_files(network, core(name), {}).program.layout.stages
    chosen = dict.fromkeys((stage.job.prefix for stage in stages), kernel) if kernel else {}
    return firmware_files(network, core(name), chosen)


def sparse(network: Network) -> Network:
    """The same with seven of ten weights zero."""
    generator = np.random.default_rng(7)
    nodes = []
    for node in network.nodes:
        layer = node.layer
        if isinstance(layer, Dense):
            weight = np.where(generator.random(layer.weight.shape) < 0.7, 0, layer.weight)
            layer = Dense(weight, layer.weight_bits, layer.bias)
        nodes.append(Node(node.name, layer, node.inputs))
    return Network(network.name, tuple(nodes), network.output)


def changed(firmware: Firmware, faults: Mapping[str, str]) -> Firmware:
    """Every text in the C that is a key becomes the value; each must be there once in all files together."""
    files = dict(firmware.files)
    for old, new in faults.items():
        (path,) = (path for path, text in files.items() if old in text and not path.endswith("LICENSE"))
        assert files[path].count(old) == 1, (old, files[path].count(old))
        files[path] = files[path].replace(old, new)
    return replace(firmware, files=files)


def follow(firmware: Firmware, name: str, optimize: str = "-O2") -> Followed:
    """Followed with a sample in the middle of the input's range."""
    network = firmware.program.layout.network
    emulator = emulated_core(core(name), library_image(firmware, core(name), optimize=optimize))
    q = np.random.default_rng(0).integers(network.quantizer.low, network.quantizer.high + 1, network.input_size)
    followed = Followed(emulator, firmware.program, q.astype(np.int32))
    followed.run(lambda what: None, 600)
    return followed


def rows(network: Network, name: str, kernel: str = "", faults: Mapping[str, str] | None = None) -> dict[str, Row]:
    """What the prover says, by part."""
    found = rows_of(follow(changed(firmware_of(network, name, kernel), faults or {}), name))
    return {row.part: row for row in found}
