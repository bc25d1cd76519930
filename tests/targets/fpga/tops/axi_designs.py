"""Designs as a bundle has them, with the packaged IP around them, for tests that run it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from edgeml.network import Network
from edgeml.profile import load_profile
from edgeml.targets.fpga.budget import budget_of
from edgeml.targets.fpga.design import Built, Design, build
from edgeml.targets.fpga.files import generated_files
from edgeml.targets.fpga.tops.ip import FOLDER

from ..designs import folded_designs, small_network
from ..forms import spiking_network

SEED = 3


@dataclass(frozen=True)
class AxiDesign:
    """What to build: folded or unrolled, `wide` (9 inputs in 3 values, not to be had in words of 4) or spiking."""

    architecture: str
    width: int = 64
    argmax: bool = False


@dataclass(frozen=True, eq=False)
class Made:
    """A bundle's `rtl/` and `tops/`. sources : Verilog as seen from `rtl/`."""

    network: Network
    built: Built
    sources: list[str]


def written(asked: AxiDesign, folder: Path, part: str = "xc7z020") -> Made:
    """The files of a design in `folder`."""
    match asked.architecture:
        case "spiking":
            network, design = spiking_network(1, "stbif"), Design("folded")
        case "wide":
            network = small_network(4)
            design = folded_designs(network, 3)[-1]
        case "unrolled":
            network, design = small_network(SEED), Design("unrolled")
        case _:
            network = small_network(SEED)
            design = folded_designs(network, 2)[-1]
    built = build(network, replace(design, argmax=asked.argmax, axi_width=asked.width))
    files = generated_files(network, built, budget_of(load_profile(part)))
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    own = [f"../{name}" for name in sorted(files) if name.startswith(FOLDER) and name.endswith(".v")]
    return Made(network, built, [*built.sources, *own])
