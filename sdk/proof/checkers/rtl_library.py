"""The second look at proofs of library modules: that they are of this bundle's files, benches and instances.

The induction itself is yosys's word: nothing of it is followed here. What is: each claim is about the bench that ships
with the package and about files of the bundle that are as they were; each instance that the generated Verilog of the
bundle's folder names, of a module that has a bench, has a claim with all parameters that the bench takes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

from ...network import Network
from .rtl_library_shapes import need_shape
from .shipped import need_shipped
from .statements import Claims, check_statements, integer, need

__all__ = ["check_certificate"]

_BENCHES = "edgeml.targets.fpga.proof.rtl_library.benches"
_INSTANCE = re.compile(r"\b(edgeml_\w+)\s*(?:#\s*\(((?:[^()]|\([^()]*\))*)\))?\s*\b(?!module\b)(\w+)\s*\(")
_GIVEN = re.compile(r"\.(\w+)\s*\(\s*(\d+)\s*\)")
_PARAMETER = re.compile(r"\bparameter\s+(?:signed\s+)?(?:\[[^=\]]*\]\s*)?(\w+)\s*=\s*(\d+\b(?!'))?")
_OTHER_STEPS = {"edgeml_spiking"}
"""Modules whose benches are about steps of their own, not those of a bundle."""


def check_certificate(folder: Path, prover: str) -> dict[str, tuple[int, int]]:
    """Check `proof/PROVER` of a bundle in `folder`; of each place how many claims there are, and how many are proved.

    Raises CheckFailed naming what does not follow; InputError where a file cannot be read.
    """
    return check_statements(folder, prover, "rtl_library", partial(_places, folder))


def _places(folder: Path, network: Network, files: dict[str, bytes], said: dict[str, Claims]) -> dict[str, int]:
    there = [*folder.glob("rtl/*.v"), *folder.glob("tops/*/*.v")]
    for path in (each.relative_to(folder).as_posix() for each in there):
        need(path in files or path.endswith(("_pipeline.v", "_tb.v")), path, "is not among what was proved")
    by_name = {path.rpartition("/")[2]: content for path, content in files.items()}
    for path, content in files.items():
        need(by_name[path.rpartition("/")[2]] == content, path, "lies in the bundle in two forms")
        need_shipped(path, content)
    ours = {f"{network.name}_{kind}": kind for kind in ("core", "axis", "uart", "packets", "axi")}
    for place, claims in said.items():
        need(f"{place}.v" in by_name, place, "is not among the bundle's modules")
        shipped = _bench(ours.get(place, place.removeprefix("edgeml_")))
        for claim in claims:
            _claim(place, claim, shipped, ours, by_name)
    for name, content in by_name.items():
        if not name.startswith("edgeml_"):
            _instances(name, content.decode(), said, by_name)
    for place, kind in ours.items():
        if kind == "axis" or (kind != "core" and f"{place}.v" in by_name):
            need(place in said, "places", f"have no {place}")
        for claim in said.get(place, ()):
            need_shape(
                kind, place, claim["parameters"], network, {name: text.decode() for name, text in by_name.items()}
            )
    return {place: len(claims) for place, claims in said.items()}


def _claim(
    place: str, claim: Mapping[str, Any], shipped: str, ours: Mapping[str, str], files: Mapping[str, bytes]
) -> None:
    """A claim is about the bench that ships, with the names that are the bundle's, and about files of the bundle."""
    needed, waiting = set(), [f"{place}.v"]
    while waiting:
        name = waiting.pop()
        if name not in needed and name in files:
            needed.add(name)
            parts = re.findall(r"^ +(edgeml_\w+) (?:#\(|\w+ \()", files[name].decode(), re.MULTILINE)
            waiting += [f"{part}.v" for part in parts]
    stands_in = {"core": {"edgeml_fifo.v"}, "axis": set(), "uart": set(), "packets": set(), "axi": set()}.get(
        ours.get(place, "")
    )
    needed -= {f"{module}.v" for module in re.findall(r"^module (edgeml_\w+)", shipped, re.MULTILINE)}
    wanted = needed if stands_in is None else {f"{place}.v"} | stands_in
    need(set(claim["sources"]) == wanted, place, "is proved of other files")
    need(
        hashlib.sha256(_filled(shipped, place, ours, claim).encode()).hexdigest() == claim["bench"],
        place,
        "is proved by another bench",
    )
    if place not in ours:
        needed = set(_defaults(shipped)) & set(_defaults(files[f"{place}.v"].decode()))
        needed -= {"CLASS_BITS"} if place == "edgeml_argmax" else set()  # follows from the others
        needed |= {"LENGTH"} if place == "edgeml_uart_rx" else set()
        free = {name for name in _defaults(files[f"{place}.v"].decode()) if _is_input(name, shipped)}
        need(set(claim.get("any_value", ())) == free, place, f"is not proved for any value of {sorted(free)}")
        need(set(claim["parameters"]) == needed, place, f"is proved with other parameters than {sorted(needed)}")
        if place == "edgeml_uart_rx":
            same = claim["parameters"]["LENGTH"] == claim["parameters"]["CLOCKS_PER_BIT"]
            need(same, place, "is proved of bits of another length")
    if claim["status"] == "proved":
        need(integer(claim["clocks"]) >= 1, place, "is proved by no induction")


