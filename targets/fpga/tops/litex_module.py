"""A LiteX module: the design behind packets, with registers and DMA, for a SoC that migen writes."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import resources

from edgeml.network import Network
from edgeml.network.network_file import model_hash

from ..design import Built
from .packets import FOLDER as PACKETS
from .packets import PACKET_MODULES, Packets

__all__ = ["FOLDER", "litex_files"]

FOLDER = "tops/litex"


def litex_files(network: Network, built: Built) -> dict[str, bytes]:
    """The module's file by its path in a bundle; it needs those of `packet_files` and of the design."""
    packets = Packets(built.interface, built.design.axi_width)
    text = (resources.files("edgeml.firmware_stubs") / "packaging" / "litex_module.py.in").read_text("utf-8")
    own = (*PACKET_MODULES, f"{network.name}_packets.v")
    sources = [*(f"rtl/{file}" for file in built.sources), *(f"{PACKETS}/{file}" for file in own)]
    given = {
        "NAME": network.name,
        "HASH": model_hash(network),
        "WIDTH": packets.width,
        "INPUTS": network.input_size,
        "INPUT_BYTES": packets.slot_bytes,
        "INPUT_WORDS": packets.input_words,
        "TYPE": packets.input_type,
        "OUTPUTS": network.output_size,
        "OUTPUT_WORDS": packets.output_words,
        "CLASS_BITS": 8 * built.interface.class_bytes if built.interface.classes else 0,
        "SOURCES": _listed(sources),
        "MEMORIES": _listed(f"rtl/{file}" for file in built.memories),
    }
    for name, value in given.items():
        text = text.replace(f"@{name}@", str(value))
    return {f"{FOLDER}/{network.name}_litex.py": text.encode()}


def _listed(files: Iterable[str]) -> str:
    return "\n".join(f'    "{file}",' for file in files)
