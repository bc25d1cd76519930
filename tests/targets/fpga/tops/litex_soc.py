"""A SoC of LiteX around a bundle's LiteX module: memory, DMA, registers, and a bus at its pins for a processor."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from edgeml.errors import InputError

__all__ = ["MEMORY", "TOP", "write_soc"]

TOP = "soc"
MEMORY = 0x4000_0000
_MEMORY_BYTES = 2**15


def _module(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise InputError(str(path), "is not a module of Python")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_soc(path: Path, folder: Path) -> tuple[list[str], dict[str, int]]:
    """Write soc.v of the LiteX module at `path`, and its memory images, to a folder.

    Returns the Verilog files to compile and the registers' addresses by name, `NAME@WORDS` for those of many words.
    """
    from litex.build.generic_platform import Pins
    from litex.build.sim import SimPlatform
    from litex.gen import LiteXModule
    from litex.soc.integration.soc_core import SoCMini
    from litex.soc.interconnect import wishbone
    from migen import ClockDomain

    made = _module(path)
    platform = SimPlatform("SIM", [("clk", 0, Pins(1)), ("rst", 0, Pins(1)), ("irq", 0, Pins(1))])

    class Clocks(LiteXModule):  # type: ignore[misc]
        def __init__(self) -> None:
            self.cd_sys = ClockDomain()
            self.comb += [self.cd_sys.clk.eq(platform.request("clk")), self.cd_sys.rst.eq(platform.request("rst"))]

    class Soc(SoCMini):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(platform, clk_freq=int(1e6), ident="", csr_data_width=32)
            self.crg = Clocks()
            self.add_ram("main_ram", MEMORY, _MEMORY_BYTES)
            master = wishbone.Interface(data_width=32, address_width=32, addressing="word")
            self.bus.add_master("desk", master)
            platform.add_extension(master.get_ios("bus"))
            self.comb += master.connect_to_pads(platform.request("bus"), mode="slave")
            self.device = made.NetworkWithDma(platform, self.bus)
            self.comb += platform.request("irq").eq(self.device.network.ev.irq)

    soc = Soc()
    soc.finalize()
    # As LiteX writes Verilog for simulators: an `always` for each signal, so that none waits for itself.
    output = platform.get_verilog(soc, name=TOP, regular_comb=False)
    output.write(str(folder / f"{TOP}.v"))
    made.copy_memories(folder)
    addresses = {}
    for region, content in soc.csr_regions.items():
        place = content.origin
        for register in content.obj if isinstance(content.obj, list) else ():
            words = -(-register.size // 32)
            addresses[f"{region}_{register.name}"] = place
            place += 4 * words
    return [source for source, *_ in platform.sources], addresses