def _bench(name: str) -> str:
    """The bench that ships with the package."""
    need(re.fullmatch(r"\w+", name) is not None, name, "is not a name")
    file = resources.files(_BENCHES) / f"{name}.v"
    need(file.is_file(), name, "has no bench")
    parts = resources.files(_BENCHES) / "parts" / f"{name}.v"
    return file.read_text("utf-8") + (parts.read_text("utf-8") if parts.is_file() else "")


def _filled(bench: str, place: str, ours: Mapping[str, str], claim: Mapping[str, Any]) -> str:
    """A bench of the bundle's own modules with their names and shapes; one of the library is as it is."""
    if place not in ours:
        return bench
    stem = place.rpartition("_")[0]
    for word, name in (
        ("CORE", f"{stem}_core"),
        ("TOP", place),
        ("AXIS", f"{stem}_axis"),
        ("PACKETS", f"{stem}_packets"),
        ("pipeline_of_core", f"{stem}_pipeline"),
    ):
        bench = re.sub(rf"\b{word}\b", name, bench)
    numbers = {str(key): integer(value) for key, value in claim["parameters"].items()}
    if ours[place] == "axis":
        numbers["OUTPUT_BITS"] = numbers["LANES"] * numbers["ELEMENT_BITS"]
    if ours[place] == "uart":
        numbers["CORE_INPUT"] = numbers["INPUT_LANES"] * numbers["INPUT_BITS"]
        numbers["CORE_OUTPUT"] = numbers["OUTPUT_LANES"] * numbers["OUTPUT_BITS"]
    if ours[place] in ("axis", "packets") and numbers["USER_BITS"]:
        bench = re.sub(r"/\*(\.(?:m_axis_tuser|out_class).*?)\*/", r", \1", bench)
    for key, value in numbers.items():
        bench = re.sub(rf"^(    parameter {key} = )-?\d+", rf"\g<1>{value}", bench, flags=re.MULTILINE)
    return bench


def _defaults(text: str) -> dict[str, str]:
    """The parameters of a module's text and what they are where nobody says: digits, or "" for all else."""
    return dict(_PARAMETER.findall(re.sub(r"//[^\n]*", "", text)))


def _is_input(name: str, bench: str) -> bool:
    """Whether a bench takes a parameter's value at an input: it stays as it is, and is any."""
    return re.search(rf"^    input wire +(?:\[.*?\] +)?{name}\b", bench, re.MULTILINE) is not None


def _instances(file: str, text: str, said: Mapping[str, Claims], files: Mapping[str, bytes]) -> None:
    """Each instance of a module that has a bench has a claim with its parameters, as far as they are numbers."""
    for module, given, instance in _INSTANCE.findall(re.sub(r"//[^\n]*", "", text)):
        if not (resources.files(_BENCHES) / f"{module[7:]}.v").is_file() or module in _OTHER_STEPS:
            continue
        need(module in said, f"{file}, {instance}", f"is a {module}, of which nothing is claimed")
        stated = {**_defaults(files[f"{module}.v"].decode()), **dict.fromkeys(re.findall(r"\.(\w+)\s*\(", given), "")}
        stated |= dict(_GIVEN.findall(given))
        wanted = {name: int(value) for name, value in stated.items() if value}
        fits = any(
            all(claim["parameters"].get(name, value) == value for name, value in wanted.items())
            for claim in said[module]
        )
        need(fits, f"{file}, {instance}", f"is a {module} with other parameters than those that are claimed")
