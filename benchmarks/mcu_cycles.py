"""The cycle models of `targets/mcu/cycles` against counts that others published of their own assembly on boards.

The code is not part of this project: clone the repositories beside each other and name their folder,
`python -m benchmarks.mcu_cycles --sources FOLDER [--json FILE]`. What is not there is left out, and said. Each function
is assembled with zig, run in Unicorn with memory that answers at once, and its result compared with a published vector.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeml.targets.mcu.cores import core
from edgeml.targets.mcu.cycles import core_timing, cycles_of_call
from edgeml.targets.mcu.emulator import Emulator
from edgeml.targets.mcu.image import read_image
from edgeml.targets.mcu.toolchain import build

_AES = "Ko-/aes-armcortexm", "README: STM32L100C and STM32F407"
_X25519 = "Emill/X25519-Cortex-M4", "README: Cortex-M4"
_MUNACL = "ctz/cifra", "Düll et al., Des. Codes Cryptogr. 77, 493 (2015), abstract: Cortex-M0"
_SLOTHY = "slothy-optimizer/slothy", "cortex_m33.py: RP2350; the same kernel, scheduled for the M33"

_KEY = bytes.fromhex("000102030405060708090a0b0c0d0e0f")
_PLAIN = bytes.fromhex("00112233445566778899aabbccddeeff")
_CIPHER = bytes.fromhex("69c4e0d86a7b0430d8cdb78070b4c55a")  # FIPS 197, appendix C.1
_SCALAR = bytes.fromhex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4")
_POINT = bytes.fromhex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")
_SHARED = bytes.fromhex("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552")  # RFC 7748, 5.2

Arguments = Callable[[Emulator], tuple[int, ...]]


@dataclass(frozen=True)
class Published:
    """A function whose cycles on a board are published.

    Parameters
    ----------
    source : repository, and where the count stands. files : in it.
    core, timing : emulated core and cycle model. function, cycles : its name, and the published count.
    arguments : addresses for a call. result : bytes that the last argument must point to afterwards; empty: not known.
    unified : whether the assembly is in the older syntax, in which sums and logic set flags without saying so.
    """

    title: str
    source: tuple[str, str]
    files: tuple[str, ...]
    core: str
    timing: str
    function: str
    cycles: float
    arguments: Arguments
    result: bytes = b""
    unified: bool = False


def _aes(emulator: Emulator) -> tuple[int, ...]:
    keys, plain, cipher = (emulator.allocate(size) for size in (176, 16, 16))
    emulator.write(keys, _KEY)
    emulator.write(plain, _PLAIN)
    emulator.call("AES_128_keyschedule", keys, keys + 16)
    return keys, plain, cipher


def _key_schedule(emulator: Emulator) -> tuple[int, ...]:
    key, keys = emulator.allocate(16), emulator.allocate(176)
    emulator.write(key, _KEY)
    return key, keys


def _x25519(emulator: Emulator) -> tuple[int, ...]:
    result, scalar, point = (emulator.allocate(32) for _ in range(3))
    emulator.write(scalar, _SCALAR)
    emulator.write(point, _POINT)
    return result, scalar, point


def _state(emulator: Emulator) -> tuple[int, ...]:
    return (emulator.allocate(200),)


_UNACL = tuple(
    f"src/arm/unacl/{name}"
    for name in ("scalarmult.c", "mul.s", "sqr.s", "cortex_m0_mpy121666.s", "cortex_m0_reduce25519.s")
)
_KECCAK = "examples/opt/armv7m/keccak/keccakf1600_adomnicai_m4_opt_m7.s"

PUBLISHED = (
    Published("AES-128, a block", _AES, ("aes128/aes.s",), "m3", "m3", "AES_128_encrypt", 637.5, _aes, _CIPHER),
    Published("AES-128, a block", _AES, ("aes128/aes.s",), "m4", "m4", "AES_128_encrypt", 634.7, _aes, _CIPHER),
    Published("AES-128, keys", _AES, ("aes128/aes.s",), "m3", "m3", "AES_128_keyschedule", 249.8, _key_schedule),
    Published("AES-128, keys", _AES, ("aes128/aes.s",), "m4", "m4", "AES_128_keyschedule", 244.9, _key_schedule),
    Published("X25519", _X25519, ("x25519-cortex-m4-gcc.s",), "m4", "m4", "curve25519_scalarmult", 548_873, _x25519),
    Published(
        "X25519", _MUNACL, _UNACL, "m0", "m0classic", "crypto_scalarmult_curve25519", 3_589_850, _x25519, unified=True
    ),
    Published(
        "Keccak-f[1600]",
        _SLOTHY,
        (_KECCAK,),
        "m33",
        "m33",
        "KeccakF1600_StatePermute_adomnicai_m4_opt_m7",
        9_184,
        _state,
    ),
)
"""What is run."""

_SETS_FLAGS = re.compile(r"(\s*)(add|sub|adc|sbc|eor|lsl|lsr|asr|mul|mvn|neg|and|orr|bic|mov)(\s+)(.*)")


def _unified(text: str) -> str:
    """Assembly of the older syntax in the one that clang knows: sums, logic and moves of numbers set flags."""
    lines = [".syntax unified"]
    for line in text.splitlines():
        found = _SETS_FLAGS.match(line)
        if found:
            operands = found[4].split("//")[0]
            moves = found[2] == "mov" and "#" not in operands
            if not moves and "sp" not in operands and not re.search(r"\br(8|9|1\d)\b", operands):
                line = f"{found[1]}{found[2]}s{found[3]}{found[4]}"
        lines.append(line)
    return "\n".join(lines) + "\n"


def _folder(sources: Path, repository: str) -> Path | None:
    """Where a repository was cloned to: under its own name, or as owner+name."""
    owner, name = repository.split("/")
    return next((path for path in (sources / name, sources / f"{owner}+{name}") if path.is_dir()), None)


def measured(one: Published, folder: Path) -> int:
    """Cycles by model."""
    chip = core(one.core)
    with tempfile.TemporaryDirectory() as scratch:
        files = []
        for index, name in enumerate(one.files):
            text = (folder / name).read_text(encoding="utf-8", errors="replace")
            text = text.replace("#include <inttypes.h>", "#include <stdint.h>")  # the same types, without a C library
            path = Path(scratch) / f"{index}{Path(name).suffix}"
            path.write_text(_unified(text) if one.unified and name.endswith(".s") else text, encoding="utf-8")
            files.append(path)
        keep = [one.function, *(["AES_128_keyschedule"] if one.arguments is _aes else [])]
        content = build(chip, files, keep=keep, warnings=("-w",), standard="-std=gnu99", where=one.title)
    emulator = Emulator(chip, read_image(content))
    arguments = one.arguments(emulator)
    emulator.call(one.function, *arguments)
    place, expected = (arguments[0], _SHARED) if one.arguments is _x25519 else (arguments[-1], one.result)
    if expected and emulator.read(place, len(expected)) != expected:
        raise SystemExit(f"{one.title} on {one.core}: gives another result than the published vector")
    return cycles_of_call(emulator, core_timing(one.timing), one.function, *arguments).total


def rows(sources: Path) -> list[dict[str, Any]]:
    """One for each function whose repository is there."""
    found = []
    for one in PUBLISHED:
        folder = _folder(sources, one.source[0])
        if folder is None:
            print(f"left out, not in {sources}: {one.source[0]}", file=sys.stderr)
            continue
        cycles = measured(one, folder)
        found.append(
            {
                "code": one.title,
                "core": "Cortex-M0" if one.timing == "m0classic" else core(one.core).title,
                "published": one.cycles,
                "model": cycles,
                "error": cycles / one.cycles - 1,
                "source": f"{one.source[0]}; {one.source[1]}",
            }
        )
    return found


def scheduling_gain(sources: Path) -> str:
    """What the model of a Cortex-M7 says of two Keccaks whose ratio is published, 1.05 (eprint 2025/366, abstract)."""
    folder = _folder(sources, _SLOTHY[0])
    if folder is None:
        return ""
    by_hand, scheduled = (
        measured(
            Published("Keccak-f[1600]", _SLOTHY, (path,), "m7", "m7", f"KeccakF1600_StatePermute_{name}", 1, _state),
            folder,
        )
        for path, name in (
            ("examples/naive/armv7m/keccak/keccakf1600_adomnicai_m7.s", "adomnicai_m7"),
            (_KECCAK, "adomnicai_m4_opt_m7"),
        )
    )
    return f"Cortex-M7, Keccak by hand {by_hand:,}, scheduled {scheduled:,}: {by_hand / scheduled:.2f}, published 1.05"


def table(found: Sequence[dict[str, Any]]) -> str:
    """The rows as a table of the page."""
    lines = ["| code | core | published | model | error | source |", "|---|---|---|---|---|---|"]
    for row in found:
        figures = f"{row['published']:,.0f} | {row['model']:,} | {row['error']:+.1%}"
        lines.append(f"| {row['code']} | {row['core']} | {figures} | {row['source']} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=Path, required=True, help="folder of the cloned repositories")
    parser.add_argument("--json", type=Path, help="also write all figures here")
    options = parser.parse_args(arguments)
    found = rows(options.sources)
    print(table(found))
    print(scheduling_gain(options.sources))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
