"""Reads the ELF file of a firmware image: what lies where, how much of flash and RAM it takes, and whose it is."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

from edgeml.errors import CheckFailed, MissingTool
from edgeml.extras import install_extra

__all__ = ["Image", "Segment", "Symbol", "read_image"]


@dataclass(frozen=True)
class Segment:
    """Bytes that are loaded at `address` (where they run) and kept in flash at `load_address`."""

    address: int
    load_address: int
    content: bytes
    size: int


@dataclass(frozen=True)
class Symbol:
    """A function or an object: its name, first address (bit 0 of Thumb cleared), size in bytes and section."""

    name: str
    address: int
    size: int
    section: str
    function: bool


@dataclass(frozen=True)
class Image:
    """A linked firmware image.

    Parameters
    ----------
    entry : address where execution starts.
    segments : what is loaded.
    sections : bytes of each section by name.
    symbols : functions and objects by name.
    flash, ram : bytes taken of each; initialised data counts in both. The stack is not in it.
    """

    entry: int
    segments: tuple[Segment, ...]
    sections: dict[str, int]
    symbols: dict[str, Symbol] = field(default_factory=dict)
    flash: int = 0
    ram: int = 0

    def address(self, name: str) -> int:
        """Where symbol `name` is; CheckFailed where the image has none."""
        if name not in self.symbols:
            raise CheckFailed("firmware image", f"has no symbol {name!r}")
        return self.symbols[name].address

    def functions(self) -> list[Symbol]:
        """All functions by ascending address."""
        return sorted((item for item in self.symbols.values() if item.function), key=lambda item: item.address)


def read_image(content: bytes) -> Image:
    """The image in ELF bytes `content`; CheckFailed where they are none."""
    try:
        from elftools.common.exceptions import ELFError
        from elftools.elf.elffile import ELFFile
        from elftools.elf.sections import SymbolTableSection
    except ImportError as error:
        raise MissingTool("firmware image", f"needs pyelftools: {install_extra('mcu')}") from error
    try:
        elf = ELFFile(io.BytesIO(content))
        thumb = elf["e_machine"] == "EM_ARM"
        names = [section.name for section in elf.iter_sections()]
        sections: dict[str, int] = {}
        flash = ram = 0
        for section in elf.iter_sections():
            if not section["sh_flags"] & 0x2 or not section["sh_size"]:
                continue
            size = int(section["sh_size"])
            sections[section.name] = size
            writable, stored = bool(section["sh_flags"] & 0x1), section["sh_type"] != "SHT_NOBITS"
            flash += size if stored else 0
            ram += size if writable else 0
        symbols: dict[str, Symbol] = {}
        for table in elf.iter_sections():
            if not isinstance(table, SymbolTableSection):
                continue
            for item in table.iter_symbols():
                kind, index = item["st_info"]["type"], item["st_shndx"]
                if not item.name or kind not in ("STT_FUNC", "STT_OBJECT", "STT_NOTYPE") or item.name[0] == "$":
                    continue
                section_name = names[index] if isinstance(index, int) and index < len(names) else ""
                address = int(item["st_value"])
                function = kind == "STT_FUNC"
                if function and thumb:
                    address &= ~1
                symbols[item.name] = Symbol(item.name, address, int(item["st_size"]), section_name, function)
        segments = tuple(
            Segment(int(part["p_vaddr"]), int(part["p_paddr"]), part.data(), int(part["p_memsz"]))
            for part in elf.iter_segments()
            if part["p_type"] == "PT_LOAD" and part["p_memsz"]
        )
        return Image(int(elf["e_entry"]), segments, sections, symbols, flash, ram)
    except ELFError as error:
        raise CheckFailed("firmware image", f"is not a sound ELF file ({error})") from error
